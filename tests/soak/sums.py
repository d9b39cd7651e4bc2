"""The daily sums of words: as they are stored, and by three ways that know nothing of erasure."""

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import Engine, select, text

from iyu.schemas.contract.message import MAX_REVIEWS, Chunk, Queue, Rescore, new_id
from iyu.schemas.contract.morpheme_tags import is_counted
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.schemas.sql.heat_columns import StoredHeat, unpack_tokens
from iyu.schemas.sql.keyword_days import from_explanations
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.rows.write_chunk import write

Sums = dict[tuple[str, ...], tuple[float, ...]]


def sums_without(kept: list[tuple[str, str]], models: Sequence[str], database: str) -> Sums:
    """The sums of a database that never saw any but these, scored by the first of these models.

    The others rescore them.
    """
    from iyu.worker.scoring import Scorer

    with connected(database) as engine:
        upgrade(engine)
        for number, model in enumerate(models):
            scorer = Scorer.load(model)
            version = scorer.artifact.model_version
            for at in range(0, len(kept), MAX_REVIEWS):
                part = tuple(Review(*pair) for pair in kept[at : at + MAX_REVIEWS])
                predictions = scorer.score([review.text for review in part])
                purpose = Rescore(version) if number else Queue.BULK
                chunk = Chunk(new_id(), "shop", part, utc_now(), purpose=purpose)
                with writing(engine) as connection:
                    write(connection, chunk, predictions, version)
            add_all_deltas(engine)
        return stored_sums(engine)


def over_all_days(of_days: Sums) -> Sums:
    """The sums without their days: midnight may come in between."""
    found: dict[tuple[str, ...], tuple[float, ...]] = {}
    for (version, method, _, *word), figures in of_days.items():
        key = (version, method, *word)
        before = found.get(key, (0.0,) * len(figures))
        found[key] = tuple(map(sum, zip(before, figures, strict=True)))
    return found


def stored_sums(engine: Engine) -> Sums:
    with reading(engine) as connection:
        rows = connection.execute(select(tables.keyword_days))
        return {(*map(str, row[:6]),): tuple(map(float, row[6:])) for row in rows}


def recomputed(engine: Engine) -> Sums:
    """The sums as SQL computes them from what is stored."""
    with reading(engine) as connection:
        rows = connection.execute(text(from_explanations(engine.dialect.name)))
        return {(*map(str, row[:6]),): tuple(map(float, row[6:])) for row in rows}


def recounted(engine: Engine) -> Sums:
    """The sums of the stored reviews, counted in Python, one by one."""
    e, r, p = tables.explanations.c, tables.reviews.c, tables.predictions.c
    heat = (e[name] for name in StoredHeat._fields)
    query = (
        select(e.model_version, e.method, e.source, r.submitted_at, p.label, r.text, *heat)
        .join_from(
            tables.explanations,
            tables.reviews,
            (e.source == r.source) & (e.review_id == r.review_id) & (e.text_hash == r.text_hash),
        )
        .join(
            tables.predictions,
            (p.source == e.source)
            & (p.review_id == e.review_id)
            & (p.model_version == e.model_version),
        )
    )
    found: dict[tuple[str, ...], list[float]] = {}
    with reading(engine) as connection:
        rows = connection.execution_options(yield_per=2_000).execute(query)  # more than memory has
        for version, method, source, moment, label, review, *stored in rows:
            words: dict[tuple[str, str], list[float]] = {}
            for token in unpack_tokens(StoredHeat(*stored), review):
                if token["heat"] is not None and is_counted(token["pos"]):
                    words.setdefault((token["surface"], token["pos"]), []).append(token["heat"])
            day = moment.astimezone(UTC).date().isoformat()
            for word, heats in words.items():
                plain = (1, len(heats), sum(heats))
                figures = (*plain, *(label * f for f in plain), sum(heats) ** 2)
                row = found.setdefault((version, method, day, *word, source), [0.0] * 7)
                for at, figure in enumerate(figures):
                    row[at] += figure
    return {word: tuple(figures) for word, figures in found.items()}
