"""What was sent from files, row by row; names of jobs in a table of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the two tables from what the items know, and takes it from them."""
    op.create_table(
        "sent",
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("row", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(10), nullable=False),
        sa.Column("weight", sa.Float, nullable=False),
        sa.Column("category", sa.BigInteger, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("job", "row", name="pk_sent"),
    )
    op.create_index("ix_sent_key", "sent", ["key"])
    op.create_index("ix_sent_reason_key", "sent", ["reason", "key"])
    op.create_table(
        "jobs",
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_jobs"),
    )
    op.execute(
        'INSERT INTO sent (job, "row", "key", reason, weight, category, confidence, model, sent_at) '
        'SELECT job, "row", min("key"), min(reason), min(weight), min(category), min(confidence), min(model), '
        'min(added_at) FROM items WHERE job IS NOT NULL AND "row" IS NOT NULL GROUP BY job, "row"'
    )
    op.execute(
        "INSERT INTO jobs (job, name, added_at) "
        "SELECT job, max(job_name), min(added_at) FROM items WHERE job IS NOT NULL GROUP BY job"
    )
    op.drop_column("items", "weight")
    op.drop_column("items", "job_name")
    op.drop_index("ix_items_job", "items")
    op.drop_index("ix_items_state_margin_key", "items")
    for columns in (
        ["state", "margin", "key", "purged_at"],
        ["state", "category", "margin", "key", "purged_at"],
        ["state", "reason", "margin", "key"],
    ):
        op.create_index(f"ix_items_{'_'.join(columns)}", "items", columns)


def downgrade() -> None:
    """Rows that were sent more than once would be lost."""
    raise NotImplementedError("decisions are not thrown away: restore a copy of the database instead")
