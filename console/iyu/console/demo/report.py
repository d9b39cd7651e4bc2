"""Shows the demo's scored reviews with their words coloured, keywords, and queries to try."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine, Row, text

from iyu.console.analysis.example_queries import QUESTIONS
from iyu.console.demo.run import SOURCE
from iyu.console.local.data_folder import DataFolder
from iyu.console.terminal.coloured_heat import has_colour, heated, legend
from iyu.console.terminal.safe_text import visible
from iyu.schemas.sql.engine import connected, reading

#: Reviews shown: evenly spread over all, in order of their score.
SHOWN_REVIEWS = 10
SHOWN_WORDS = 8

_SCORED = """
SELECT review_id, text, probability FROM review_scores
WHERE source = :source
ORDER BY probability DESC
"""
_TOKENS = """
SELECT review_id, surface, start, "end", pos, heat FROM token_heat
WHERE source = :source AND method = 'gradcam'
ORDER BY review_id, position
"""
_KEYWORDS = """
SELECT surface, mean_heat, reviews FROM keyword_importance
WHERE method = 'gradcam' AND is_function = 0 AND occurrences > 1
ORDER BY mean_heat DESC
"""


def report(folder: DataFolder, console: Console, *, kept: bool) -> None:
    """Print reviews, keywords and queries after the demo's file was scored."""
    with connected(folder.database_url) as engine:
        tokens = _rows(engine, _TOKENS, source=SOURCE)
        _print_reviews(_rows(engine, _SCORED, source=SOURCE), tokens, console)
        _print_keywords(_rows(engine, _KEYWORDS), console)
    if kept:
        _print_queries(folder, console)


def _rows(engine: Engine, query: str, **values: str) -> list[Row[Any]]:
    with reading(engine) as connection:
        return list(connection.execute(text(query), values))


def _print_reviews(rows: list[Row[Any]], tokens: list[Row[Any]], console: Console) -> None:
    colour = has_colour(console)
    table = Table("positive", "review", title=f"{SHOWN_REVIEWS} of {len(rows)} scored reviews")
    for number in range(SHOWN_REVIEWS):
        row = rows[number * (len(rows) - 1) // (SHOWN_REVIEWS - 1)]
        own = [token._asdict() for token in tokens if token.review_id == row.review_id]
        marked = heated(row.text, own, colour=colour)
        table.add_row(f"{row.probability:.1%}", marked)
    console.print(table)
    console.print(legend(colour=colour))


def _print_keywords(rows: list[Row[Any]], console: Console) -> None:
    table = Table("pulls up", "heat", "reviews", "pulls down", "heat", "reviews", title="Keywords")
    up = [row for row in rows if row.mean_heat > 0][:SHOWN_WORDS]
    down = [row for row in reversed(rows) if row.mean_heat < 0][:SHOWN_WORDS]
    for number in range(max(len(up), len(down))):
        table.add_row(*_cells(up, number), *_cells(down, number))
    console.print(table)


def _cells(rows: list[Row[Any]], number: int) -> tuple[str, str, str]:
    if number >= len(rows):
        return "", "", ""
    row = rows[number]
    return escape(visible(row.surface)), f"{row.mean_heat:+.3f}", str(row.reviews)


def _print_queries(folder: DataFolder, console: Console) -> None:
    program = _program()
    lines = [f"The database is {folder.path / 'iyu.db'}. Query it:", ""]
    lines.append(f"export IYU_DATABASE_URL={shlex.quote(folder.database_url)}")
    for question, query in QUESTIONS:
        lines += ["", f"# {question}", f'{program} sql "{query}"']
    lines += ["", "# Look at the reviews in a browser", f"{program} web"]
    # Not wrapped: a line that is copied has to stay one line.
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _program() -> str:
    if shutil.which("iyu"):
        return "iyu"
    started = Path(sys.argv[0])
    return (
        shlex.quote(os.path.relpath(started)) if started.name == "iyu" else "python -m iyu.console"
    )
