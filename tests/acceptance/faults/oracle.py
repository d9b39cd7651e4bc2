"""What every fault test ends with: is each accepted review where it belongs, exactly once?"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, select

from iyu.schemas.erasure.traces import find_traces
from iyu.schemas.ledger.chunks import OPEN
from iyu.schemas.results import Cursor, Kind, read_results
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.scoring import Scorer
from tests.harness.daily_sums import (
    computed_reviews,
    computed_words,
    count_differences,
    stored_reviews,
    stored_words,
)

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
    traces: Mapping[str, int] = field(default_factory=dict)  # places that hold erased reviews
    #: Rows of `keyword_days` that differ from what the explanations give.
    words_differ: int = 0
    #: Rows of `review_days` that differ from what the predictions give.
    days_differ: int = 0
    #: Reviews whose one change is not once in the results feed.
    feed_differs: frozenset[str] = frozenset()

    def assert_clean(self) -> None:
        """Fail unless nothing is lost, duplicated, wrong, pending, left over or counted wrong."""
        assert not self.pending, f"{self.pending} chunks are pending"
        assert not self.lost, f"lost: {sorted(self.lost)[:5]} of {len(self.lost)}"
        assert not self.duplicated, f"duplicated: {sorted(self.duplicated)[:5]}"
        assert not self.wrong, f"wrong: {sorted(self.wrong)[:5]} of {len(self.wrong)}"
        assert not self.traces, f"erased, and still there: {self.traces}"
        assert not self.words_differ, f"{self.words_differ} daily sums of words differ"
        assert not self.days_differ, f"{self.days_differ} daily sums of reviews differ"
        assert not self.feed_differs, f"not once in the feed: {sorted(self.feed_differs)[:5]}"


@dataclass(slots=True)
class Oracle:
    """Knows what a review's probability has to be, from a scorer of its own."""

    scorer: Scorer
    _known: dict[str, float] = field(default_factory=dict)

    def judge(
        self,
        engine: Engine,
        accepted: Mapping[str, str],
        *,
        erased: Collection[str] = (),
        changed: Collection[str] = (),
    ) -> Verdict:
        """Compare the tables with the texts that were accepted, by id.

        erased: ids that were forgotten since. changed: ids that were submitted more than once.
        """
        version = self.scorer.artifact.model_version
        add_all_deltas(engine)
        with reading(engine) as connection:
            stored = _stored(connection, version)
            explained = _count(connection, tables.explanations, version)
            scored = _count(connection, tables.predictions, version)
            dead = _dead(connection)
            traces = find_traces(connection, SOURCE, frozenset(erased)) if erased else {}
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
            traces=traces,
            words_differ=count_differences(stored_words(engine), computed_words(engine)),
            days_differ=count_differences(stored_reviews(engine), computed_reviews(engine)),
            feed_differs=frozenset(_feed_differs(engine, accepted.keys() - set(changed), version)),
        )

    def _learn(self, texts: object) -> None:
        new = [one for one in texts if one not in self._known]  # type: ignore[attr-defined]
        for start in range(0, len(new), 512):
            part = new[start : start + 512]
            predictions = self.scorer.score(part)
            self._known.update(
                (text, p.probability) for text, p in zip(part, predictions, strict=True)
            )


def _stored(connection: Connection, version: str) -> dict[str, tuple[str, float]]:
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
        .where(reviews.source == SOURCE, predictions.model_version == version)
    )
    return {row.review_id: (row.text, row.probability) for row in rows}


def _count(connection: Connection, table: object, version: str) -> dict[str, int]:
    columns = table.c  # type: ignore[attr-defined]
    rows = connection.execute(
        select(columns.review_id, func.count())
        .where(columns.source == SOURCE, columns.model_version == version)
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


def _feed_differs(engine: Engine, once: Collection[str], version: str) -> set[str]:
    """Return the reviews, of those submitted once, whose score is not once in the feed.

    version: the model that the views show; the feed is silent about one that only rescores.
    """
    rows = tables.predictions.c
    query = select(rows.review_id).where(rows.source == SOURCE, rows.model_version == version)
    with reading(engine) as connection:
        stored = Counter(connection.scalars(query))
    feed = Counter(
        result.review_id
        for batch in read_results(engine, Cursor.parse("0"))
        for result in batch.results
        if result.kind is Kind.SCORED and result.source == SOURCE
    )
    return {key for key in once if stored[key] != feed[key]}
