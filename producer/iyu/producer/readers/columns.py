"""The columns that hold text and id, and what a reader yields of them."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import blake2b
from typing import Final

from iyu.producer.readers.written_times import read_written
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Reason, Rejection

#: A raw review: (review_id, text) as they stand in the file, perhaps with when it was written.
RawReview = tuple[object, object] | tuple[object, object, object]
#: What a reader yields: a raw review, or a row that could not be read.
RawRow = RawReview | Rejection

TEXT_COLUMNS: Final = ("text", "document", "review", "comment", "content")
ID_COLUMNS: Final = ("review_id", "id")


@dataclass(frozen=True, slots=True)
class Options:
    """How to read a file."""

    name: str  # for messages
    text_column: str | None = None
    id_column: str | None = None
    time_column: str | None = None  # None: when reviews were written is not read
    zone: tzinfo | None = None  # of times that state none
    quotes: bool = True  # False: quotes are plain characters
    skipped: int = 0  # blank lines above the first one


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns to read; without an id column the id is made of the text, see `id_of_text`."""

    text: str
    key: str | None
    time: str | None = None


def choose_columns(present: Sequence[str], options: Options) -> Columns:
    """Choose the columns that the options name, or those with a usual name.

    Raises InputError, which lists the columns that are present.
    """
    name = options.name
    for wanted in (options.text_column, options.id_column, options.time_column):
        if wanted is not None and wanted not in present:
            raise InputError(f"{name} has no column {wanted!r}; it has: {_listed(present)}")
    chosen = Columns(
        options.text_column or _only_text(present, name),
        options.id_column or _usual_id(present),
        options.time_column,
    )
    for column in (chosen.text, chosen.key, chosen.time):
        if present.count(column or "") > 1:
            raise InputError(f"{name} has the column {column!r} more than once; rename one of them")
    return chosen


def malformed(line: int) -> Rejection:
    """Return the rejection of a line that cannot be read as a row."""
    return Rejection(f"line {line}", Reason.MALFORMED_ROW)


def read_time(value: object, row: str, options: Options) -> datetime | None:
    """Return when a review was written; None if the file does not say.

    row: where it stands, as "line 5". Raises InputError for what is no time.
    """
    try:
        return read_written(value, options.zone)
    except ValueError as error:
        raise InputError(
            f"{row} of {options.name}: {str(value)[:40]!r} in the column "
            f"{options.time_column!r} {error}"
        ) from None


def id_of_text(text: object) -> str:
    """Return the id of a review without one: the same text has the same id.

    16 hexadecimal digits (BLAKE2b) of the trimmed text in NFC.
    """
    clean = unicodedata.normalize("NFC", str(text).strip())
    return blake2b(clean.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def _only_text(present: Collection[str], name: str) -> str:
    found = [column for column in TEXT_COLUMNS if column in present]
    if len(found) == 1:
        return found[0]
    what = "several columns that may hold the text" if found else "no column with a usual name"
    raise InputError(
        f"{name} has {what}; name the one with the reviews by --text-column; "
        f"it has: {_listed(present)}"
    )


def _usual_id(present: Collection[str]) -> str | None:
    return next((column for column in ID_COLUMNS if column in present), None)


def _listed(present: Collection[str]) -> str:
    # The first line of a file without a header is a review: no need to show it whole.
    names = [name if len(name) <= 40 else name[:39] + "…" for name in present]
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
