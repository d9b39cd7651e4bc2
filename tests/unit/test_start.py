"""TERM is heard by the first process of a container before anything heavy is imported."""

import subprocess
import sys

import pytest

FIRST = """
import os, signal, sys
os.getpid = lambda: {pid}
import iyu.console.start
heavy = sorted({{"typer", "celery", "pydantic", "sqlalchemy", "rich"}} & set(sys.modules))
print(signal.getsignal(signal.SIGTERM) is iyu.console.start._stop, heavy)
"""


@pytest.mark.parametrize(("pid", "caught"), [(1, True), (4711, False)])
def test_term_is_caught_first_thing_where_nobody_else_does(pid: int, caught: bool):
    done = subprocess.run(
        [sys.executable, "-P", "-c", FIRST.format(pid=pid)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{caught} []\n"


def test_it_ends_the_process_with_terms_own_code():
    code = "import os; me = os.getpid()" + FIRST.format(pid=1) + "os.kill(me, signal.SIGTERM)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False)
    assert done.returncode == 143
