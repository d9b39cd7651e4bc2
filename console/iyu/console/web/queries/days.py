"""How many reviews there are: by day, source and model. The one place that counts them.

Counts come from the daily sums. Of a day on which models overlap, or that is to be counted anew
(`iyu db recount`), the scores themselves are counted: slower, and never wrong.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, Record, run
from iyu.schemas.sql.review_day import day_sql, is_on_day
from iyu.schemas.sql.review_days import ALL_MODELS

_COLUMNS: Final = ("day", "source", "reviews", "positive_reviews")


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
    summed = run(
        connection,
        f"""
        SELECT d.day, d.source, d.model_version, d.reviews, d.positive_reviews, m.activated_at
        FROM review_days AS d
        LEFT JOIN models AS m ON m.model_version = d.model_version
        WHERE d.day >= :since AND d.day <= :until AND d.reviews > 0{_of(source, "d")}
        ORDER BY d.day, d.source, m.activated_at DESC
        """,
        **_days(period, source),
    )
    groups = {
        key: list(rows) for key, rows in groupby(summed.rows, key=itemgetter("day", "source"))
    }
    clear = {key: _shown(rows) for key, rows in groups.items()}
    unclear = {day for (day, _), row in clear.items() if row is None} | _stale(connection, period)
    counted = [_count_scores(connection, date.fromisoformat(day), source) for day in unclear]
    rows = [row for (day, _), row in clear.items() if row and day not in unclear]
    rows += [row for answer in counted for row in answer.rows]
    sql = ";\n".join(answer.sql for answer in (summed, *counted))
    return Answer(_COLUMNS, sorted(rows, key=itemgetter("day", "source")), sql)


def _shown(rows: list[Record]) -> Record | None:
    """Return what the views count on a day of a source; None where the sums cannot tell.

    They can where one model has scored every review: the one activated last of those that did any.
    """
    every = sum(row["reviews"] for row in rows if row["model_version"] == ALL_MODELS)
    active = [row for row in rows if row["activated_at"] is not None]
    newest = max(active, key=itemgetter("activated_at"), default=None)
    if newest is None or newest["reviews"] != every:
        return None
    return {name: newest[name] for name in _COLUMNS}


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
    """Return the day of the newest review, None where there is none."""
    rows = run(connection, "SELECT MAX(submitted_at) AS newest_at FROM reviews").rows
    newest: datetime | None = rows[0]["newest_at"]
    return newest.date() if newest else None


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
