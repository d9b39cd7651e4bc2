"""Outcomes of verifications; labels that come later, and what they say of each model"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WEEK = {
    "sqlite": "date(COALESCE(r.written_at, r.submitted_at), 'weekday 0', '-6 days')",
    "postgresql": "date_trunc('week', "
    "COALESCE(r.written_at, r.submitted_at) AT TIME ZONE 'UTC')::date",
}
_LABELLED_SCORES = """
CREATE VIEW labelled_scores AS
SELECT l.source, l.review_id, p.model_version, m.name AS model, {week} AS week,
       r.submitted_at, r.written_at, l.label, p.label AS predicted_label, p.probability
FROM labels AS l
JOIN reviews AS r
  ON r.source = l.source AND r.review_id = l.review_id AND r.text_hash = l.text_hash
JOIN predictions AS p
  ON p.source = l.source AND p.review_id = l.review_id AND p.text_hash = l.text_hash
JOIN models AS m ON m.model_version = p.model_version
"""
_MODEL_QUALITY = """
CREATE VIEW model_quality AS
SELECT model_version, model, source, week, COUNT(*) AS reviews, SUM(label) AS positive_reviews,
       AVG(CASE WHEN label = predicted_label THEN 1.0 ELSE 0.0 END) AS accuracy,
       (SUM(label * mean_rank) - SUM(label) * (SUM(label) + 1) / 2.0)
         / NULLIF(SUM(label) * (COUNT(*) - SUM(label)), 0) AS auc,
       AVG(probability) AS mean_probability, AVG(label * 1.0) AS positive_share,
       AVG(probability) - AVG(label * 1.0) AS calibration_gap
FROM (
    SELECT model_version, model, source, week, label, predicted_label, probability,
           RANK() OVER (PARTITION BY model_version, source, week ORDER BY probability)
             + (COUNT(*) OVER (PARTITION BY model_version, source, week, probability) - 1) / 2.0
             AS mean_rank
    FROM labelled_scores
) AS ranked
GROUP BY model_version, model, source, week
"""


def upgrade() -> None:
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "verifications",
        sa.Column("verification_id", row_id, autoincrement=True, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("iyu_version", sa.String(length=32), nullable=False),
        sa.Column("scope", json, nullable=False),
        sa.Column("rows_checked", sa.BigInteger(), nullable=False),
        sa.Column("rows_scored", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("found", json, nullable=False),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_verifications")),
    )
    op.create_table(
        "labels",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("label", sa.Integer(), nullable=False),
        sa.Column("text_hash", sa.String(length=16), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "review_id", name=op.f("pk_labels")),
    )
    op.execute(_LABELLED_SCORES.format(week=_WEEK[op.get_bind().dialect.name]))
    op.execute(_MODEL_QUALITY)


def downgrade() -> None:
    op.execute("DROP VIEW model_quality")
    op.execute("DROP VIEW labelled_scores")
    op.drop_table("labels")
    op.drop_table("verifications")
