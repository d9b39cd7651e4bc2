"""When a review was written, in the views of heat"""

from alembic import op

revision = "0018"
down_revision = "0015"
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
    ),
}

# {…_written}: the new last column, or nothing on the way back.
SHOWN_TOKENS = """
    SELECT s.source, s.review_id, s.model_version, e.method, s.text,
           s.probability, s.label, s.submitted_at{s_written},
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
       t.probability, t.label, t.submitted_at{t_written}
FROM ({tokens}) AS t
"""

WORD_HEAT = """
CREATE VIEW word_heat AS
SELECT w.source, w.review_id, w.model_version, w.method, w.position,
       substr(w.text, MIN(w.start) + 1, MAX(w."end") - MIN(w.start)) AS surface,
       MIN(w.start) AS start, MAX(w."end") AS "end", COUNT(*) AS tokens, SUM(w.heat) AS heat,
       w.probability, w.label, w.submitted_at{w_written}
FROM (
    SELECT g.source, g.review_id, g.model_version, g.method, g.text, g.start, g."end", g.heat,
           g.probability, g.label, g.submitted_at{g_written},
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
         w.probability, w.label, w.submitted_at{w_written}
"""


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, statement in _views(written=True).items():
        if is_sqlite:
            op.execute(f"DROP VIEW {name}")
            op.execute(statement)
        else:  # rights on them stay, and views of others that are built on them
            op.execute(statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))


def downgrade() -> None:
    for name, statement in _views(written=False).items():
        op.execute(f"DROP VIEW {name}")
        op.execute(statement)


def _views(*, written: bool) -> dict[str, str]:
    """Return the statements that create the views, by name."""
    columns = {f"{a}_written": f", {a}.written_at" if written else "" for a in "gstw"}
    unnested, of_token = (
        part.format(text="s.text") for part in UNNESTED[op.get_bind().dialect.name]
    )
    tokens = SHOWN_TOKENS.format(unnested=unnested, columns=of_token, **columns)
    return {
        "token_heat": TOKEN_HEAT.format(is_function=IS_FUNCTION, tokens=tokens, **columns),
        "word_heat": WORD_HEAT.format(tokens=tokens, **columns),
    }
