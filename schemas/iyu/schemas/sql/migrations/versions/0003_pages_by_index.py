"""Views that answer a page of the latest from an index"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# 0001 makes the same views today; databases made before this revision was written hold an earlier
# form of them, and get this one.


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

#: What SQLite's planner should take for granted: a million reviews of a few sources, one row a
#: review and model. Without it every index counts as poor, and pages read the whole table.
STATISTICS = {
    ("reviews", "sqlite_autoindex_reviews_1"): "1000000 250000 1",
    ("reviews", "ix_reviews_submitted_at"): "1000000 500",
    ("predictions", "sqlite_autoindex_predictions_1"): "1000000 250000 1 1",
    ("predictions", "ix_predictions_scored_at"): "1000000 500",
    ("explanations", "sqlite_autoindex_explanations_1"): "1000000 250000 1 1 1",
    ("models", "sqlite_autoindex_models_1"): "4 1",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for view in ("keyword_importance", "token_heat", "review_scores"):
        op.execute(f"DROP VIEW {view}")
    _create_views(dialect)
    if dialect == "sqlite":
        _state_statistics()


def downgrade() -> None:
    # The views stay: their columns are the same.
    if op.get_bind().dialect.name == "sqlite":
        _forget_statistics()


def _state_statistics() -> None:
    op.execute("ANALYZE models")  # makes the table of statistics
    _forget_statistics()
    for (table, index), statistic in STATISTICS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{statistic}')")
    op.execute("ANALYZE sqlite_schema")  # reads them in


def _forget_statistics() -> None:
    tables = ", ".join(f"'{table}'" for table, _ in STATISTICS)
    op.execute(f"DELETE FROM sqlite_stat1 WHERE tbl IN ({tables})")


def _create_views(dialect: str) -> None:
    op.execute(REVIEW_SCORES)
    op.execute(TOKEN_HEAT.format(is_function=IS_FUNCTION, tokens=TOKENS[dialect]))
    op.execute(KEYWORD_IMPORTANCE)
