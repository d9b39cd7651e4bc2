"""The daily figures of words"""

import sqlalchemy as sa
from alembic import op

from iyu.schemas.sql.keyword_days import KEYWORD_TREND, from_explanations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keyword_days",
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("pos", sa.String(length=100), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("heat", sa.Double(), nullable=False),
        sa.Column("positive_reviews", sa.Integer(), nullable=False),
        sa.Column("positive_occurrences", sa.Integer(), nullable=False),
        sa.Column("positive_heat", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "model_version", "method", "day", "surface", "pos", name=op.f("pk_keyword_days")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "keyword_deltas",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyword_deltas")),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Read once and deleted: compressing it would only cost.
        op.execute("ALTER TABLE keyword_deltas ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.execute(KEYWORD_TREND)
    op.execute(f"INSERT INTO keyword_days {from_explanations(op.get_bind().dialect.name)}")


def downgrade() -> None:
    op.execute("DROP VIEW keyword_trend")
    op.drop_table("keyword_deltas")
    op.drop_table("keyword_days")
