"""The tables and views other systems rely on"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Particles, endings and punctuation alone: no tag after a `+` is that of a word.
WORDS = ("N", "V", "M", "X", "I", "U", "SL", "SH", "SN")
IS_FUNCTION = """(
    substr(t.pos, 1, 1) IN ('J', 'E', 'S')
    AND substr(t.pos, 1, 2) NOT IN ('SL', 'SH', 'SN')
    {no_word_after}
)""".format(no_word_after="".join(f"AND t.pos NOT LIKE '%+{word}%' " for word in WORDS))

REVIEW_SCORES = """
CREATE VIEW review_scores AS
SELECT r.source, r.review_id, r.text, r.text_hash, r.submitted_at, r.batch_id,
       p.model_version, m.name AS model, p.probability, p.logit, p.label,
       p.token_count, p.unknown_count, p.truncated, p.scored_at
FROM reviews AS r
JOIN predictions AS p
  ON p.source = r.source AND p.review_id = r.review_id AND \
COALESCE(p.text_hash = r.text_hash, FALSE)
JOIN models AS m
  ON m.model_version = p.model_version AND m.activated_at IS NOT NULL
WHERE m.activated_at = (SELECT MAX(activated_at) FROM models)
   OR NOT EXISTS (
    SELECT 1 FROM models AS newer
    JOIN predictions AS q ON q.model_version = newer.model_version
    WHERE newer.activated_at > m.activated_at
      AND q.source = r.source AND q.review_id = r.review_id AND q.text_hash = r.text_hash
)
"""

TOKENS = {
    "sqlite": """
    SELECT e.source, e.review_id, e.model_version, e.method, e.text_hash,
           j.key AS position,
           j.value ->> '$.surface' AS surface, j.value ->> '$.pos' AS pos,
           j.value ->> '$.start' AS start, j.value ->> '$.end' AS "end",
           j.value ->> '$.heat' AS heat
    FROM explanations AS e, json_each(e.tokens) AS j
""",
    "postgresql": """
    SELECT e.source, e.review_id, e.model_version, e.method, e.text_hash,
           (j.number - 1)::int AS position, j.surface, j.pos, j.start, j."end", j.heat
    FROM explanations AS e
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_to_recordset(e.tokens)
        AS (surface text, pos text, start int, "end" int, heat double precision)
    ) WITH ORDINALITY AS j(surface, pos, start, "end", heat, number)
""",
}

TOKEN_HEAT = """
CREATE VIEW token_heat AS
SELECT t.source, t.review_id, t.model_version, t.method, t.position,
       t.surface, t.pos, t.start, t."end", t.heat,
       CASE WHEN {is_function} THEN 1 ELSE 0 END AS is_function,
       s.probability, s.label, s.submitted_at
FROM review_scores AS s
JOIN ({tokens}) AS t
  ON t.source = s.source AND t.review_id = s.review_id
 AND t.model_version = s.model_version AND COALESCE(t.text_hash = s.text_hash, FALSE)
"""

KEYWORD_IMPORTANCE = """
CREATE VIEW keyword_importance AS
SELECT model_version, method, surface, pos, is_function,
       COUNT(*) AS reviews, SUM(occurrences) AS occurrences,
       SUM(heat) / SUM(occurrences) AS mean_heat, SUM(heat) AS total_heat,
       SUM(label) AS positive_reviews,
       COUNT(*) - SUM(label) AS negative_reviews,
       SUM(CASE WHEN label = 1 THEN heat END)
         / SUM(CASE WHEN label = 1 THEN occurrences END) AS positive_mean_heat,
       SUM(CASE WHEN label = 1 THEN heat END) AS positive_total_heat,
       SUM(CASE WHEN label = 0 THEN heat END)
         / SUM(CASE WHEN label = 0 THEN occurrences END) AS negative_mean_heat,
       SUM(CASE WHEN label = 0 THEN heat END) AS negative_total_heat
FROM (
    SELECT model_version, method, surface, pos, is_function, source, review_id, label,
           COUNT(*) AS occurrences, SUM(heat) AS heat
    FROM token_heat
    WHERE heat IS NOT NULL
    GROUP BY model_version, method, surface, pos, is_function, source, review_id, label
) AS a_word_in_a_review
GROUP BY model_version, method, surface, pos, is_function
"""


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
    )
    op.create_table(
        "chunks",
        sa.Column("chunk_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("batch_id", sa.String(length=36), nullable=True),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("review_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_chunks")),
    )
    op.create_index("ix_chunks_batch_id", "chunks", ["batch_id"], unique=False)
    op.create_index("ix_chunks_finished_at", "chunks", ["finished_at"], unique=False)
    op.create_index(
        "ix_chunks_open",
        "chunks",
        ["state", "published_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )

    op.create_table(
        "dead_letters",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("review_id", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("chunk_id", sa.String(length=36), nullable=True),
        sa.Column("batch_id", sa.String(length=36), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_dead_letters_fingerprint")),
    )
    op.create_index(
        "ix_dead_letters_source_review_id", "dead_letters", ["source", "review_id"], unique=False
    )

    op.create_table(
        "explanations",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("layers", sa.String(length=100), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column(
            "tokens", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("comprehensiveness", sa.Double(), nullable=True),
        sa.Column("sufficiency", sa.Double(), nullable=True),
        sa.Column("pad_heat", sa.Double(), nullable=False),
        sa.Column("completeness_gap", sa.Double(), nullable=True),
        sa.Column("text_hash", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "review_id", "model_version", "method", name=op.f("pk_explanations")
        ),
    )
    op.create_table(
        "models",
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "manifest", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("model_version", name=op.f("pk_models")),
    )
    op.create_table(
        "predictions",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("logit", sa.Double(), nullable=False),
        sa.Column("label", sa.Integer(), nullable=False),
        sa.Column("token_count", sa.Integer(), nullable=False),
        sa.Column("unknown_count", sa.Integer(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("text_hash", sa.String(length=16), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "review_id", "model_version", name=op.f("pk_predictions")
        ),
    )
    op.create_index("ix_predictions_scored_at", "predictions", ["scored_at"], unique=False)

    op.create_table(
        "resubmissions",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "review_id", name=op.f("pk_resubmissions")),
    )
    op.create_table(
        "reviews",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("review_id", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=16), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("source", "review_id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_submitted_at", "reviews", ["submitted_at"], unique=False)
    _create_views(op.get_bind().dialect.name)


def downgrade() -> None:
    for view in ("keyword_importance", "token_heat", "review_scores"):
        op.execute(f"DROP VIEW {view}")
    for table in (
        "reviews",
        "resubmissions",
        "predictions",
        "models",
        "explanations",
        "dead_letters",
        "chunks",
        "batches",
    ):
        op.drop_table(table)


def _create_views(dialect: str) -> None:
    op.execute(REVIEW_SCORES)
    op.execute(TOKEN_HEAT.format(is_function=IS_FUNCTION, tokens=TOKENS[dialect]))
    op.execute(KEYWORD_IMPORTANCE)
