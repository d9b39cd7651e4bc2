"""Exit codes of the command line: one a cause, so that a script can react without reading text."""

from typing import Final

from iyu.schemas.contract.errors import (
    ArtifactError,
    Backlogged,
    BrokerUnavailable,
    DatabaseOutdated,
    DatabaseUnavailable,
    InputError,
    IyuError,
    SettingsError,
)

#: Nothing was accepted, a process ended wrongly, or the cause is none of those below.
FAILED: Final = 1
#: Wrong options, settings, input, model artifact or tables: running it again changes nothing.
WRONG_USE: Final = 2
#: Broker or database does not answer: the same command may work later.
SIDE_DOWN: Final = 3
#: A check found something: too many reviews are pending already.
CHECK_FAILED: Final = 4
#: `--timeout` is over and reviews are still pending.
TIMED_OUT: Final = 5
#: Everything is done, and some reviews became dead letters.
DEAD_LETTERS: Final = 6
#: Ctrl-C or SIGTERM: 128 + SIGINT, as shells do.
INTERRUPTED: Final = 130

_CODES: Final[tuple[tuple[type[IyuError], int], ...]] = (
    (SettingsError, WRONG_USE),
    (InputError, WRONG_USE),
    (ArtifactError, WRONG_USE),
    (DatabaseOutdated, WRONG_USE),
    (BrokerUnavailable, SIDE_DOWN),
    (DatabaseUnavailable, SIDE_DOWN),
    (Backlogged, CHECK_FAILED),
)


def exit_code(error: IyuError) -> int:
    """Return the exit code of a command that this error ends; FAILED for any other cause."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
