"""Which reviews: a page of them by key, newest first, found within a given time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, Record, TimeLimit, contains, moment, run
from iyu.console.web.queries.days import Period
from iyu.schemas.contract.times import FUTURE_TOLERANCE
from iyu.schemas.sql.review_day import is_between

#: Reviews that the first look of a search goes through, and how many times more each next one:
#: a page that is soon full costs little, a rare word is still found within a few looks.
FIRST_LOOK: Final = 2_000
LOOK_GROWTH: Final = 4
LONGEST_LOOK: Final = 50_000

_COLUMNS: Final = "source, review_id, text, submitted_at, label, probability, model_version"


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page begins: after this review, in order of time, source and id."""

    submitted_at: datetime
    source: str
    review_id: str


@dataclass(frozen=True, slots=True)
class Search:
    """Which reviews are looked for; None is any."""

    source: str | None = None
    period: Period | None = None
    text: str | None = None
    word: str | None = None
    pos: str | None = None
    method: str = "gradcam"
    label: int | None = None
    low: float | None = None  # least probability
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of reviews."""

    answer: Answer
    after: Key | None  # where the next page begins, None at the end
    looked_back_to: datetime | None  # set where the time was over before the page was full


def find_reviews(
    connection: Connection, search: Search, after: Key | None, most: int, seconds: float
) -> Found:
    """Return up to `most` reviews after a key, newest first.

    Looks through ever larger stretches of the order until the page is full or the time over, so
    that a rare word costs no more than `seconds`, and the next page goes on where this one ended.
    """
    deadline = time.monotonic() + seconds
    looks: list[Answer] = []
    try:
        for back_to in _looks(connection, search, after):
            left = most - sum(len(look.rows) for look in looks)
            looks.append(_look(connection, search, after, back_to, left))
            if len(looks[-1].rows) == left:
                return Found(_joined(looks), _key_of(looks[-1].rows[-1]), None)
            if back_to is None:
                return Found(_joined(looks), None, None)
            after = _just_before(back_to)
            if time.monotonic() > deadline:
                break
    except TimeLimit as limit:
        looks.append(Answer((), (), limit.sql, is_complete=False))
    return Found(_joined(looks), after, after.submitted_at if after else None)


def surest_reviews(
    connection: Connection, period: Period, source: str | None, label: int, most: int
) -> Answer:
    """Return the reviews of a label that the model is surest of; reads the whole period."""
    search = Search(source=source, period=period, label=label)
    conditions, values = _conditions(connection, search)
    return run(
        connection,
        f"SELECT {_COLUMNS}\nFROM review_scores AS s\nWHERE "
        + "\n  AND ".join(conditions)
        + f"\nORDER BY probability{' DESC' if label else ''}, source, review_id\nLIMIT {most}",
        **values,
    )


def _joined(looks: Sequence[Answer]) -> Answer:
    """Return what all looks have found, and all their queries: each went on where one ended."""
    columns = next((look.columns for look in looks if look.columns), ())
    rows = [row for look in looks for row in look.rows]
    sql = ";\n".join(look.sql for look in looks)
    return Answer(columns, rows, sql, all(look.is_complete for look in looks))


def _key_of(row: Record) -> Key:
    return Key(row["submitted_at"], row["source"], row["review_id"])


def _just_before(time_: datetime) -> Key:
    """Return the key that comes after every review of this time: no source is before ''."""
    return Key(time_, "", "")


def _looks(connection: Connection, search: Search, after: Key | None) -> Iterator[datetime | None]:
    """Yield how far back each look goes; None for the last one, to the end."""
    if search == Search(method=search.method):  # every review is wanted: the first page is full
        yield None
        return
    size = FIRST_LOOK
    period = search.period
    # No review is written later than it is submitted, but for clocks that differ.
    begin = period.begin - FUTURE_TOLERANCE if period else None
    newest = after.submitted_at if after else _newest_of(connection, period)
    while (newest := _time_further_on(connection, newest, size)) is not None:
        if begin is not None and newest <= begin:
            break
        yield newest
        size = min(size * LOOK_GROWTH, LONGEST_LOOK)
    yield None


def _newest_of(connection: Connection, period: Period | None) -> datetime | None:
    """Return a time after which no review of the period came in; None: any may have come in now.

    Reviews that were written in it may have been submitted years later.
    """
    if period is None:
        return None
    written = run(
        connection,
        "SELECT 1 FROM reviews WHERE written_at >= :begin AND written_at < :until LIMIT 1",
        begin=moment(connection, period.begin),
        until=moment(connection, period.end),
    )
    return None if written.rows else period.end


def _time_further_on(
    connection: Connection, newest: datetime | None, reviews: int
) -> datetime | None:
    """Return the time of the review so many places further on, None past the end."""
    where = "WHERE submitted_at < :newest" if newest else ""
    found = run(
        connection,
        f"""
        SELECT submitted_at FROM reviews {where}
        ORDER BY submitted_at DESC LIMIT 1 OFFSET {reviews}
        """,
        **({"newest": moment(connection, newest)} if newest else {}),
    )
    return found.rows[0]["submitted_at"] if found.rows else None


def _look(
    connection: Connection, search: Search, after: Key | None, back_to: datetime | None, most: int
) -> Answer:
    conditions, values = _conditions(connection, search)
    if after:
        conditions.append("(submitted_at, source, review_id) < (:after, :after_source, :after_id)")
        values |= {
            "after": moment(connection, after.submitted_at),
            "after_source": after.source,
            "after_id": after.review_id,
        }
    if back_to:
        conditions.append("submitted_at >= :back_to")
        values["back_to"] = moment(connection, back_to)
    where = "\n  AND ".join(conditions)
    return run(
        connection,
        f"SELECT {_COLUMNS}\nFROM review_scores AS s\n"
        + (f"WHERE {where}\n" if where else "")
        + f"ORDER BY submitted_at DESC, source DESC, review_id DESC\nLIMIT {most}",
        **values,
    )


def _conditions(connection: Connection, search: Search) -> tuple[list[str], dict[str, Any]]:
    period = search.period
    values = {
        "begin": moment(connection, period.begin) if period else None,
        "until": moment(connection, period.end) if period else None,
        "source": search.source,
        "label": search.label,
        "low": search.low,
        "high": search.high,
        "text": search.text or None,
        "word": search.word or None,
    }
    conditions = {
        "begin": is_between("s", ":begin", ":until"),
        "source": "source = :source",
        "label": "label = :label",
        "low": "probability >= :low",
        "high": "probability <= :high",
        "text": contains(connection, "text", "text"),
        # Every token stands in its text: the cheap condition comes first.
        "word": contains(connection, "text", "word"),
    }
    given = {name: value for name, value in values.items() if value is not None}
    narrowed = [conditions[name] for name in given if name in conditions]
    if search.word:
        narrowed.append(_HAS_WORD.format(of_pos="AND t.pos = :pos " if search.pos else ""))
        given |= {"method": search.method} | ({"pos": search.pos} if search.pos else {})
    return narrowed, given


#: A count, not EXISTS: PostgreSQL would turn that into a join with all tokens of all reviews.
_HAS_WORD: Final = """(
        SELECT COUNT(*) FROM token_heat AS t
        WHERE t.source = s.source AND t.review_id = s.review_id
          AND t.method = :method AND t.surface = :word {of_pos}
      ) > 0"""
