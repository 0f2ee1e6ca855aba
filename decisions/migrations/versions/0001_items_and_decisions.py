"""Items, decisions and people."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "items",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("designation", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("picture", sa.String(64)),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(10), nullable=False),
        sa.Column("weight", sa.Float, nullable=False),
        sa.Column("job", sa.String(64)),
        sa.Column("job_name", sa.Text),
        sa.Column("row", sa.Integer),
        sa.Column("category", sa.BigInteger, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("margin", sa.Float, nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("second_look", sa.Boolean, nullable=False),
        sa.Column("standing", sa.BigInteger),
        sa.Column("holder", sa.String(64)),
        sa.Column("held_by", sa.String(80)),
        sa.Column("held_until", _MOMENT),
        sa.Column("purged_at", _MOMENT),
        sa.PrimaryKeyConstraint("key", name="pk_items"),
    )
    for columns in (["picture"], ["job"], ["holder"], ["state", "margin", "key"], ["state", "added_at", "key"]):
        op.create_index(f"ix_items_{'_'.join(columns)}", "items", columns)
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("code", sa.BigInteger),
        sa.Column("note", sa.Text),
        sa.Column("person", sa.String(80), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("replaces", sa.BigInteger),
        sa.Column("undoes", sa.BigInteger),
        sa.Column("action", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.ForeignKeyConstraint(["key"], ["items.key"], name="fk_decisions_key"),
        sa.UniqueConstraint("undoes", name="uq_decisions_undoes"),
        sa.UniqueConstraint("action", "key", name="uq_decisions_action_key"),
        sqlite_autoincrement=True,
    )
    for column in ("key", "person", "decided_at"):
        op.create_index(f"ix_decisions_{column}", "decisions", [column])
    op.create_table(
        "people",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("alias", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_people"),
        sa.UniqueConstraint("alias", name="uq_people_alias"),
    )


def downgrade() -> None:
    """Everything that was decided would be lost."""
    raise NotImplementedError("decisions are not thrown away: restore a copy of the database instead")
