"""What a worker reads from the environment, beside what both sides read."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from iyu.schemas.contract.settings import Settings


class WorkerSettings(Settings):
    """Which model, which explanations, how many processes, and how patient."""

    #: An artifact that ships, by name, or a folder that `iyu train` wrote.
    model: str = "wide"
    #: Explanation methods to store, comma-separated; empty: scores alone.
    methods: Annotated[tuple[str, ...], NoDecode] = ("gradcam",)
    #: Worker processes; each holds the model and uses `cores / concurrency` threads.
    concurrency: int = Field(os.cpu_count() or 1, ge=1)
    #: Seconds a chunk is tried again in its process while the database does not answer, half of
    #: `task_time_limit` at most.
    database_patience: float = Field(60.0, ge=0)
    #: Seconds without a beginning, while reviews wait and broker and database answer, after which
    #: a worker ends. Longer than `task_time_limit`.
    silence_limit: float = Field(300.0, gt=0)
    #: A worker touches it every two seconds; each of several on one machine needs its own.
    heartbeat_file: Path = Path(tempfile.gettempdir()) / "iyu-worker.heartbeat"

    @field_validator("methods", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @property
    def patience(self) -> float:
        """Seconds of `database_patience` that the time limit allows."""
        return min(self.database_patience, self.task_time_limit / 2)

    @property
    def threads(self) -> int:
        """Threads TensorFlow may use in each process: processes × threads ≤ cores."""
        return max(1, (os.cpu_count() or 1) // self.concurrency)
