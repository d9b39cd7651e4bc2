"""How many reviews there are: by day, source and model. The one place that counts them.

Counts come from the daily sums. Of a day on which models overlap, or that is to be counted anew
(`iyu db recount`), the scores themselves are counted: slower, and never wrong.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, run
from iyu.schemas.sql.review_day import day_sql, is_on_day
from iyu.schemas.sql.review_days import ALL_MODELS

_COLUMNS: Final = ("day", "source", "reviews", "positive_reviews")
#: Where the sums can tell: the model activated last of those that scored any review of the day
#: and source has scored them all.
_BY_SUMS: Final = """
    SELECT d.day, d.source, d.reviews, d.positive_reviews
    FROM review_days AS d
    JOIN models AS m ON m.model_version = d.model_version AND m.activated_at IS NOT NULL
    JOIN review_days AS every
      ON every.source = d.source AND every.day = d.day AND every.model_version = :all_models
    WHERE d.day >= :since AND d.day <= :until{of}
      AND d.reviews > 0 AND d.reviews = every.reviews
      AND NOT EXISTS (
          SELECT 1 FROM review_days AS other
          JOIN models AS newer ON newer.model_version = other.model_version
          WHERE other.source = d.source AND other.day = d.day AND other.reviews > 0
            AND newer.activated_at > m.activated_at)
    ORDER BY d.day, d.source
"""
_DAYS: Final = """
    SELECT d.day, d.source FROM review_days AS d
    WHERE d.day >= :since AND d.day <= :until{of}
      AND d.model_version = :all_models AND d.reviews > 0
"""

#: A step through the key for each source, however many days it has.
_NEWEST_DAYS: Final = """
    WITH RECURSIVE s (source) AS (
        SELECT MIN(source) FROM review_days
        UNION ALL
        SELECT (SELECT MIN(d.source) FROM review_days AS d WHERE d.source > s.source)
        FROM s WHERE s.source IS NOT NULL
    ), newest (day) AS (
        SELECT (SELECT d.day FROM review_days AS d
                WHERE d.source = s.source AND d.model_version = :all_models AND d.reviews > 0
                ORDER BY d.day DESC LIMIT 1)
        FROM s
    )
    SELECT (SELECT MAX(day) FROM newest) AS summed,
           (SELECT MAX(day) FROM days_to_recount) AS to_recount
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, both included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> "Period":
        """As many days, ending where this begins."""
        return Period(self.since - timedelta(self.days), self.since - timedelta(1))

    @property
    def begin(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.since, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(1), time(), UTC)

    def each_day(self) -> list[date]:
        """Return its days in order."""
        return [self.since + timedelta(n) for n in range(self.days)]


def count_days(connection: Connection, period: Period, source: str | None = None) -> Answer:
    """Count reviews and positive ones by day and source, by the scores that the views show.

    Columns: day, source, reviews, positive_reviews.
    """
    chosen = _days(period, source)
    summed = run(connection, _BY_SUMS.format(of=_of(source, "d")), all_models=ALL_MODELS, **chosen)
    clear = {(row["day"], row["source"]) for row in summed.rows}
    there = run(connection, _DAYS.format(of=_of(source, "d")), all_models=ALL_MODELS, **chosen)
    keys = {(row["day"], row["source"]) for row in there.rows}
    unclear = {day for day, _ in keys - clear} | _stale(connection, period)
    counted = [_count_scores(connection, date.fromisoformat(day), source) for day in unclear]
    rows = [row for row in summed.rows if row["day"] not in unclear]
    rows += [row for answer in counted for row in answer.rows]
    sql = ";\n".join(answer.sql for answer in (summed, *counted))
    return Answer(_COLUMNS, sorted(rows, key=itemgetter("day", "source")), sql)


def _stale(connection: Connection, period: Period) -> set[str]:
    """Return the days of a period that are to be counted anew."""
    marked = run(
        connection,
        "SELECT day FROM days_to_recount WHERE day >= :since AND day <= :until",
        **_days(period, None),
    )
    return {row["day"] for row in marked.rows}


def _count_scores(connection: Connection, day: date, source: str | None) -> Answer:
    dialect = connection.dialect.name
    return run(
        connection,
        f"""
        SELECT {day_sql(dialect, "s")} AS day, source,
               COUNT(*) AS reviews, SUM(label) AS positive_reviews
        FROM review_scores AS s
        WHERE {is_on_day(dialect, "s", day)}{_of(source, "s")}
        GROUP BY {day_sql(dialect, "s")}, source
        ORDER BY source
        """,
        **({"source": source} if source else {}),
    )


def has_stale_days(connection: Connection, period: Period) -> bool:
    """Say whether sums by source are incomplete on a day of the period."""
    return bool(_stale(connection, period))


def _days(period: Period, source: str | None) -> dict[str, str]:
    days = {"since": period.since.isoformat(), "until": period.until.isoformat()}
    return days | ({"source": source} if source else {})


def count_models(connection: Connection) -> Answer:
    """Count the reviews that each model has scored, by their present texts."""
    return run(
        connection,
        """
        SELECT model_version, SUM(reviews) AS reviews FROM review_days
        WHERE model_version <> :all_models
        GROUP BY model_version ORDER BY model_version
        """,
        all_models=ALL_MODELS,
    )


def newest_day(connection: Connection) -> date | None:
    """Return the newest day that reviews count under, None where there is none."""
    days = run(connection, _NEWEST_DAYS, all_models=ALL_MODELS).rows[0]
    return max((date.fromisoformat(day) for day in days.values() if day), default=None)


def list_sources(connection: Connection, most: int = 200) -> list[str]:
    """Return the sources in order: a step through the key each, however many reviews it has."""
    found: list[str] = []
    while len(found) < most:
        later = "WHERE source > :last" if found else ""
        query = f"SELECT MIN(source) AS source FROM reviews {later}"
        source = run(connection, query, last=found[-1] if found else "").rows[0]["source"]
        if source is None:
            break
        found.append(source)
    return found


def _of(source: str | None, alias: str) -> str:
    return f" AND {alias}.source = :source" if source else ""
