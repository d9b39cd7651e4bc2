"""Which columns hold the text and the id, and the id of a review that has none."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from iyu.schemas.contract.errors import InputError

TEXT_COLUMNS: Final = ("text", "document", "review", "comment", "content")
ID_COLUMNS: Final = ("review_id", "id")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns to read; without an id column the id is made of the text, see `id_of_text`."""

    text: str
    key: str | None


def choose(
    there: Sequence[str], text_column: str | None, id_column: str | None, name: str
) -> Columns:
    """Choose the columns: as asked, or by their usual names.

    Raises InputError, naming the columns there are.
    """
    for wanted in (text_column, id_column):
        if wanted is not None and wanted not in there:
            raise InputError(f"{name} has no column {wanted!r}; it has: {_listed(there)}")
    return Columns(text_column or _only_text(there, name), id_column or _usual_id(there))


def id_of_text(text: object) -> str:
    """Return the id of a review that came without one: the same text has the same id.

    16 hexadecimal digits (BLAKE2b) of the trimmed text in NFC.
    """
    clean = unicodedata.normalize("NFC", str(text).strip())
    return blake2b(clean.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def _only_text(there: Collection[str], name: str) -> str:
    found = [column for column in TEXT_COLUMNS if column in there]
    if len(found) == 1:
        return found[0]
    what = "several columns that may hold the text" if found else "no column with a usual name"
    raise InputError(
        f"{name} has {what}; name the one with the reviews by --text-column; "
        f"it has: {_listed(there)}"
    )


def _usual_id(there: Collection[str]) -> str | None:
    return next((column for column in ID_COLUMNS if column in there), None)


def _listed(there: Collection[str]) -> str:
    # The first line of a file without a header is a review: no need to show it whole.
    names = [name if len(name) <= 40 else name[:39] + "…" for name in there]
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
