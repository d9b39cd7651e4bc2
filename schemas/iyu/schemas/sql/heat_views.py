"""The views of heat: by morpheme, by eojeol, and summed by word.

A heatmap is unnested from the columns of its row, or from `tokens`, where a row from before has it
(see `heat_columns`). Each dialect does that in its own way; from there on the views are the same.
"""

from typing import Final

#: One row for each token of the explanation `e`, of the review whose text is {text}: a FROM item,
#: and the columns it gives. `address` is null outside addresses. A `real` is cast by its decimal
#: digits, so that 0.1 is 0.1 and not 0.10000000149.
_UNNESTED: Final = {
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

_WORD_TOKENS: Final = """
    SELECT e.source, e.review_id, e.model_version, e.method, e.text_hash,
           {columns}
    FROM explanations AS e
    JOIN reviews AS of_text
      ON of_text.source = e.source AND of_text.review_id = e.review_id
     AND of_text.text_hash = e.text_hash{unnested}
    WHERE {heat} IS NOT NULL AND {address} IS NULL
"""

#: A SELECT of one row for each token that the views show, with its review's score.
_SHOWN_TOKENS: Final = """
    SELECT s.source, s.review_id, s.model_version, e.method, s.text,
           s.probability, s.label, s.submitted_at{written},
           {columns}
    FROM review_scores AS s
    JOIN explanations AS e
      ON e.source = s.source AND e.review_id = s.review_id
     AND e.model_version = s.model_version AND COALESCE(e.text_hash = s.text_hash, FALSE){unnested}
"""

_TOKEN_HEAT: Final = """
CREATE VIEW token_heat AS
SELECT t.source, t.review_id, t.model_version, t.method, t.position,
       t.surface, t.pos, t.start, t."end", t.heat,
       CASE WHEN {is_function} THEN 1 ELSE 0 END AS is_function,
       t.probability, t.label, t.submitted_at, t.written_at
FROM ({tokens}) AS t
"""

# Tokens of one eojeol touch; between two of them stands a blank, which no token holds.
_WORD_HEAT: Final = """
CREATE VIEW word_heat AS
SELECT w.source, w.review_id, w.model_version, w.method, w.position,
       substr(w.text, MIN(w.start) + 1, MAX(w."end") - MIN(w.start)) AS surface,
       MIN(w.start) AS start, MAX(w."end") AS "end", COUNT(*) AS tokens, SUM(w.heat) AS heat,
       w.probability, w.label, w.submitted_at, w.written_at
FROM (
    SELECT g.source, g.review_id, g.model_version, g.method, g.text, g.start, g."end", g.heat,
           g.probability, g.label, g.submitted_at, g.written_at,
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
         w.probability, w.label, w.submitted_at, w.written_at
"""

_KEYWORD_IMPORTANCE: Final = """
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
    WHERE NOT {is_number}
    GROUP BY t.model_version, t.method, t.surface, t.pos, t.source, t.review_id, t.label
) AS a_word_in_a_review
GROUP BY model_version, method, surface, pos, is_function
HAVING COUNT(*) >= {min_reviews}
"""


def word_tokens(dialect: str) -> str:
    """Return the SELECT of tokens that may enter sums of words: with heat, in no address."""
    unnested, columns, address = _of_text(dialect, "of_text.text")
    heat = _heat(dialect)
    return _WORD_TOKENS.format(unnested=unnested, columns=columns, heat=heat, address=address)


def heat_statements(
    dialect: str, *, is_function: str, is_number: str, min_reviews: str
) -> tuple[str, ...]:
    """Return CREATE VIEW of `token_heat`, `word_heat` and `keyword_importance`."""
    unnested, columns, address = _of_text(dialect, "s.text")
    tokens = _SHOWN_TOKENS.format(unnested=unnested, columns=columns, written=", s.written_at")
    countable = _SHOWN_TOKENS.format(unnested=unnested, columns=columns, written="")
    countable += f"    WHERE {_heat(dialect)} IS NOT NULL AND {address} IS NULL\n"
    return (
        _TOKEN_HEAT.format(is_function=is_function, tokens=tokens),
        _WORD_HEAT.format(tokens=tokens),
        _KEYWORD_IMPORTANCE.format(
            is_function=is_function,
            is_number=is_number,
            tokens=countable,
            min_reviews=min_reviews,
        ),
    )


def _of_text(dialect: str, text: str) -> tuple[str, str, str]:
    unnested, columns, address = _UNNESTED[dialect]
    return unnested.format(text=text), columns.format(text=text), address


def _heat(dialect: str) -> str:
    if dialect == "postgresql":
        return "j.heat"
    return "CASE WHEN e.tokens = '[]' THEN j.value ELSE j.value ->> '$.heat' END"
