import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from iyu.console.main import app

HEAVY = ("tensorflow", "konlpy", "pandas", "sqlalchemy", "celery", "pyarrow")


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments), prog_name="iyu")


def test_help_loads_nothing_heavy():
    code = f"import sys, iyu.console.main; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_printed():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("iyu")


def test_a_foreseen_error_is_one_line_and_its_exit_code(tmp_path: Path):
    result = run("db", "check", "--database", f"sqlite:///{tmp_path}/none.db")
    assert result.exit_code == 2
    assert result.stderr.startswith("iyu: error: ")
    assert "iyu db upgrade" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [["db", "upgrade"], ["db", "check"], ["sql", "SELECT 1"]])
def test_a_file_that_is_no_database_is_one_line(tmp_path: Path, command: list[str]):
    (tmp_path / "reviews.csv").write_text("id,text\n1,좋아요\n" * 100)
    result = run(*command, "--database", f"sqlite:///{tmp_path}/reviews.csv")
    assert result.exit_code == 2
    assert "is not a SQLite database" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    result = run("up", "--data", str(tmp_path / "file" / "data"))
    assert result.exit_code == 2
    assert "give another --data" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_error_of_the_system_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    result = run("db", "upgrade", "--database", f"sqlite:///{tmp_path}/file/iyu.db")
    assert result.exit_code == 1
    assert result.stderr.startswith("iyu: error: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_text_that_cannot_be_scored_is_one_line():
    result = run("score", "좋아요", "   ")
    assert result.exit_code == 2
    assert result.stderr == "iyu: error: text 2 cannot be scored: empty\n"


def test_upgrade_makes_tables_that_check_accepts(tmp_path: Path):
    address = f"sqlite:///{tmp_path}/new/iyu.db"
    assert run("db", "upgrade", "--database", address).exit_code == 0
    assert run("db", "check", "--database", address).exit_code == 0


@pytest.mark.parametrize("command", ["--help", "db"])
def test_help_is_on_everything(command: str):
    assert "Usage" in run(*command.split()).output
