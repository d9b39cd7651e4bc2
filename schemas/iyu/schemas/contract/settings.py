"""What both sides read from the environment, prefix `IYU_`; secrets never reach a repr."""

from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from iyu.schemas.contract.errors import SettingsError

#: What stands in place of a secret.
HIDDEN: Final = "***"
#: Schemes of Redis, whose password is often given as if it were a user.
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "sentinel", "sentinels"})


class Settings(BaseSettings):
    """Where the broker and the database are, and how long a message may stay unacknowledged."""

    model_config = SettingsConfigDict(env_prefix="IYU_", extra="ignore", frozen=True)

    broker_url: SecretStr = SecretStr("redis://localhost:6379/0")
    #: The name by which Sentinels know the master; only where `broker_url` is theirs.
    redis_master: str | None = None
    database_url: SecretStr = SecretStr("sqlite:///iyu.db")
    #: The same database by a role that can only read (`iyu db reader-role`); None: `database_url`.
    reader_database_url: SecretStr | None = None
    #: Seconds until Redis hands an unacknowledged message out again. Longer than
    #: `task_time_limit`, or a slow chunk would be scored twice.
    visibility_timeout: int = Field(300, ge=1)
    #: Seconds after which a worker process that hangs in one chunk is killed.
    task_time_limit: int = Field(120, ge=1)
    #: Reviews in a bulk message: large enough to amortise a commit, small enough to be soon done.
    chunk_size: int = Field(512, ge=1, le=512)
    #: Pending reviews past which a producer waits, or raises Backlogged.
    high_water: int = Field(2_000_000, ge=1)
    #: Seconds a chunk may be on its way; one the broker does not hold by then is published again.
    stale_after: float = Field(10.0, gt=0, le=86_400)
    #: Seconds between two sweeps.
    sweep_every: float = Field(10.0, gt=0, le=86_400)
    #: What a long-running process writes to stderr: lines for people, or JSON objects.
    log: Literal["text", "json"] = "text"
    #: Times a chunk may be begun before it is split into single reviews.
    max_attempts: int = Field(3, ge=1)

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment.

        Raises SettingsError with the variable's name, never its value.
        """
        try:
            settings = cls(**{k: v for k, v in overrides.items() if v is not None})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = "IYU_" + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{name}: {first['msg']}; correct it in the environment") from None
        except OSError as error:  # a default in the temporary folder, and there is none
            raise SettingsError(
                f"a default setting cannot be made: {error.strerror}; "
                "set TMPDIR to a folder that can be written"
            ) from error
        if settings.visibility_timeout <= settings.task_time_limit:
            raise SettingsError(
                "IYU_VISIBILITY_TIMEOUT must be longer than IYU_TASK_TIME_LIMIT, "
                "or a slow chunk is scored twice; raise the first or lower the second"
            )
        return settings

    @property
    def broker(self) -> str:
        """The broker's address with its secret: for connecting, never for printing."""
        return self.broker_url.get_secret_value()

    @property
    def database(self) -> str:
        """The database's address with its secret: for connecting, never for printing."""
        return self.database_url.get_secret_value()

    @property
    def reader_database(self) -> str:
        """The address for reading alone, with its secret; the database's own where none is set."""
        if self.reader_database_url is None:
            return self.database
        return self.reader_database_url.get_secret_value()

    def describe(self) -> dict[str, str]:
        """Return the settings for people: passwords masked."""
        shown = {k: str(v) for k, v in self.model_dump().items()}
        return shown | {
            "broker_url": mask(self.broker),
            "database_url": mask(self.database),
            "reader_database_url": mask(self.reader_database),
        }


def mask(address: str) -> str:
    """Return an address with its secrets replaced by ***; the whole of one that does not parse.

    Hidden are the password, and parameters such as `?password=` and `?sslpassword=`.
    """
    if ";" in address:  # several Sentinels
        return ";".join(map(mask, address.split(";")))
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # ValueError: a port that is not a number
        return HIDDEN
    if url.host and "@" in url.host:  # of a password that holds an @
        return HIDDEN
    shown = {name: HIDDEN if _is_secret(name) else value for name, value in url.query.items()}
    # What stands alone before the @ may be a password whose colon was forgotten.
    lone = url.get_backend_name() in REDIS_SCHEMES and url.username and url.password is None
    user = HIDDEN if lone else url.username
    masked = url.set(query=shown, username=user).render_as_string(hide_password=True)
    return masked.replace("%2A%2A%2A", HIDDEN)


def _is_secret(parameter: str) -> bool:
    return any(word in parameter.lower() for word in ("pass", "secret", "token"))


def sqlite_path(address: str) -> Path | None:
    """Return the file behind a SQLite address, None for another database or one in memory."""
    from sqlalchemy import make_url

    url = make_url(address)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)
