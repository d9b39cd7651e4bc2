"""What every fault test ends with: is each accepted review where it belongs, exactly once?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, select

from iyu.schemas.ledger.chunks import OPEN
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from iyu.worker.scoring import Scorer

SOURCE = "test"
#: Batched and single results are equal to this.
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the accepted reviews; ids in each."""

    accepted: int
    dead: frozenset[str]
    lost: frozenset[str] = frozenset()  # neither scored nor a dead letter
    duplicated: frozenset[str] = frozenset()  # both, or in more than one row
    wrong: frozenset[str] = frozenset()  # another text or another probability than it should have
    pending: int = 0  # chunks that are not finished

    def assert_clean(self) -> None:
        """Fail unless nothing is lost, duplicated, wrong or pending."""
        assert not self.pending, f"{self.pending} chunks are pending"
        assert not self.lost, f"lost: {sorted(self.lost)[:5]} of {len(self.lost)}"
        assert not self.duplicated, f"duplicated: {sorted(self.duplicated)[:5]}"
        assert not self.wrong, f"wrong: {sorted(self.wrong)[:5]} of {len(self.wrong)}"


@dataclass(slots=True)
class Oracle:
    """Knows what a review's probability has to be, from a scorer of its own."""

    scorer: Scorer
    _known: dict[str, float] = field(default_factory=dict)

    def judge(self, engine: Engine, accepted: Mapping[str, str]) -> Verdict:
        """Compare the tables with the texts that were accepted, by id."""
        with reading(engine) as connection:
            stored = _stored(connection)
            explained = _count(connection, tables.explanations)
            scored = _count(connection, tables.predictions)
            dead = _dead(connection)
            pending = connection.execute(
                select(func.count()).where(tables.chunks.c.state.in_(OPEN))
            ).scalar_one()
        ours = {key: row for key, row in stored.items() if key in accepted}
        duplicated = {key for key, rows in scored.items() if rows != 1}
        duplicated |= {key for key, rows in explained.items() if rows != 1}
        self._learn(accepted.values())
        return Verdict(
            accepted=len(accepted),
            dead=frozenset(dead & accepted.keys()),
            lost=frozenset(accepted.keys() - ours.keys() - dead),
            duplicated=frozenset(duplicated | (stored.keys() & dead)),
            wrong=frozenset(
                key
                for key, (text, probability) in ours.items()
                if text != accepted[key] or abs(probability - self._known[text]) > TOLERANCE
            ),
            pending=pending,
        )

    def _learn(self, texts: object) -> None:
        new = [text for text in texts if text not in self._known]  # type: ignore[attr-defined]
        for start in range(0, len(new), 512):
            part = new[start : start + 512]
            predictions = self.scorer.score(part)
            self._known.update(
                (text, p.probability) for text, p in zip(part, predictions, strict=True)
            )


def _stored(connection: Connection) -> dict[str, tuple[str, float]]:
    reviews, predictions = tables.reviews.c, tables.predictions.c
    rows = connection.execute(
        select(reviews.review_id, reviews.text, predictions.probability)
        .join_from(
            tables.reviews,
            tables.predictions,
            (reviews.source == predictions.source)
            & (reviews.review_id == predictions.review_id)
            & (reviews.text_hash == predictions.text_hash),
        )
        .where(reviews.source == SOURCE)
    )
    return {row.review_id: (row.text, row.probability) for row in rows}


def _count(connection: Connection, table: object) -> dict[str, int]:
    columns = table.c  # type: ignore[attr-defined]
    rows = connection.execute(
        select(columns.review_id, func.count())
        .where(columns.source == SOURCE)
        .group_by(columns.review_id)
    )
    return dict(map(tuple, rows))


def _dead(connection: Connection) -> set[str]:
    letters = tables.dead_letters.c
    return set(
        connection.scalars(
            select(letters.review_id).where(
                letters.source == SOURCE,
                letters.review_id.is_not(None),
                letters.replayed_at.is_(None),
            )
        )
    )
