"""The daily figures of words"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Particles, endings and punctuation alone: no tag after a `+` is that of a word.
WORDS = ("N", "V", "M", "X", "I", "U", "SL", "SH", "SN")
IS_FUNCTION = """(
    substr(t.pos, 1, 1) IN ('J', 'E', 'S')
    AND substr(t.pos, 1, 2) NOT IN ('SL', 'SH', 'SN')
    {no_word_after}
)""".format(no_word_after="".join(f"AND t.pos NOT LIKE '%+{word}%' " for word in WORDS))

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

KEYWORD_TREND = """
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

DAY = {
    "sqlite": "substr(r.submitted_at, 1, 10)",
    "postgresql": "(r.submitted_at AT TIME ZONE 'UTC')::date",
}

FROM_EXPLANATIONS = """
SELECT model_version, method, day, surface, pos,
       COUNT(*) AS reviews, SUM(occurrences) AS occurrences, SUM(heat) AS heat,
       SUM(label) AS positive_reviews, SUM(label * occurrences) AS positive_occurrences,
       SUM(label * heat) AS positive_heat
FROM (
    SELECT t.model_version, t.method, {day} AS day, t.surface, t.pos, p.label,
           COUNT(*) AS occurrences, SUM(t.heat) AS heat
    FROM ({tokens}) AS t
    JOIN reviews AS r
      ON r.source = t.source AND r.review_id = t.review_id AND r.text_hash = t.text_hash
    JOIN predictions AS p
      ON p.source = t.source AND p.review_id = t.review_id
     AND p.model_version = t.model_version AND p.text_hash = t.text_hash
    WHERE t.heat IS NOT NULL AND NOT {is_function}
    GROUP BY t.source, t.review_id, t.model_version, t.method, {day}, t.surface, t.pos, p.label
) AS a_word_in_a_review
GROUP BY model_version, method, day, surface, pos
"""


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
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        # Read once and deleted: compressing it would only cost.
        op.execute("ALTER TABLE keyword_deltas ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.execute(KEYWORD_TREND)
    op.execute(f"INSERT INTO keyword_days {_from_explanations(dialect)}")


def downgrade() -> None:
    op.execute("DROP VIEW keyword_trend")
    op.drop_table("keyword_deltas")
    op.drop_table("keyword_days")


def _from_explanations(dialect: str) -> str:
    return FROM_EXPLANATIONS.format(
        day=DAY[dialect], tokens=TOKENS[dialect], is_function=IS_FUNCTION
    )
