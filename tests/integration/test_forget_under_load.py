"""Reviews are forgotten while they are accepted, scored and rescored, on both databases."""

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from queue import SimpleQueue

from sqlalchemy import Engine, func, select

from iyu.console.operations.forget_reviews import find_all_traces
from iyu.schemas.contract.message import Chunk, Rescore, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.erasure import forget_all
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from tests.harness.daily_sums import (
    computed_reviews,
    computed_words,
    count_differences,
    stored_reviews,
    stored_words,
)
from tests.harness.fakes import FakeScorer
from tests.integration.test_erasure import everything

REVIEWS = 2_000
CHUNK = 100
#: A word of forgotten reviews alone, and words of all.
WORD = "잊힐말"
WORDS = ("배송", "빠르다", "좋다", "별로", "최고", "재미", "노잼", "감동")

Steps = SimpleQueue[Chunk | None]  # None: there are no more


def given_reviews() -> list[Review]:
    chance = random.Random(3)
    texts = (" ".join(chance.choices(WORDS, k=4)) for _ in range(REVIEWS))
    return [
        Review(f"gone-{n}", f"{words} {WORD}") if n % 10 == 0 else Review(str(n), words)
        for n, words in enumerate(texts)
    ]


def ids_to_forget(chunk: Chunk) -> list[str]:
    return [r.review_id for r in chunk.reviews if r.review_id.startswith("gone-")]


def runtime(engine: Engine, version: str) -> Runtime:
    scorer = FakeScorer(version, 0.75 if version == "v1" else 0.25)
    return Runtime(WorkerSettings(), engine, scorer, None)  # type: ignore[arg-type]


def accept(engine: Engine, chunk: Chunk) -> None:
    with writing(engine) as connection:
        ledger.accept(connection, [chunk])


def run_all(*work: Callable[[], None]) -> None:
    """Run them at once, and raise what one of them raised."""
    errors: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(act,), daemon=True) for act in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads)


def pass_on(
    chunks: Iterable[Chunk], act: Callable[[Chunk], object], *targets: Steps
) -> Callable[[], None]:
    """Return the work of one thread: each chunk is acted upon, and goes on to the next steps."""

    def work() -> None:
        for chunk in chunks:
            act(chunk)
            for target in targets:
                target.put(chunk)
        for target in targets:
            target.put(None)

    return work


def load(engine: Engine, reviews: list[Review]) -> None:
    """Accept, score and rescore all; forget a third of the doomed after each of these steps."""
    to_score, to_rescore, accepted, scored, rescored = (Steps() for _ in range(5))
    first, second = runtime(engine, "v1"), runtime(engine, "v2")

    def rescore(chunk: Chunk) -> None:
        again = replace(chunk, chunk_id=new_id(), purpose=Rescore("v2"))
        accept(engine, again)
        score_chunk(second, again, [])
        add_all_deltas(engine)

    def forget(share: int) -> Callable[[Chunk], object]:
        return lambda chunk: forget_all(engine, "shop", ids_to_forget(chunk)[share::3])

    given = [
        Chunk(new_id(), "shop", tuple(reviews[at : at + CHUNK]), utc_now())
        for at in range(0, len(reviews), CHUNK)
    ]
    run_all(
        pass_on(given, lambda chunk: accept(engine, chunk), to_score, accepted),
        pass_on(
            iter(to_score.get, None),
            lambda chunk: score_chunk(first, chunk, []),
            to_rescore,
            scored,
        ),
        pass_on(iter(to_rescore.get, None), rescore, rescored),
        *(
            pass_on(iter(steps.get, None), forget(share))
            for share, steps in enumerate((accepted, scored, rescored))
        ),
    )


def test_what_is_forgotten_meanwhile_is_in_no_table(engine: Engine):
    reviews = given_reviews()
    load(engine, reviews)
    add_all_deltas(engine)
    gone = [r.review_id for r in reviews if r.review_id.startswith("gone-")]
    assert find_all_traces(engine, "shop", gone) == {}
    assert WORD not in everything(engine)
    with reading(engine) as connection:
        assert progress.pending(connection) == 0
        p = tables.predictions.c
        query = select(p.model_version, func.count()).group_by(p.model_version)
        rows = {row[0]: row[1] for row in connection.execute(query)}
    assert rows == dict.fromkeys(("v1", "v2"), len(reviews) - len(gone))
    assert not count_differences(stored_words(engine), computed_words(engine))
    assert not count_differences(stored_reviews(engine), computed_reviews(engine))
