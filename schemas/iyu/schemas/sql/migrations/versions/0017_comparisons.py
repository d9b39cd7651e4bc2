"""Comparisons of two models, stored when they are made"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

_PAIR = ("model_a", "model_b", "compared_source")


def upgrade() -> None:
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    op.create_table(
        "model_comparisons",
        *_pair(),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviews", sa.BigInteger(), nullable=False),
        sa.Column("agreement", sa.Double(), nullable=False),
        sa.Column("mean_difference", sa.Double(), nullable=False),
        sa.Column("to_positive", sa.BigInteger(), nullable=False),
        sa.Column("to_negative", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("words", json, nullable=True),
        sa.Column("scored_a", sa.BigInteger(), nullable=False),
        sa.Column("scored_b", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_PAIR, name=op.f("pk_model_comparisons")),
    )
    op.create_table(
        "model_comparison_examples",
        *_pair(),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("text_hash", sa.String(length=16), nullable=False),
        sa.Column("probability_a", sa.Double(), nullable=False),
        sa.Column("probability_b", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            *_PAIR, "source", "review_id", name=op.f("pk_model_comparison_examples")
        ),
    )


def downgrade() -> None:
    op.drop_table("model_comparison_examples")
    op.drop_table("model_comparisons")


def _pair() -> list[sa.Column[str]]:
    return [
        sa.Column("model_a", sa.String(length=16), nullable=False),
        sa.Column("model_b", sa.String(length=16), nullable=False),
        sa.Column("compared_source", sa.String(length=100), nullable=False),
    ]
