"""A comparison of a window with its reference, from beginning to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection, Engine, insert

from iyu.console.trust.drift.daily_sums import Days, read_days, together
from iyu.console.trust.drift.daily_words import read_words
from iyu.console.trust.drift.figures import ONE_SIDED, Figure, of_days
from iyu.console.trust.drift.moved_words import MovedWord, find_moved, with_examples
from iyu.console.trust.drift.shuffled_days import Compared, compare, shuffle
from iyu.console.trust.drift.sides import Sides, Wanted, find_sides, require_days
from iyu.console.trust.drift.word_order import compare_words
from iyu.console.trust.verification.snapshot import snapshot
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import drift_reports


@dataclass(frozen=True, slots=True)
class Report:
    """What was compared, and what came of it."""

    started_at: datetime
    finished_at: datetime
    model_version: str
    method: str
    sides: Sides
    days: Days  # of the window
    reference_days: Days
    figures: Mapping[Figure, Compared]
    moved: Sequence[MovedWord]

    @property
    def noticed(self) -> list[Figure]:
        """Return the figures that changed more than chance explains."""
        return [figure for figure, compared in self.figures.items() if compared.is_noticed]

    @property
    def is_alarm(self) -> bool:
        """Say whether the estimated accuracy fell."""
        return Figure.ESTIMATED_ACCURACY in self.noticed

    def scope(self) -> dict[str, Any]:
        """Return what was compared, as JSON takes it."""
        pairs = (
            ("window", self.sides.window, self.days),
            ("reference", self.sides.reference, self.reference_days),
        )
        return {
            name: side.to_dict()
            | {"days": len(found.days), "reviews": int(found.sums.reviews.sum())}
            for name, side, found in pairs
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything, as JSON takes it."""
        return {
            "started_at": self.started_at.isoformat(),
            "seconds": round((self.finished_at - self.started_at).total_seconds(), 3),
            "model_version": self.model_version,
            "method": self.method,
            **self.scope(),
            "alarm": self.is_alarm,
            "noticed": [figure.value for figure in self.noticed],
            "figures": {name.value: found.to_dict() for name, found in self.figures.items()},
            "words": [word.to_dict() for word in self.moved],
        }


def find_drift(engine: Engine, key: tuple[str, str], wanted: Wanted, words: int) -> Report:
    """Compare a window with its reference, and keep the figures in `drift_reports`.

    key: model version and method; words: how many of those that moved are named.

    Raises InputError, DatabaseUnavailable.
    """
    started_at = utc_now()
    with snapshot(engine) as connection:
        sides = find_sides(connection, key[0], wanted)
        window = read_days(connection, key[0], sides.window)
        reference = read_days(connection, key[0], sides.reference)
        require_days(sides, len(window.days), len(reference.days))
        figures, moved = _compare(connection, key, sides, (window, reference), words)
    report = Report(started_at, utc_now(), *key, sides, window, reference, figures, moved)
    _keep(engine, report)
    return report


def _compare(
    connection: Connection,
    key: tuple[str, str],
    sides: Sides,
    days: tuple[Days, Days],
    most: int,
) -> tuple[dict[Figure, Compared], list[MovedWord]]:
    sums, in_window = together(*days)
    arranged = shuffle(in_window)
    figures = {
        figure: compare(*of_day, arranged, one_sided=figure in ONE_SIDED)
        for figure, of_day in of_days(sums).items()
    }
    words = read_words(connection, key, sides, (days[0].days, days[1].days))
    if not words.names:  # no heatmap by this method, or too few reviews
        return figures, []
    compared = compare_words(words.days, sums.reviews, arranged)
    moved = find_moved(words, compared, sums.reviews, in_window, most)
    figures[Figure.WORD_ORDER], figures[Figure.WORD_SHARES] = compared.order, compared.furthest
    return figures, with_examples(connection, key, sides, moved)


def _keep(engine: Engine, report: Report) -> None:
    accuracy = report.figures[Figure.ESTIMATED_ACCURACY]
    row = {
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "iyu_version": version("iyu"),
        "model_version": report.model_version,
        "method": report.method,
        "source": report.sides.window.source,
        "scope": report.scope(),
        "reference_accuracy": accuracy.reference,
        "estimated_accuracy": accuracy.window,
        "alarm": report.is_alarm,
        "noticed": [figure.value for figure in report.noticed],
        "figures": {name.value: found.to_dict() for name, found in report.figures.items()},
    }
    with writing(engine) as connection:
        connection.execute(insert(drift_reports).values(row))
