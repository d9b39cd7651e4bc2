"""Where a command finds its broker and database without options or variables.

The real environment comes first. If it names neither IYU_BROKER_URL nor IYU_DATABASE_URL, and
`./iyu-data/iyu.env` is there (written by `iyu up`), both come from that file.
"""

import errno
import os
import shlex
import stat
import tempfile
from pathlib import Path
from typing import Any, Final, TypeVar, overload

from iyu.schemas.contract.errors import SettingsError
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
    """Return the variables of a folder's `iyu.env`; empty if there is none.

    Raises SettingsError for a file that is damaged, a link, or another user's: where reviews are
    sent is not for others to decide.
    """
    path = folder / FILE_NAME
    try:
        words = [shlex.split(line)[1:] for line in _read_own_file(path).split("\n")]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; delete it") from error
    except ValueError:  # not UTF-8, or a quote that is never closed
        raise SettingsError(f"{path} is damaged; delete it, and `iyu up` writes it anew") from None
    pairs = (word.partition("=") for line in words for word in line)
    return {name: value for name, _, value in pairs}


def _read_own_file(path: Path) -> str:
    # O_NONBLOCK: a named pipe in its place would hold every command up.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        if found.st_uid not in {os.geteuid(), 0} and os.geteuid() != 0:
            raise OSError(errno.EPERM, "it belongs to another user")
        return file.read().decode()


def write_environment(folder: Path, variables: dict[str, str]) -> Path:
    """Write `iyu.env`: lines that a shell can source, readable by its owner alone.

    Whatever stands under that name is replaced, a link and not what it points to.
    """
    path = folder / FILE_NAME
    number, temporary = tempfile.mkstemp(dir=folder, prefix=f".{FILE_NAME}-")  # mode 0600
    with open(number, "w", encoding="utf-8") as file:
        file.writelines(f"export {k}={shlex.quote(v)}\n" for k, v in variables.items())
    Path(temporary).replace(path)
    return path
