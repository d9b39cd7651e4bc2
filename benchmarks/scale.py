"""A million reviews: a backlog that waits, workers that drain it, and a database that answers.

    python -m benchmarks.scale PATH [--reviews 1000000] [--days 30] [--json FILE]

The whole backlog is submitted before the worker starts. Real texts from PATH under new ids, of
four sources, spread over the days.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine, text

from benchmarks._backlog import Backlog, held_back, make_backlog
from benchmarks._command import run
from benchmarks._drain import Drain, growth, mean, watch_drain
from benchmarks._questions import Answer, ask_all
from benchmarks._report import finish, header, note, progress, table
from benchmarks._reviews import read_reviews
from benchmarks._services import DATABASES, scratch, stores, worker
from benchmarks._size import database_bytes, table_bytes
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.engine import connected, reading
from iyu.worker.rows.add_to_keyword_days import add_all_deltas

#: Different texts at most; they come again and again.
TEXTS = 200_000


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(min=100)] = 1_000_000,
    days: Annotated[int, typer.Option(min=8, help="Over which they are spread.")] = 30,
    questions: Annotated[int, typer.Option(min=1, help="Times each one is asked.")] = 100,
    processes: Annotated[int, typer.Option(min=1)] = 2,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    model: Annotated[str, typer.Option(envvar="IYU_MODEL")] = "wide",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Scale", reviews=reviews, days=days, processes=processes, model=model)
    texts = read_reviews(path, TEXTS)
    for kind in databases.split(","):
        with (
            scratch() as folder,
            stores(kind, model, folder, IYU_HIGH_WATER=str(2 * reviews)) as environment,
            connected(environment["IYU_DATABASE_URL"]) as engine,
        ):
            progress.print(f"{kind}: submitting")
            backlog = make_backlog(environment, texts, reviews, days, utc_now())
            progress.print(f"{kind}: draining")
            with ExitStack() as stack:
                with held_back(environment):
                    process = stack.enter_context(worker(environment, folder, processes))
                drain = watch_drain(engine, process, reviews)
            add_all_deltas(engine)  # what beat would have done within ten seconds
            _check(engine, reviews)
            progress.print(f"{kind}: asking")
            answers = ask_all(engine, backlog, questions)
            size, sizes = database_bytes(engine), table_bytes(engine)
        result[kind] = _figures(backlog, drain, answers, size, sizes)
        _print(kind, result[kind])
    finish(result, json)


def _check(engine: Engine, reviews: int) -> None:
    with reading(engine) as connection:
        for name in ("reviews", "predictions", "explanations"):
            rows = connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one()
            if rows != reviews:
                raise RuntimeError(f"{rows} rows in {name} of {reviews} reviews")


def _figures(
    backlog: Backlog, drain: Drain, answers: dict[str, Answer], size: int, sizes: dict[str, int]
) -> dict[str, Any]:
    tenths = drain.tenths()
    return {
        "submit_reviews_per_second": backlog.submit_rate,
        "redis_bytes_a_review": backlog.redis_bytes,
        "tenths_reviews_per_second": tenths,
        "last_to_first": tenths[-1] / tenths[0],
        "memory_mib": {"first": drain.memory_first, "last": drain.memory_last},
        "memory_growth": {kind: growth(drain, kind) for kind in ("rss", "uss", "pss")},
        "database_bytes_a_review": size / backlog.reviews,
        "table_bytes_a_review": {name: one / backlog.reviews for name, one in sizes.items()},
        "questions_ms": {
            name: {
                "p50": answer.milliseconds(0.5),
                "p95": answer.milliseconds(0.95),
                "rows": answer.rows,
            }
            for name, answer in answers.items()
        },
    }


def _print(kind: str, figures: dict[str, Any]) -> None:
    tenths = figures["tenths_reviews_per_second"]
    rows = [(f"{i + 1}.", f"{rate:,.0f}") for i, rate in enumerate(tenths)]
    rows.append(("last / first", f"{figures['last_to_first']:.2f}"))
    table(f"{kind}: the backlog goes down", ("tenth", "reviews/s"), rows)
    first, last = (figures["memory_mib"][when] for when in ("first", "last"))
    held = [
        (who, *(f"{mean(found[who], m):,.0f}" for m in ("rss", "pss") for found in (first, last)))
        for who in first
    ]
    columns = ("process", "RSS first MiB", "last", "PSS first", "last")
    table(f"{kind}: memory of the worker", columns, held)
    asked = [
        (name, f"{found['p50']:,.1f}", f"{found['p95']:,.1f}", found["rows"])
        for name, found in figures["questions_ms"].items()
    ]
    table(f"{kind}: everyday questions", ("question", "p50 ms", "p95 ms", "rows"), asked)
    sizes = sorted(figures["table_bytes_a_review"].items(), key=lambda item: -item[1])
    table(
        f"{kind}: on the disk",
        ("table", "bytes a review"),
        [(name, f"{size:,.0f}") for name, size in sizes if size >= 1],
    )
    note(
        f"{kind}: {figures['submit_reviews_per_second']:,.0f} reviews/s submitted, "
        f"{figures['redis_bytes_a_review']:,.0f} bytes of Redis a waiting review, "
        f"{figures['database_bytes_a_review']:,.0f} bytes of database a review"
    )


if __name__ == "__main__":
    run(main)
