"""A place in the feed, as an opaque text."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Final

from iyu.schemas.contract.errors import IyuError

#: The cursor before everything that the feed holds.
BEGINNING: Final = "0"
#: A position after every line of an event.
WHOLE: Final = 2**31 - 1
#: What a database can compare.
_LARGEST: Final = 2**63 - 1


class CursorError(IyuError):
    """A cursor that is none, is another database's, or stands before what was pruned."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Behind a line: transaction and event it is of, and its position in the event."""

    epoch: str  # of the database: cursors of a restored copy are not its own; "" is the beginning
    transaction: int  # PostgreSQL's xid8; 0 on SQLite, where ids alone are in commit order
    event_id: int
    position: int = WHOLE

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read what `str` wrote, or "0" for the beginning. Raises CursorError."""
        if text.strip() == BEGINNING:
            return cls("", 0, 0)
        try:
            padded = text.strip() + "=" * (-len(text.strip()) % 4)
            epoch, transaction, event_id, position = (
                urlsafe_b64decode(padded.encode("ascii")).decode("ascii").split(".")
            )
            return cls(epoch, *map(_checked, (transaction, event_id, position)))
        except (Base64Error, UnicodeError, ValueError):
            raise CursorError(
                "this is no cursor of the results feed; give the `cursor` of a line you have read, "
                "or 0 to begin at the beginning"
            ) from None

    def __str__(self) -> str:
        """Return the text that callers keep; its form is nobody's business."""
        if self.is_beginning:
            return BEGINNING
        plain = f"{self.epoch}.{self.transaction}.{self.event_id}.{self.position}"
        return urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @property
    def is_beginning(self) -> bool:
        """Whether it stands before everything."""
        return self.epoch == ""


def _checked(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LARGEST:
        raise ValueError("the databases know no such number")
    return number
