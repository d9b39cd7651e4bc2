"""Reviews/s from submit to committed rows with explanations, against four other ways.

    python -m benchmarks.throughput PATH [--reviews 50000] [--runs 3] [--json FILE]

Two worker processes, SQLite and PostgreSQL, real reviews from PATH. The ways take turns, so that
a machine that slows down slows all of them down.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer

from benchmarks._command import run
from benchmarks._report import finish, header, note, progress, spread, table
from benchmarks._services import DATABASES
from benchmarks.ways import batches, ceiling, product, usual

Way = Callable[[str, Path, int, str], float]
Rates = dict[tuple[str, str], list[float]]  # (database, way): reviews/s of each run

NAMES: Final = {
    "iyu": "iyu: submit → rows",
    "scores": "iyu, scores alone, no explanations",
    "B3": "B3 no queue, file → rows",
    "B2": "B2 celery-batches",
    "B1": "B1 the usual worker in Celery chunks",
    "B0": "B0 the usual worker, a message a review",
}


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(help="For iyu and B3.")] = 50_000,
    slow: Annotated[int, typer.Option(help="For B0 and B1, which are slow.")] = 300,
    batched: Annotated[int, typer.Option(help="For B2.")] = 10_000,
    runs: Annotated[int, typer.Option(min=1)] = 3,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    ways: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(NAMES),
    model: Annotated[str, typer.Option(envvar="IYU_MODEL")] = "wide",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Throughput", reviews=reviews, slow=slow, batched=batched, runs=runs)
    amounts = {
        "iyu": reviews,
        "scores": reviews,
        "B3": reviews,
        "B2": batched,
        "B1": slow,
        "B0": slow,
    }
    rates: Rates = defaultdict(list)
    for turn in range(runs):
        for kind in databases.split(","):
            for way in ways.split(","):
                _measure(rates, kind, way, path, amounts[way], model, turn)
    _print(rates)
    result["reviews_per_second"] = {f"{kind} {way}": runs for (kind, way), runs in rates.items()}
    finish(result, json)


def _measure(
    rates: Rates, kind: str, way: str, path: Path, number: int, model: str, turn: int
) -> None:
    try:
        rate = _ways()[way](kind, path, number, model)
    except RuntimeError as error:
        note(f"[red]{NAMES[way]} on {kind} was not measured: {error}[/red]")
        return
    rates[kind, way].append(rate)
    progress.print(f"run {turn + 1}: {kind} {NAMES[way]}: {rate:,.0f} reviews/s")


def _ways() -> dict[str, Way]:
    return {
        "iyu": product.run,
        "scores": lambda *args: product.run(*args, methods="", count=False),
        "B3": ceiling.run,
        "B2": batches.run,
        "B1": lambda *args: usual.run(*args, chunks=True),
        "B0": lambda *args: usual.run(*args, chunks=False),
    }


def _print(rates: Rates) -> None:
    rows = []
    for (kind, way), found in sorted(rates.items(), key=lambda item: item[0][0], reverse=True):
        ours = rates.get((kind, "iyu"))
        ratio = f"{median(ours) / median(found):,.2f} ×" if ours and way != "iyu" else ""
        rows.append((f"{kind}: {NAMES[way]}", f"{median(found):,.0f}", spread(found), ratio))
    table("Reviews a second, medians", ("way", "reviews/s", "range", "iyu against it"), rows)


if __name__ == "__main__":
    run(main)
