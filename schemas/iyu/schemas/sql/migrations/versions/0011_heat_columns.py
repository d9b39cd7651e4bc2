"""Heatmaps as columns of `explanations`; the views read both forms, and heat by eojeol"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, REAL

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WORDS = ("N", "V", "M", "X", "I", "U", "SL", "SH", "SN")
IS_FUNCTION = """(
    substr(t.pos, 1, 1) IN ('J', 'E', 'S')
    AND substr(t.pos, 1, 2) NOT IN ('SL', 'SH', 'SN')
    AND (t.pos NOT LIKE '%+%' OR ({no_word_after}))
)""".format(no_word_after=" AND ".join(f"t.pos NOT LIKE '%+{word}%'" for word in WORDS))

UNNESTED = {
    "sqlite": (
        ", json_each(CASE WHEN e.tokens = '[]' THEN e.heats ELSE e.tokens END) AS j",
        """j.key AS position,
           CASE WHEN e.tokens = '[]'
                THEN substr({text}, (e.starts ->> j.key) + 1,
                            (e.ends ->> j.key) - (e.starts ->> j.key))
                ELSE j.value ->> '$.surface' END AS surface,
           CASE WHEN e.tokens = '[]'
                THEN e.tags ->> j.key ELSE j.value ->> '$.pos' END AS pos,
           CASE WHEN e.tokens = '[]'
                THEN e.starts ->> j.key ELSE j.value ->> '$.start' END AS start,
           CASE WHEN e.tokens = '[]'
                THEN e.ends ->> j.key ELSE j.value ->> '$.end' END AS "end",
           CASE WHEN e.tokens = '[]' THEN j.value ELSE j.value ->> '$.heat' END AS heat""",
        """CASE WHEN e.tokens <> '[]' THEN j.value ->> '$.address'
                WHEN e.addresses IS NULL THEN NULL
                ELSE (SELECT 1 FROM json_each(e.addresses) AS a WHERE a.value = j.key) END""",
    ),
    "postgresql": (
        """
    CROSS JOIN LATERAL (
        SELECT (c.number - 1)::int AS position,
               substr({text}, c.start + 1, c."end" - c.start) AS surface,
               c.pos, c.start::int AS start, c."end"::int AS "end",
               c.heat::text::double precision AS heat,
               NULLIF((c.number - 1) = ANY (e.addresses), FALSE) AS address
        FROM unnest(e.starts, e.ends, string_to_array(e.tags, ' '), e.heats)
             WITH ORDINALITY AS c(start, "end", pos, heat, number)
        WHERE e.tokens = '[]'
        UNION ALL
        SELECT (o.number - 1)::int, o.surface, o.pos, o.start, o."end", o.heat, o.address
        FROM ROWS FROM (
            jsonb_to_recordset(e.tokens)
            AS (surface text, pos text, start int, "end" int, heat double precision,
                address boolean)
        ) WITH ORDINALITY AS o(surface, pos, start, "end", heat, address, number)
    ) AS j""",
        'j.position, j.surface, j.pos, j.start, j."end", j.heat',
        "j.address",
    ),
}

SHOWN_TOKENS = """
    SELECT s.source, s.review_id, s.model_version, e.method, s.text,
           s.probability, s.label, s.submitted_at,
           {columns}
    FROM review_scores AS s
    JOIN explanations AS e
      ON e.source = s.source AND e.review_id = s.review_id
     AND e.model_version = s.model_version AND COALESCE(e.text_hash = s.text_hash, FALSE){unnested}
"""

TOKEN_HEAT = """
CREATE VIEW token_heat AS
SELECT t.source, t.review_id, t.model_version, t.method, t.position,
       t.surface, t.pos, t.start, t."end", t.heat,
       CASE WHEN {is_function} THEN 1 ELSE 0 END AS is_function,
       t.probability, t.label, t.submitted_at
FROM ({tokens}) AS t
"""

WORD_HEAT = """
CREATE VIEW word_heat AS
SELECT w.source, w.review_id, w.model_version, w.method, w.position,
       substr(w.text, MIN(w.start) + 1, MAX(w."end") - MIN(w.start)) AS surface,
       MIN(w.start) AS start, MAX(w."end") AS "end", COUNT(*) AS tokens, SUM(w.heat) AS heat,
       w.probability, w.label, w.submitted_at
FROM (
    SELECT g.source, g.review_id, g.model_version, g.method, g.text, g.start, g."end", g.heat,
           g.probability, g.label, g.submitted_at,
           CAST(SUM(CASE WHEN g.start = g.before THEN 0 ELSE 1 END) OVER (
               PARTITION BY g.source, g.review_id, g.model_version, g.method ORDER BY g.position
           ) - 1 AS integer) AS position
    FROM (
        SELECT t.*, LAG(t."end") OVER (
            PARTITION BY t.source, t.review_id, t.model_version, t.method ORDER BY t.position
        ) AS before
        FROM ({tokens}) AS t
    ) AS g
) AS w
GROUP BY w.source, w.review_id, w.model_version, w.method, w.position, w.text,
         w.probability, w.label, w.submitted_at
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
    SELECT t.model_version, t.method, t.surface, t.pos,
           CASE WHEN {is_function} THEN 1 ELSE 0 END AS is_function,
           t.source, t.review_id, t.label, COUNT(*) AS occurrences, SUM(t.heat) AS heat
    FROM ({tokens}) AS t
    WHERE NOT ('+' || t.pos || '+' LIKE '%+SN+%')
    GROUP BY t.model_version, t.method, t.surface, t.pos, t.source, t.review_id, t.label
) AS a_word_in_a_review
GROUP BY model_version, method, surface, pos, is_function
HAVING COUNT(*) >= COALESCE((SELECT min_reviews FROM privacy), 3)
"""

OLD_IS_FUNCTION = """(
    substr(t.pos, 1, 1) IN ('J', 'E', 'S')
    AND substr(t.pos, 1, 2) NOT IN ('SL', 'SH', 'SN')
    {no_word_after}
)""".format(no_word_after="".join(f"AND t.pos NOT LIKE '%+{word}%' " for word in WORDS))

OLD_TOKENS = {
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

OLD_TOKEN_HEAT = """
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

OLD_WORD_TOKENS = {
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

#: The columns back into `tokens`, where the review still has the text that they are of.
AS_TOKENS = {
    "sqlite": """
UPDATE explanations AS e SET tokens = (
    SELECT json_group_array(json_patch(
        json_object(
            'surface', substr(r.text, (e.starts ->> j.key) + 1,
                              (e.ends ->> j.key) - (e.starts ->> j.key)),
            'start', e.starts ->> j.key, 'end', e.ends ->> j.key, 'pos', e.tags ->> j.key,
            'heat', j.value
        ),
        CASE WHEN j.key IN (SELECT a.value FROM json_each(e.addresses) AS a)
             THEN '{"address": true}' ELSE '{}' END
    ))
    FROM reviews AS r, json_each(e.heats) AS j
    WHERE r.source = e.source AND r.review_id = e.review_id AND r.text_hash = e.text_hash
)
WHERE e.tokens = '[]' AND e.starts IS NOT NULL
""",
    "postgresql": """
UPDATE explanations AS e SET tokens = COALESCE((
    SELECT jsonb_agg(
        jsonb_build_object(
            'surface', substr(r.text, j.start + 1, j."end" - j.start), 'start', j.start,
            'end', j."end", 'pos', j.pos, 'heat', j.heat::text::double precision
        ) || CASE WHEN j.number - 1 = ANY (e.addresses)
                  THEN '{"address": true}'::jsonb ELSE '{}' END
        ORDER BY j.number
    )
    FROM reviews AS r, unnest(e.starts, e.ends, string_to_array(e.tags, ' '), e.heats)
         WITH ORDINALITY AS j(start, "end", pos, heat, number)
    WHERE r.source = e.source AND r.review_id = e.review_id AND r.text_hash = e.text_hash
), '[]')
WHERE e.tokens = '[]' AND e.starts IS NOT NULL
""",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    is_sqlite = dialect == "sqlite"
    text: Any = sa.Text()
    integers = text if is_sqlite else ARRAY(sa.SmallInteger())
    for name, kind in (
        ("starts", integers),
        ("ends", integers),
        ("tags", text),
        ("heats", text if is_sqlite else ARRAY(REAL())),
        ("addresses", integers),
    ):
        op.add_column("explanations", sa.Column(name, kind, nullable=True))
    # Code from before would take a heatmap in the columns for one without tokens.
    op.execute("UPDATE table_readers SET oldest_revision = '0011'")
    _drop_views("token_heat", "keyword_importance")
    _create_views(dialect)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.execute("UPDATE table_readers SET oldest_revision = '0008'")
    _drop_views("word_heat", "token_heat", "keyword_importance")
    op.execute(AS_TOKENS[dialect])
    for name in ("starts", "ends", "tags", "heats", "addresses"):
        op.drop_column("explanations", name)
    tokens = OLD_TOKENS[dialect]
    op.execute(OLD_TOKEN_HEAT.format(is_function=OLD_IS_FUNCTION, tokens=tokens))
    tokens = OLD_WORD_TOKENS[dialect]
    op.execute(OLD_KEYWORD_IMPORTANCE.format(is_function=OLD_IS_FUNCTION, tokens=tokens))


def _drop_views(*names: str) -> None:
    for name in names:
        op.execute(f"DROP VIEW {name}")


def _create_views(dialect: str) -> None:
    unnested, columns, address = (part.format(text="s.text") for part in UNNESTED[dialect])
    heat = "CASE WHEN e.tokens = '[]' THEN j.value ELSE j.value ->> '$.heat' END"
    heat = "j.heat" if dialect == "postgresql" else heat
    tokens = SHOWN_TOKENS.format(unnested=unnested, columns=columns)
    countable = f"{tokens}    WHERE {heat} IS NOT NULL AND {address} IS NULL\n"
    for statement in (
        TOKEN_HEAT.format(is_function=IS_FUNCTION, tokens=tokens),
        WORD_HEAT.format(tokens=tokens),
        KEYWORD_IMPORTANCE.format(is_function=IS_FUNCTION, tokens=countable),
    ):
        op.execute(statement)
