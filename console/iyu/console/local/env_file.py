"""Where a command finds its broker and database without options or variables.

The real environment comes first. If it names neither IYU_BROKER_URL nor IYU_DATABASE_URL, and
`./iyu-data/iyu.env` is there (written by `iyu up`), both come from that file.
"""

import os
import shlex
from pathlib import Path
from typing import Any, Final, TypeVar, overload

from iyu.schemas.contract.settings import Settings

#: The folder of `iyu up` that commands search, and the file that it writes there.
DEFAULT_FOLDER: Final = Path("iyu-data")
FILE_NAME: Final = "iyu.env"

AnySettings = TypeVar("AnySettings", bound=Settings)


@overload
def load_settings(**overrides: Any) -> Settings: ...


@overload
def load_settings(kind: type[AnySettings], **overrides: Any) -> AnySettings: ...


def load_settings(kind: type[Settings] = Settings, **overrides: Any) -> Settings:
    """Read settings of a kind; a command's own options come before everything.

    Raises SettingsError.
    """
    is_set = os.environ.get("IYU_BROKER_URL") or os.environ.get("IYU_DATABASE_URL")
    found = {} if is_set else read_environment(DEFAULT_FOLDER)
    named = {
        "broker_url": found.get("IYU_BROKER_URL"),
        "database_url": found.get("IYU_DATABASE_URL"),
    }
    given = {name: value for name, value in overrides.items() if value is not None}
    return kind.load(**(named | given))


def read_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a folder's `iyu.env`; empty if there is none."""
    try:
        lines = (folder / FILE_NAME).read_text().splitlines()
    except OSError:
        return {}
    pairs = (word.partition("=") for line in lines for word in shlex.split(line)[1:])
    return {name: value for name, _, value in pairs}


def write_environment(folder: Path, variables: dict[str, str]) -> Path:
    """Write `iyu.env`: lines that a shell can source, readable by its owner alone."""
    path = folder / FILE_NAME
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"export {k}={shlex.quote(v)}\n" for k, v in variables.items()))
    return path
