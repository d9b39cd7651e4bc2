"""Migrations are history: what they do must not change with the code."""

import ast
from pathlib import Path

from iyu.schemas.sql import migrations

VERSIONS = sorted((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def test_no_migration_imports_our_code():
    assert VERSIONS
    ours = {
        (path.name, name)
        for path in VERSIONS
        for name in imported(path)
        if name.startswith((".", "iyu"))
    }
    assert ours == set()
