"""Programs that may ask the REST interface."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes their table."""
    op.create_table(
        "clients",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.Column("used_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.UniqueConstraint("digest", name="uq_clients_digest"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Every client would need a new token."""
    raise NotImplementedError("tokens are not thrown away: restore a copy of the database instead")
