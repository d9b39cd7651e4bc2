"""What operators watch: heartbeats, sweeps, and totals that survive a prune"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("chunks", sa.Column("queued_at", TIME))
    op.add_column("chunks", sa.Column("swept", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_dead_letters_reason", "dead_letters", ["reason", "replayed_at", "seen"])
    op.create_table(
        "heartbeats",
        sa.Column("process_id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("iyu_version", sa.String(32), nullable=False),
        sa.Column("model_version", sa.String(16)),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("beat_at", TIME, nullable=False),
        sa.Column("last_chunk_at", TIME),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("process_id", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "ledger_totals",
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("measure", sa.String(64), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("queue", "measure", name=op.f("pk_ledger_totals")),
    )


def downgrade() -> None:
    op.drop_table("ledger_totals")
    op.drop_table("heartbeats")
    op.drop_index("ix_dead_letters_reason", "dead_letters")
    op.drop_column("chunks", "swept")
    op.drop_column("chunks", "queued_at")
