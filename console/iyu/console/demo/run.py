"""Runs the demo: Redis, a worker process and `iyu submit` over one file."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from iyu.console.demo.reviews import write_reviews
from iyu.console.local.data_folder import DataFolder, command, run_locally
from iyu.console.local.supervisor import Supervisor
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.sql.engine import connected, writing
from iyu.schemas.sql.rare_words import hide_rare_words

#: Seconds after which the demo gives up; loading TensorFlow takes most of it.
PATIENCE_SECONDS = 300.0
SOURCE = "demo"


def score_demo_file(path: Path, say: Callable[[str], None]) -> DataFolder:
    """Write the demo's file, send it through broker and worker, and stop everything again.

    Raises IyuError that names the worker's log.
    """
    folder = DataFolder(path)
    log = folder.path / "worker.log"
    running = run_locally(folder, say, concurrency=1, methods="gradcam", log=log)
    with running as (supervisor, variables):
        file = folder.path / "reviews.tsv"
        count = write_reviews(file)
        say(f"{count} lines in {file}; a worker loads the model (its log: {log})\n")
        if not _submit(file, supervisor, variables):
            raise IyuError(f"the demo's reviews were not scored; the worker's log is {log}")
    _complete_daily_sums(folder)
    with connected(folder.database_url) as engine, writing(engine) as connection:
        hide_rare_words(connection, 1)  # so few reviews have no frequent words
    return folder


def _complete_daily_sums(folder: DataFolder) -> None:
    """Do what the next sweep would have done, so that the page shows words at once."""
    from iyu.worker.rows.add_to_keyword_days import add_all_deltas

    with connected(folder.database_url) as engine:
        add_all_deltas(engine)


def _submit(file: Path, supervisor: Supervisor, variables: dict[str, str]) -> bool:
    columns = ["--id-column", "id", "--text-column", "text", "--source", SOURCE]
    submit = subprocess.Popen(  # noqa: S603 - our own command line
        command("submit", str(file), *columns, "--wait"), env=os.environ | variables
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    supervisor.watch(lambda: submit.poll() is not None or time.monotonic() > deadline)
    if submit.poll() is None:
        submit.terminate()
    return submit.wait() == 0
