"""Labels from a file: source, review_id and label of each review."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Final

from iyu.producer.readers.files import read_rows
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Rejection, admit

_LABELS: Final = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "False": 0, "True": 1}


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """What a person said of a review."""

    source: str
    review_id: str
    label: int  # 1 positive, 0 negative


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """The columns of a file."""

    label: str = "label"
    review_id: str = "review_id"
    source: str = "source"


def read_labels(path: Path, columns: LabelColumns, source: str | None) -> list[GivenLabel]:
    """Read all labels of a CSV, TSV, JSON Lines or Parquet file; source: of all of them.

    Where a review stands in the file more than once, its last label counts.

    Raises InputError for a row that cannot be read, and for a label that is neither 0 nor 1.
    """
    pairs = _columns(path, columns.label, columns.review_id)
    if source is not None:
        sources: Iterable[object] = repeat(source)
    else:
        sources = (name for _, name in _columns(path, columns.source, columns.review_id))
    found: dict[tuple[str, str], GivenLabel] = {}
    for number, ((review_id, label), of) in enumerate(zip(pairs, sources, strict=False), start=1):
        given = _checked(path, number, of, review_id, label)
        found[given.source, given.review_id] = given
    return list(found.values())


def _columns(path: Path, value: str, key: str) -> Iterator[tuple[object, object]]:
    for row in read_rows(path, value, key):
        if isinstance(row, Rejection):
            raise InputError(f"{path}: {row.review_id} cannot be read as a row; correct it")
        yield row[0], row[1]


def _checked(
    path: Path, number: int, source: object, review_id: object, label: object
) -> GivenLabel:
    verdict = admit(review_id, "-")  # a text that is always admitted
    if isinstance(verdict, Rejection):
        raise InputError(f"{path}: the id in row {number:,} cannot be one: {verdict.reason}")
    if not isinstance(source, str) or not 1 <= len(source) <= 100:
        raise InputError(
            f"{path}: row {number:,} has no source of 1 to 100 characters; give --source NAME"
        )
    if (value := _LABELS.get(str(label).strip())) is None:
        raise InputError(
            f"{path}: the label {str(label)[:40]!r} in row {number:,} is neither 0 nor 1; correct "
            "it, or name another --label-column"
        )
    return GivenLabel(source, verdict.review_id, value)
