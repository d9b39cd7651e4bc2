"""What a reader yields, and what it is told."""

from dataclasses import dataclass

from iyu.schemas.contract.review import Reason, Rejection

#: A raw review, (review_id, text) as they stand in the file, or a row that could not be read.
Pair = tuple[object, object]
Row = Pair | Rejection


@dataclass(frozen=True, slots=True)
class Options:
    """How to read a file."""

    name: str  # for messages
    text_column: str | None = None
    id_column: str | None = None
    quotes: bool = True  # False: quotes are plain characters
    skipped: int = 0  # blank lines above the first one


def malformed(line: int) -> Rejection:
    """Return the rejection of a line that cannot be read as a row."""
    return Rejection(f"line {line}", Reason.MALFORMED_ROW)
