"""How far tables of other systems were read"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ingest_positions",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("table_name", sa.String(length=200), nullable=False),
        sa.Column("watermark", sa.String(length=100), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "address", "table_name", name=op.f("pk_ingest_positions")
        ),
    )


def downgrade() -> None:
    op.drop_table("ingest_positions")
