"""The SQL views that other systems read: the same columns on SQLite and PostgreSQL.

A score is shown only beside the text it was computed on (`text_hash`); of several models that
scored this text, the one activated last is shown.
"""

from typing import Final

from iyu.schemas.contract.morpheme_tags import (
    FUNCTION_LETTERS,
    NUMBER,
    WORD_PREFIXES,
    WORD_SYMBOLS,
)
from iyu.schemas.sql.heat_views import heat_statements, word_tokens

#: `contract.morpheme_tags.is_function` in SQL, of the column `t.pos`. Few tags are contractions:
#: the others are spared nine comparisons.
IS_FUNCTION: Final = """(
    substr(t.pos, 1, 1) IN ({letters})
    AND substr(t.pos, 1, 2) NOT IN ({symbols})
    AND (t.pos NOT LIKE '%+%' OR ({no_word_after}))
)""".format(
    letters=", ".join(f"'{letter}'" for letter in FUNCTION_LETTERS),
    symbols=", ".join(f"'{tag}'" for tag in WORD_SYMBOLS),
    no_word_after=" AND ".join(f"t.pos NOT LIKE '%+{prefix}%'" for prefix in WORD_PREFIXES),
)

#: Whether a tag is that of a number, alone or in a contraction, of the column `t.pos`.
IS_NUMBER: Final = f"'+' || t.pos || '+' LIKE '%+{NUMBER}+%'"
#: `contract.morpheme_tags.is_counted` in SQL, of the column `t.pos`.
IS_COUNTED: Final = f"(NOT {IS_FUNCTION} AND NOT {IS_NUMBER})"

#: Reviews that must hold a word before the views of words show it, until `privacy` has a row.
MIN_REVIEWS: Final = 3
_MIN_REVIEWS: Final = f"COALESCE((SELECT min_reviews FROM privacy), {MIN_REVIEWS})"

#: An equality whose selectivity PostgreSQL does not estimate. With a plain one it expects the
#: join to give one row in a million, and reads whole tables for a page of the latest.
_SAME_TEXT: Final = "COALESCE({}.text_hash = {}.text_hash, FALSE)"

# The second condition is evaluated only where the first fails: never where all scores are of the
# model activated last.
REVIEW_SCORES: Final = """
CREATE VIEW review_scores AS
SELECT r.source, r.review_id, r.text, r.text_hash, r.submitted_at, r.batch_id,
       p.model_version, m.name AS model, p.probability, p.logit, p.label,
       p.token_count, p.unknown_count, p.truncated, p.scored_at, r.written_at
FROM reviews AS r
JOIN predictions AS p
  ON p.source = r.source AND p.review_id = r.review_id AND {same_text}
JOIN models AS m
  ON m.model_version = p.model_version AND m.activated_at IS NOT NULL
WHERE m.activated_at = (SELECT MAX(activated_at) FROM models)
   OR NOT EXISTS (
    SELECT 1 FROM models AS newer
    JOIN predictions AS q ON q.model_version = newer.model_version
    WHERE newer.activated_at > m.activated_at
      AND q.source = r.source AND q.review_id = r.review_id AND q.text_hash = r.text_hash
)
""".format(same_text=_SAME_TEXT.format("p", "r"))

#: Tokens that may enter sums of words, by dialect.
WORD_TOKENS: Final = {dialect: word_tokens(dialect) for dialect in ("sqlite", "postgresql")}

#: Enough reviews hold the word over all days: a join and a condition, by dialect. SQLite looks a
#: word up unless one day's reviews are enough already; PostgreSQL is faster with one hash join.
_COMMON: Final = {
    "sqlite": {
        "join": "",
        "is_common": f"""(
    d.reviews >= {_MIN_REVIEWS} OR EXISTS (
        SELECT 1 FROM keyword_totals AS t
        WHERE t.model_version = d.model_version AND t.method = d.method
          AND t.surface = d.surface AND t.pos = d.pos
          AND t.reviews >= {_MIN_REVIEWS}
    )
)""",
    },
    "postgresql": {
        "join": """JOIN keyword_totals AS t
  ON t.model_version = d.model_version AND t.method = d.method
 AND t.surface = d.surface AND t.pos = d.pos""",
        "is_common": f"t.reviews >= {_MIN_REVIEWS}",
    },
}

# Sums over sources, and the model that serves alone: its part of the key is then given.
_KEYWORD_TREND: Final = """
CREATE VIEW keyword_trend AS
SELECT m.name AS model, d.model_version, d.method, d.day, d.surface, d.pos,
       d.reviews, d.occurrences, d.heat / d.occurrences AS mean_heat, d.heat AS total_heat,
       d.positive_reviews, d.reviews - d.positive_reviews AS negative_reviews,
       d.positive_occurrences, d.occurrences - d.positive_occurrences AS negative_occurrences,
       d.positive_heat AS positive_total_heat, d.heat - d.positive_heat AS negative_total_heat
FROM (
    SELECT model_version, method, day, surface, pos,
           CAST(SUM(reviews) AS integer) AS reviews,
           CAST(SUM(occurrences) AS integer) AS occurrences, SUM(heat) AS heat,
           CAST(SUM(positive_reviews) AS integer) AS positive_reviews,
           CAST(SUM(positive_occurrences) AS integer) AS positive_occurrences,
           SUM(positive_heat) AS positive_heat
    FROM keyword_days
    GROUP BY model_version, method, day, surface, pos
) AS d
JOIN models AS m ON m.model_version = d.model_version
{join}
WHERE m.model_version = (
    SELECT model_version FROM models WHERE activated_at IS NOT NULL
    ORDER BY activated_at DESC, model_version LIMIT 1
) AND d.reviews > 0 AND {is_common}
"""

#: One row a line of the feed; xid and id are in the order in which it may be read.
_RESULTS: Final = """
CREATE VIEW results AS
SELECT {xid} AS xid, e.id, {position} AS position, e.kind, e.happened_at, e.source, {review_id}
       AS review_id, s.text, s.submitted_at, s.model, s.model_version, s.probability, s.label,
       s.written_at
FROM result_events AS e
CROSS JOIN {unnested}
JOIN review_scores AS s ON s.source = e.source AND s.review_id = {review_id}
WHERE e.kind = 'scored' {settled}
UNION ALL
SELECT {xid}, e.id, COALESCE({position}, 0), e.kind, e.happened_at, e.source, {review_id},
       NULL, NULL, NULL, e.model_version, NULL, NULL, NULL
FROM result_events AS e
LEFT JOIN {unnested} ON {true}
WHERE e.kind <> 'scored' {settled}
"""
_RESULTS_WORDS: Final = {
    "sqlite": {
        "xid": "e.xid",
        "position": "r.key",
        "review_id": "r.value",
        "unnested": "json_each(e.review_ids) AS r",
        "true": "TRUE",
        "settled": "",
    },
    "postgresql": {
        "xid": "e.xid::text::bigint",
        "position": "(r.number - 1)::int",
        "review_id": "r.review_id",
        "unnested": "LATERAL jsonb_array_elements_text(e.review_ids) WITH ORDINALITY "
        "AS r(review_id, number)",
        "true": "TRUE",
        "settled": "AND e.xid < pg_snapshot_xmin(pg_current_snapshot())",
    },
}

#: The Monday (UTC) of the week in which a review was written, or else came in, by dialect.
_WEEK: Final = {
    "sqlite": "date(COALESCE(r.written_at, r.submitted_at), 'weekday 0', '-6 days')",
    "postgresql": "date_trunc('week', "
    "COALESCE(r.written_at, r.submitted_at) AT TIME ZONE 'UTC')::date",
}

#: A label beside the scores of the text it was given to, by every model.
_LABELLED_SCORES: Final = """
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

# The area under the ROC curve from ranks: of equal probabilities each has their mean rank.
_MODEL_QUALITY: Final = """
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

NAMES: Final = (
    "review_scores", "token_heat", "word_heat", "keyword_importance", "keyword_trend", "results",
    "labelled_scores", "model_quality",
)  # fmt: skip


def create_statements(dialect: str) -> tuple[str, ...]:
    """Return the CREATE VIEW statements for `sqlite` or `postgresql`, in order.

    As with `tables`, this is what the migrations must have made at the end; they do not read it.
    """
    heat = heat_statements(
        dialect,
        is_function=IS_FUNCTION,
        is_number=f"({IS_NUMBER})",
        min_reviews=_MIN_REVIEWS,
    )
    trend = _KEYWORD_TREND.format(**_COMMON[dialect])
    results = _RESULTS.format(**_RESULTS_WORDS[dialect])
    labelled = _LABELLED_SCORES.format(week=_WEEK[dialect])
    return REVIEW_SCORES, *heat, trend, results, labelled, _MODEL_QUALITY
