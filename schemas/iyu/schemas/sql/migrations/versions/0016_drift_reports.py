"""Outcomes of comparing days with the days before"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "drift_reports",
        sa.Column("drift_report_id", row_id, autoincrement=True, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("iyu_version", sa.String(length=32), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("scope", json, nullable=False),
        sa.Column("reference_accuracy", sa.Double(), nullable=False),
        sa.Column("estimated_accuracy", sa.Double(), nullable=False),
        sa.Column("alarm", sa.Boolean(), nullable=False),
        sa.Column("noticed", json, nullable=False),
        sa.Column("figures", json, nullable=False),
        sa.PrimaryKeyConstraint("drift_report_id", name=op.f("pk_drift_reports")),
    )


def downgrade() -> None:
    op.drop_table("drift_reports")
