"""What was classified, counted by day: no row is about a single product."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "observed",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("measure", sa.String(20), nullable=False),
        sa.Column("class", sa.String(20), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "source", "model", "measure", "class", name="pk_observed"),
    )
    op.create_index("ix_observed_measure_day", "observed", ["measure", "day"])


def downgrade() -> None:
    """What was counted would be gone."""
    raise NotImplementedError("counts are not thrown away: restore a copy of the database instead")
