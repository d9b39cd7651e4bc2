"""How many reviews there are: by day, source and model. The one place that counts them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, moment, run

_DAY = {
    "sqlite": "substr(submitted_at, 1, 10)",
    "postgresql": "CAST(submitted_at AT TIME ZONE 'UTC' AS date)",
}


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
    """Count reviews and positive ones by day and source.

    Columns: day, source, reviews, positive_reviews.
    """
    return run(
        connection,
        f"""
        SELECT {_DAY[connection.dialect.name]} AS day, source,
               COUNT(*) AS reviews, SUM(label) AS positive_reviews
        FROM review_scores
        WHERE submitted_at >= :begin AND submitted_at < :until{_of(source)}
        GROUP BY {_DAY[connection.dialect.name]}, source
        ORDER BY day, source
        """,
        begin=moment(connection, period.begin),
        until=moment(connection, period.end),
        **({"source": source} if source else {}),
    )


def count_models(connection: Connection) -> Answer:
    """Count the reviews that each model has scored."""
    return run(
        connection,
        "SELECT model_version, COUNT(*) AS reviews FROM predictions GROUP BY model_version",
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


def _of(source: str | None) -> str:
    return " AND source = :source" if source else ""
