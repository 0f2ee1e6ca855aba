"""Who did what, in a table that refuses to be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_REFUSAL = "rows of the audit log are only added"


def upgrade() -> None:
    """Makes the table, and what keeps its rows."""
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.String(120), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    for column in ("at", "person", "action"):
        op.create_index(f"ix_audit_{column}", "audit", [column])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """What was noted would be gone."""
    raise NotImplementedError("an audit log is not thrown away: restore a copy of the database instead")


_SQLITE = [
    f"CREATE TRIGGER audit_keeps_{change} BEFORE {change} ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    for change in ("UPDATE", "DELETE")
] + [
    # INSERT OR REPLACE deletes without asking the trigger of DELETE.
    "CREATE TRIGGER audit_keeps_ids BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "  # nosec B608 # constants
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
]
_POSTGRESQL = [
    f"CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps()",
]
