"""The SQL that README and the documents print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.harness.services import ROOT

PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
#: A block of SQL, with the database that the line above names, if any.
_BLOCK: Final = re.compile(r"(?:(PostgreSQL|SQLite):\n\n)?```sql\n(.*?);?\n```", re.DOTALL)
#: A query on a command line; one with an ellipsis is a pattern, no query.
_COMMAND: Final = re.compile(r'iyu sql "([^"…]+)"')


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL of a page."""

    page: str  # file name
    dialect: str | None  # sqlite, postgresql, or None for both
    sql: str

    @property
    def is_query(self) -> bool:
        """Whether it only reads."""
        return self.sql.startswith(("SELECT", "WITH"))


def statements() -> Iterator[Statement]:
    """Yield every SQL statement of every page, in the order of the pages."""
    for path in PAGES:
        yield from _statements(path)


def _statements(path: Path) -> Iterator[Statement]:
    page = path.read_text(encoding="utf-8")
    for dialect, sql in _BLOCK.findall(page):
        yield Statement(path.name, dialect.lower() or None, sql)
    for sql in _COMMAND.findall(page):
        yield Statement(path.name, None, sql)
