"""Words that may be a person's: numbers and addresses leave the sums, rare words the views"""

import re
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: Particles, endings and punctuation alone: no tag after a `+` is that of a word.
WORDS = ("N", "V", "M", "X", "I", "U", "SL", "SH", "SN")
IS_FUNCTION = """(
    substr(t.pos, 1, 1) IN ('J', 'E', 'S')
    AND substr(t.pos, 1, 2) NOT IN ('SL', 'SH', 'SN')
    {no_word_after}
)""".format(no_word_after="".join(f"AND t.pos NOT LIKE '%+{word}%' " for word in WORDS))

WORD_TOKENS = {
    "sqlite": """
    SELECT e.source, e.review_id, e.model_version, e.method, e.text_hash,
           j.value ->> '$.surface' AS surface, j.value ->> '$.pos' AS pos,
           j.value ->> '$.heat' AS heat
    FROM explanations AS e, json_each(e.tokens) AS j
    WHERE j.value ->> '$.heat' IS NOT NULL AND j.value ->> '$.address' IS NULL
""",
    "postgresql": """
    SELECT e.source, e.review_id, e.model_version, e.method, e.text_hash,
           j.surface, j.pos, j.heat
    FROM explanations AS e
    CROSS JOIN LATERAL jsonb_to_recordset(e.tokens)
        AS j(surface text, pos text, heat double precision, address boolean)
    WHERE j.heat IS NOT NULL AND j.address IS NULL
""",
}

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
    SELECT t.model_version, t.method, t.surface, t.pos,
           CASE WHEN {is_function} THEN 1 ELSE 0 END AS is_function,
           s.source, s.review_id, s.label, COUNT(*) AS occurrences, SUM(t.heat) AS heat
    FROM review_scores AS s
    JOIN ({tokens}) AS t
      ON t.source = s.source AND t.review_id = s.review_id
     AND t.model_version = s.model_version AND COALESCE(t.text_hash = s.text_hash, FALSE)
    WHERE NOT ('+' || t.pos || '+' LIKE '%+SN+%')
    GROUP BY t.model_version, t.method, t.surface, t.pos, s.source, s.review_id, s.label
) AS a_word_in_a_review
GROUP BY model_version, method, surface, pos, is_function
HAVING COUNT(*) >= COALESCE((SELECT min_reviews FROM privacy), 3)
"""

KEYWORD_TREND = """
CREATE VIEW keyword_trend AS
SELECT m.name AS model, d.model_version, d.method, d.day, d.surface, d.pos,
       d.reviews, d.occurrences, d.heat / d.occurrences AS mean_heat, d.heat AS total_heat,
       d.positive_reviews, d.reviews - d.positive_reviews AS negative_reviews,
       d.positive_occurrences, d.occurrences - d.positive_occurrences AS negative_occurrences,
       d.positive_heat AS positive_total_heat, d.heat - d.positive_heat AS negative_total_heat
FROM keyword_days AS d
JOIN models AS m ON m.model_version = d.model_version
{join}
WHERE m.model_version = (
    SELECT model_version FROM models WHERE activated_at IS NOT NULL
    ORDER BY activated_at DESC, model_version LIMIT 1
) AND d.reviews > 0 AND {is_common}
"""
COMMON = {
    "sqlite": {
        "join": "",
        "is_common": """(
    d.reviews >= COALESCE((SELECT min_reviews FROM privacy), 3) OR EXISTS (
        SELECT 1 FROM keyword_totals AS t
        WHERE t.model_version = d.model_version AND t.method = d.method
          AND t.surface = d.surface AND t.pos = d.pos
          AND t.reviews >= COALESCE((SELECT min_reviews FROM privacy), 3)
    )
)""",
    },
    "postgresql": {
        "join": """JOIN keyword_totals AS t
  ON t.model_version = d.model_version AND t.method = d.method
 AND t.surface = d.surface AND t.pos = d.pos""",
        "is_common": "t.reviews >= COALESCE((SELECT min_reviews FROM privacy), 3)",
    },
}

OLD_KEYWORD_IMPORTANCE = """
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

OLD_KEYWORD_TREND = """
CREATE VIEW keyword_trend AS
SELECT m.name AS model, d.model_version, d.method, d.day, d.surface, d.pos,
       d.reviews, d.occurrences, d.heat / d.occurrences AS mean_heat, d.heat AS total_heat,
       d.positive_reviews, d.reviews - d.positive_reviews AS negative_reviews,
       d.positive_occurrences, d.occurrences - d.positive_occurrences AS negative_occurrences,
       d.positive_heat AS positive_total_heat, d.heat - d.positive_heat AS negative_total_heat
FROM keyword_days AS d
JOIN models AS m ON m.model_version = d.model_version
WHERE m.model_version = (
    SELECT model_version FROM models WHERE activated_at IS NOT NULL
    ORDER BY activated_at DESC, model_version LIMIT 1
) AND d.reviews > 0
"""

ADDRESS = re.compile(
    r"[@＠]|://|www\.|[a-z0-9]\."
    r"(?:com|net|org|kr|jp|cn|us|io|me|tv|co|info|biz|app|dev|shop|store|xyz|ly|gl|be)(?![a-z0-9])",
    re.IGNORECASE | re.ASCII,
)

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
REVIEWS = sa.table(
    "reviews",
    *(sa.column(name) for name in ("source", "review_id", "text", "text_hash")),
    sa.column("submitted_at", TIME),
)
KEY = ("source", "review_id", "model_version", "text_hash")
EXPLANATIONS = sa.table(
    "explanations", *(sa.column(name) for name in (*KEY, "method")), sa.column("tokens", JSON)
)
PREDICTIONS = sa.table("predictions", *(sa.column(name) for name in (*KEY, "label")))
DELTAS = sa.table("keyword_deltas", sa.column("payload", sa.LargeBinary))
TOTALS = """
INSERT INTO keyword_totals (model_version, method, surface, pos, reviews)
SELECT model_version, method, surface, pos, SUM(reviews) FROM keyword_days
GROUP BY model_version, method, surface, pos HAVING SUM(reviews) <> 0
"""


def upgrade() -> None:
    _create_tables()
    op.execute("DELETE FROM keyword_days WHERE '+' || pos || '+' LIKE '%+SN+%'")
    op.execute(TOTALS)
    _take_back_addresses(op.get_bind())
    dialect = op.get_bind().dialect.name
    importance = KEYWORD_IMPORTANCE.format(is_function=IS_FUNCTION, tokens=WORD_TOKENS[dialect])
    _replace_views(importance, KEYWORD_TREND.format(**COMMON[dialect]))


def downgrade() -> None:
    # What was taken out of the sums is not counted again.
    _replace_views(OLD_KEYWORD_IMPORTANCE, OLD_KEYWORD_TREND)
    op.drop_table("privacy")
    op.drop_table("keyword_totals")


def _create_tables() -> None:
    op.create_table(
        "keyword_totals",
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("pos", sa.String(length=100), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "model_version", "method", "surface", "pos", name=op.f("pk_keyword_totals")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "privacy",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("min_reviews", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy")),
    )


def _replace_views(importance: str, trend: str) -> None:
    op.execute("DROP VIEW keyword_trend")
    op.execute("DROP VIEW keyword_importance")
    op.execute(importance)
    op.execute(trend)


def _take_back_addresses(connection: sa.Connection) -> None:
    """Mark the tokens of addresses in stored heatmaps, and write what their words had added."""
    found = [
        row
        for row in connection.execute(sa.select(REVIEWS).execution_options(yield_per=5_000))
        if ADDRESS.search(row.text)
    ]
    for review in found:
        e, p = EXPLANATIONS.c, PREDICTIONS.c
        scored = sa.and_(*(p[name] == e[name] for name in KEY))
        heatmaps = connection.execute(
            sa.select(EXPLANATIONS, p.label)
            .select_from(EXPLANATIONS.outerjoin(PREDICTIONS, scored))
            .where(
                e.source == review.source,
                e.review_id == review.review_id,
                e.text_hash == review.text_hash,
            )
        ).all()
        for heatmap in heatmaps:
            _take_back(connection, review, heatmap)


def _take_back(connection: sa.Connection, review: sa.Row[Any], heatmap: sa.Row[Any]) -> None:
    runs = [m.span() for m in re.finditer(r"\S+", review.text) if ADDRESS.search(m.group())]
    tokens: list[dict[str, Any]] = heatmap.tokens
    words: dict[str, list[float]] = {}
    for token in tokens:
        if any(token["start"] < end and token["end"] > begin for begin, end in runs):
            token["address"] = True
            if token["heat"] is not None and _counted(token["pos"]):
                words.setdefault(f"{token['surface']}\t{token['pos']}", []).append(token["heat"])
    e = EXPLANATIONS.c
    same = [e[name] == heatmap._mapping[name] for name in ("source", "review_id", "model_version")]
    marked = sa.update(EXPLANATIONS).where(*same, e.method == heatmap.method)
    connection.execute(marked.values(tokens=tokens))
    if words and heatmap.label is not None:
        day = review.submitted_at.strftime("%Y-%m-%d")
        figures = [[1] * len(words), [len(h) for h in words.values()], [*map(sum, words.values())]]
        group = [heatmap.model_version, heatmap.method, day, heatmap.label, -1]
        payload = orjson.dumps([[*group, "\n".join(words), *figures]])
        connection.execute(sa.insert(DELTAS).values(payload=payload))


def _counted(pos: str) -> bool:
    parts = pos.split("+")
    grammar = all(p[:1] in ("J", "E", "S") and p[:2] not in ("SL", "SH", "SN") for p in parts)
    return not grammar and "SN" not in parts
