"""The settings of a worker, beside those that producers read too."""

import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings
from iyu.worker.available_cores import available_cores
from iyu.worker.compile_cache import default_folder


class WorkerSettings(Settings):
    """Which model, which explanations, how many processes, and how patient."""

    #: An artifact that ships, by name, or a folder that `iyu train` wrote.
    model: str = "wide"
    #: Explanation methods to store, comma-separated; empty: scores alone.
    methods: Annotated[tuple[str, ...], NoDecode] = ("gradcam",)
    #: Worker processes; each holds the model and uses `cores / concurrency` threads.
    concurrency: int = Field(default_factory=available_cores, ge=1)
    #: Seconds for which a process retries a chunk while the database does not answer, half of
    #: `task_time_limit` at most.
    database_patience: float = Field(60.0, ge=0)
    #: Seconds after which a worker ends that begins no chunk although reviews wait and broker and
    #: database answer. Longer than `task_time_limit`.
    silence_limit: float = Field(300.0, gt=0)
    #: A worker touches it every two seconds; each of several on one machine needs its own. None:
    #: one in the temporary folder.
    heartbeat_file: Path | None = None
    #: Where compiled passes are kept for the next start; empty: nowhere.
    compile_cache: Path | None = Field(default_factory=default_folder)

    @field_validator("methods", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("compile_cache", mode="before")
    @classmethod
    def _nowhere(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def heartbeat(self) -> Path:
        """The file of the heartbeat. Raises SettingsError where there is no place for it."""
        if self.heartbeat_file:
            return self.heartbeat_file
        try:
            return Path(tempfile.gettempdir()) / "iyu-worker.heartbeat"
        except FileNotFoundError:
            raise SettingsError(
                "no temporary folder can be written; set IYU_HEARTBEAT_FILE to a file that the "
                "worker may write, or TMPDIR to a folder"
            ) from None

    @property
    def patience(self) -> float:
        """Seconds of `database_patience` that the time limit allows."""
        return min(self.database_patience, self.task_time_limit / 2)

    @property
    def threads(self) -> int:
        """Threads TensorFlow may use in each process: processes × threads ≤ cores."""
        return max(1, available_cores() // self.concurrency)
