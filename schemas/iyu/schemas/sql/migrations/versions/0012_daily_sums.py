"""Daily sums of words by source with their squares, and daily sums of reviews"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FIGURES: tuple[tuple[str, Any], ...] = (
    ("reviews", sa.Integer()),
    ("occurrences", sa.Integer()),
    ("heat", sa.Double()),
    ("positive_reviews", sa.Integer()),
    ("positive_occurrences", sa.Integer()),
    ("positive_heat", sa.Double()),
)
WORD: tuple[tuple[str, Any], ...] = (
    ("model_version", sa.String(length=16)),
    ("method", sa.String(length=32)),
    ("day", sa.Date()),
    ("surface", sa.Text()),
    ("pos", sa.String(length=100)),
)
SUMS_OF_REVIEWS: tuple[tuple[str, Any], ...] = (
    ("reviews", sa.Integer()),
    ("positive_reviews", sa.Integer()),
    ("tokens", sa.BigInteger()),
    ("unknown_tokens", sa.BigInteger()),
    ("truncated_reviews", sa.Integer()),
    ("probability", sa.Double()),
    ("probability_squared", sa.Double()),
)
#: Old sums keep counting, under a source that nobody knows, until their day is counted anew.
COPY = """
INSERT INTO {new} ({names}, source, heat_squared) SELECT {names}, '', 0 FROM keyword_days
"""
COPY_BACK = """
INSERT INTO {new} ({names})
SELECT {key}, {sums} FROM keyword_days GROUP BY {key}
"""
DAY = {
    "sqlite": "substr(submitted_at, 1, 10)",
    "postgresql": "(submitted_at AT TIME ZONE 'UTC')::date",
}
MARK = """
INSERT INTO days_to_recount (day) SELECT {day} FROM reviews UNION SELECT day FROM keyword_days
"""

KEYWORD_TREND = """
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
OLD_KEYWORD_TREND = """
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


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    _lock(dialect)
    op.execute("DROP VIEW keyword_trend")
    key = (*WORD, ("source", sa.String(length=100)))
    _replace_keyword_days(dialect, key, (*FIGURES, ("heat_squared", sa.Double())), COPY)
    op.execute(KEYWORD_TREND.format(**COMMON[dialect]))
    _create_tables()
    op.execute(MARK.format(day=DAY[dialect]))
    # `table_readers` stays: workers from before go on. They write deltas as ever, are refused where
    # they would add them to the sums, and leave that to a worker of today.


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    _lock(dialect)
    op.execute("DROP VIEW keyword_trend")
    for table in ("days_to_recount", "day_deltas", "review_days"):
        op.drop_table(table)
    _replace_keyword_days(dialect, WORD, FIGURES, COPY_BACK)
    op.execute(OLD_KEYWORD_TREND.format(**COMMON[dialect]))


def _lock(dialect: str) -> None:
    """Let no worker add to the sums between their copy and the end."""
    if dialect == "postgresql":
        op.execute("LOCK TABLE keyword_days IN ACCESS EXCLUSIVE MODE")


def _replace_keyword_days(
    dialect: str, key: tuple[Any, ...], figures: tuple[Any, ...], copy: str
) -> None:
    # An index keeps its name on PostgreSQL, and the old table has the name until it is dropped.
    on_sqlite = dialect == "sqlite"
    name = "pk_keyword_days" if on_sqlite else "pk_keyword_days_new"
    op.create_table(
        "keyword_days_new",
        *(sa.Column(column, kind, nullable=False) for column, kind in (*key, *figures)),
        sa.PrimaryKeyConstraint(*(column for column, _ in key), name=op.f(name)),
        sqlite_with_rowid=False,
    )
    words = {
        "new": "keyword_days_new",
        "names": ", ".join(column for column, _ in (*WORD, *FIGURES)),
        "key": ", ".join(column for column, _ in WORD),
        "sums": ", ".join(f"SUM({column})" for column, _ in FIGURES),
    }
    op.execute(copy.format(**words))
    op.drop_table("keyword_days")
    op.rename_table("keyword_days_new", "keyword_days")
    if not on_sqlite:
        op.execute("ALTER TABLE keyword_days RENAME CONSTRAINT " + name + " TO pk_keyword_days")


def _create_tables() -> None:
    op.create_table(
        "review_days",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in SUMS_OF_REVIEWS),
        sa.PrimaryKeyConstraint("source", "day", "model_version", name=op.f("pk_review_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "day_deltas",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_deltas")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "days_to_recount",
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_days_to_recount")),
    )
