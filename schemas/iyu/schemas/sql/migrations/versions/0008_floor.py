"""Failures of a chunk, when a time of the future arrived, and which code may use the tables"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    failures = sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    op.add_column("chunks", failures)
    op.add_column("chunks", sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_chunks_arrived_at",
        "chunks",
        ["arrived_at"],
        sqlite_where=sa.text("arrived_at IS NOT NULL"),
        postgresql_where=sa.text("arrived_at IS NOT NULL"),
    )
    readers = op.create_table(
        "table_readers",
        sa.Column("oldest_revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("oldest_revision", name=op.f("pk_table_readers")),
    )
    # A later migration that does more than add sets this to its own revision.
    op.bulk_insert(readers, [{"oldest_revision": "0008"}])


def downgrade() -> None:
    op.drop_table("table_readers")
    op.drop_index("ix_chunks_arrived_at", "chunks")
    op.drop_column("chunks", "arrived_at")
    op.drop_column("chunks", "failures")
