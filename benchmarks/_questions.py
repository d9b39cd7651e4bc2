"""The everyday questions to a large database, each asked many times about other things."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, bindparam, text

from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import UtcDateTime

Parameters = dict[str, Any]


class Stored(Protocol):
    """What is asked about."""

    @property
    def begin(self) -> datetime:
        """When the first reviews came in."""

    @property
    def end(self) -> datetime:
        """When the last ones did."""

    @property
    def sources(self) -> Sequence[str]:
        """Where they come from."""

    def pick(self, chance: random.Random) -> tuple[str, str]:
        """Return source and id of a review."""


_DAY: Final = {
    "sqlite": "substr(submitted_at, 1, 10)",
    "postgresql": "CAST(submitted_at AT TIME ZONE 'UTC' AS date)",
}
_LATEST: Final = "SELECT source, review_id, text, probability, submitted_at FROM review_scores"


@dataclass(frozen=True, slots=True)
class Question:
    """SQL, and what it is asked about."""

    sql: str
    ask: Callable[[random.Random, Connection, Stored], Parameters]


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds that a question took, and the rows of its last answer."""

    seconds: Sequence[float]  # sorted
    rows: int

    def milliseconds(self, share: float) -> float:
        """Return the time that this share of the answers stayed below."""
        return 1000 * self.seconds[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def ask_all(engine: Engine, stored: Stored, times: int) -> dict[str, Answer]:
    """Ask every question, in turns."""
    found = {}
    for name, question in _questions(engine.dialect.name).items():
        found[name] = _ask(engine, stored, question, times)
    return found


def _ask(engine: Engine, stored: Stored, question: Question, times: int) -> Answer:
    chance = random.Random(name := question.sql)  # the same questions in every run
    statement, seconds, rows = _statement(name), [], 0
    with reading(engine) as connection:
        for _ in range(times):
            parameters = question.ask(chance, connection, stored)
            begin = time.perf_counter()
            rows = len(connection.execute(statement, parameters).all())
            seconds.append(time.perf_counter() - begin)
    return Answer(sorted(seconds), rows)


def _questions(dialect: str) -> Mapping[str, Question]:
    day = _DAY[dialect]
    by_day = f"SELECT {day} AS day, COUNT(*), SUM(label) FROM review_scores"
    return {
        "tokens of one review": Question(
            "SELECT position, surface, heat FROM token_heat WHERE source = :source "
            "AND review_id = :review_id AND method = 'gradcam' ORDER BY position",
            _one_review,
        ),
        "score of one review": Question(
            f"{_LATEST} WHERE source = :source AND review_id = :review_id", _one_review
        ),
        "latest 50": Question(f"{_LATEST} ORDER BY submitted_at DESC LIMIT 50", _nothing),
        "a page further on": Question(
            f"{_LATEST} WHERE (submitted_at, source, review_id) < (:submitted_at, :source, "
            ":review_id) ORDER BY submitted_at DESC, source DESC, review_id DESC LIMIT 50",
            _one_row,
        ),
        "latest 50 negatives": Question(
            f"{_LATEST} WHERE label = 0 ORDER BY submitted_at DESC LIMIT 50", _nothing
        ),
        "latest 50 of a source": Question(
            f"{_LATEST} WHERE source = :source ORDER BY submitted_at DESC LIMIT 50", _source
        ),
        "words of a week": Question(
            "SELECT surface, pos, SUM(negative_reviews) AS reviews, "
            "SUM(negative_total_heat) / SUM(negative_occurrences) AS mean_heat "
            "FROM keyword_trend WHERE method = 'gradcam' AND day >= :day AND day < :end "
            "GROUP BY surface, pos HAVING SUM(negative_occurrences) >= 20 "
            "ORDER BY mean_heat LIMIT 20",
            _week_of_days,
        ),
        "counts by day of a week": Question(
            f"{by_day} WHERE submitted_at >= :begin AND submitted_at < :until "
            f"GROUP BY {day} ORDER BY 1",
            _week,
        ),
        "counts by day of everything": Question(f"{by_day} GROUP BY {day} ORDER BY 1", _nothing),
    }


def _statement(sql: str) -> Any:
    names = ("submitted_at", "begin", "until")
    typed = [bindparam(name, type_=UtcDateTime()) for name in names if f":{name}" in sql]
    return text(sql).bindparams(*typed)


def _nothing(_chance: random.Random, _connection: Connection, _stored: Stored) -> Parameters:
    return {}


def _source(chance: random.Random, _connection: Connection, stored: Stored) -> Parameters:
    return {"source": chance.choice(stored.sources)}


def _one_review(chance: random.Random, _: Connection, stored: Stored) -> Parameters:
    source, review_id = stored.pick(chance)
    return {"source": source, "review_id": review_id}


def _one_row(chance: random.Random, connection: Connection, stored: Stored) -> Parameters:
    review = _one_review(chance, connection, stored)
    when = text(
        "SELECT submitted_at FROM reviews WHERE source = :source AND review_id = :review_id"
    ).columns(submitted_at=UtcDateTime())
    return review | {"submitted_at": connection.execute(when, review).scalar_one()}


def _week(chance: random.Random, _connection: Connection, stored: Stored) -> Parameters:
    room = stored.end - stored.begin - timedelta(days=7)
    begin = stored.begin + chance.random() * max(room, timedelta(0))
    return {"begin": begin, "until": begin + timedelta(days=7)}


def _week_of_days(chance: random.Random, connection: Connection, stored: Stored) -> Parameters:
    week = _week(chance, connection, stored)
    begin, end = week["begin"].date(), week["until"].date()
    if connection.dialect.name == "sqlite":
        return {"day": begin.isoformat(), "end": end.isoformat()}
    return {"day": begin, "end": end}
