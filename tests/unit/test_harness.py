"""The harness serves benchmarks too, and they run where no pytest is installed."""

import ast
import subprocess
import sys

import pytest

from tests.harness.polling import poll
from tests.harness.services import ROOT, child_environment


def modules_of_tests(source: str) -> set[str]:
    """The modules of tests that a file imports."""
    nodes = ast.walk(ast.parse(source))
    found = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name for name in found if name.partition(".")[0] == "tests"}


def test_what_benchmarks_import_of_the_tests_needs_no_pytest():
    sources = [path.read_text() for path in (ROOT / "benchmarks").rglob("*.py")]
    modules = set().union(*map(modules_of_tests, sources))
    assert modules
    assert all(name.startswith("tests.harness.") for name in modules)
    lines = [*(f"import {name}" for name in sorted(modules)), "import sys"]
    program = "\n".join([*lines, "print('pytest' in sys.modules)"])
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_polling_ends_at_its_deadline_with_the_last_result():
    with pytest.raises(AssertionError, match="last result was 0"):
        poll(0.01, lambda: 0, every=0.001)
    assert poll(10, iter([0, "", 3]).__next__, every=0.001) == 3
