"""From the start of `iyu worker`, and of `iyu up`, to the first row; and the memory of a child.

    python -m benchmarks.startup [--runs 3] [--processes 2] [--json FILE]

The review waits before the worker starts. Python's files are in the system's cache: a first start
after boot takes as much longer as the disk needs.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer

from benchmarks._command import run
from benchmarks._drain import Memory, mean, memory
from benchmarks._report import finish, header, progress, table
from benchmarks._services import READY_SECONDS, running, scratch, stores, wait
from benchmarks._submit import submit
from iyu.console.local.data_folder import command
from iyu.console.local.env_file import FILE_NAME, read_environment
from iyu.schemas.contract.errors import DatabaseOutdated
from iyu.schemas.sql.engine import check, connected, reading
from iyu.schemas.sql.tables import explanations
from tests.harness.services import Process

PRESETS: Final = "source,wide"
REVIEW: Final = [("1", "배우 연기가 정말 좋았어요")]
#: What ends at each mark of `benchmarks._marked_worker`, in the child that scores the review.
STAGES: Final = {
    "python": "Python starts",
    "forked": "iyu and Celery, fork",
    "tensorflow": "import of TensorFlow and Keras",
    "loaded": "artifact, KoNLPy",
    "warm": "compilation, first pass",
    "ready": "garbage collection",
    "taken": "message",
    "stored": "score, reasons, rows",
}


def main(
    runs: Annotated[int, typer.Option(min=1)] = 3,
    processes: Annotated[int, typer.Option(min=1, help="They load side by side.")] = 2,
    models: Annotated[str, typer.Option(help="Comma-separated.")] = PRESETS,
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Start", runs=runs, processes=processes)
    for model in models.split(","):
        stages: dict[str, list[float]] = defaultdict(list)
        found: dict[str, list[Memory]] = defaultdict(list)
        for turn in range(runs):
            _worker(model, processes, stages, found)
            stages["iyu up"].append(_up(model, processes))
            progress.print(f"run {turn + 1}: {model}: {stages['first row'][-1]:.1f} s")
        result[model] = {
            "seconds": {name: median(values) for name, values in stages.items()},
            "runs": stages,
            "memory_mib": {
                who: {kind: mean(held, kind) for kind in held[0]} for who, held in found.items()
            },
        }
        _print(model, result[model])
    finish(result, json)


def _worker(
    model: str, processes: int, stages: dict[str, list[float]], found: dict[str, list[Memory]]
) -> None:
    with scratch() as folder, stores("sqlite", model, folder) as environment:
        submit(environment, "start", REVIEW)
        marks = folder / "marks"
        module = ["-m", "benchmarks._marked_worker", "worker", "--concurrency", str(processes)]
        started = time.time()
        marked = environment | {"IYU_BENCHMARK_MARKS": str(marks)}
        with running([command()[0], *module], marked, folder) as process:
            seconds = _first_row(environment["IYU_DATABASE_URL"], process, started)
            wait(lambda: process.output().count("is ready") >= processes, READY_SECONDS, process)
            for who, held in memory(process).items():
                found[who] += held
        for name, value in _stages(marks, started).items():
            stages[name].append(value)
        stages["first row"].append(seconds)


def _stages(path: Path, started: float) -> dict[str, float]:
    """Return the seconds of each stage, of the process that stored the review."""
    marks = [line.split("\t") for line in path.read_text().splitlines()]
    scorer = next(pid for name, pid, _ in marks if name == "stored")
    times = {name: float(at) for name, pid, at in marks if pid == scorer or name == "python"}
    edges = [started, *(times[name] for name in STAGES)]
    return {
        **{
            label: after - before
            for label, before, after in zip(STAGES.values(), edges, edges[1:], strict=False)
        },
        "broker connected": next(float(at) for name, _, at in marks if name == "connected")
        - started,
    }


def _up(model: str, processes: int) -> float:
    """Return the seconds from `iyu up` in an empty folder to the first row."""
    with scratch() as folder:
        data = folder / "data"
        arguments = ("up", "--data", str(data), "--concurrency", str(processes), "--model", model)
        started = time.time()
        with _stopped(command(*arguments), folder) as process:
            wait(lambda: _is_there(data), READY_SECONDS, process)
            environment = read_environment(data)
            submit(environment, "start", REVIEW)
            return _first_row(environment["IYU_DATABASE_URL"], process, started)


@contextmanager
def _stopped(arguments: list[str], folder: Path) -> Iterator[Process]:
    # Its services are in process groups of their own: it has to end them itself.
    with running(arguments, {}, folder) as process:
        try:
            yield process
        finally:
            process.popen.terminate()
            process.wait(READY_SECONDS)


def _is_there(data: Path) -> bool:
    """Say whether Redis and the tables can be used: the file is written last but Redis."""
    if not (data / FILE_NAME).exists():
        return False
    environment = read_environment(data)
    import redis

    try:
        with connected(environment["IYU_DATABASE_URL"]) as engine:
            check(engine)
        with redis.Redis.from_url(environment["IYU_BROKER_URL"]) as client:
            return bool(client.ping())
    except (KeyError, DatabaseOutdated, redis.RedisError):
        return False


def _first_row(address: str, process: Process, started: float) -> float:
    with connected(address) as engine:

        def is_stored() -> bool:
            with reading(engine) as connection:
                return connection.execute(explanations.select().limit(1)).first() is not None

        wait(is_stored, READY_SECONDS, process, every=0.005)
    return time.time() - started


def _print(model: str, figures: dict[str, Any]) -> None:
    seconds = figures["seconds"]
    rows = [(label, f"{seconds[label]:.2f}") for label in STAGES.values()]
    rows += [
        ("first row of `iyu worker`", f"{seconds['first row']:.2f}"),
        ("beside it: broker connected", f"{seconds['broker connected']:.2f}"),
        ("first row of `iyu up`", f"{seconds['iyu up']:.2f}"),
    ]
    table(f"{model}: start, medians", ("stage", "seconds"), rows)
    held = [
        (who, *(f"{found[kind]:,.0f}" for kind in ("rss", "pss", "uss")))
        for who, found in figures["memory_mib"].items()
    ]
    table(f"{model}: memory when warm", ("process", "RSS MiB", "PSS", "USS"), held)


if __name__ == "__main__":
    run(main)
