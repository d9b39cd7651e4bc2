"""Real reviews, read from the file that was given."""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from iyu.producer.readers.files import read_rows
from iyu.schemas.contract.review import Review, admit

Raw = tuple[object, object]  # review_id, text, as they stand in the file


def raw_reviews(path: Path, start: int, stop: int) -> Iterator[Raw]:
    """Yield the rows of a file from one number to another."""
    for row in islice(read_rows(path), start, stop):
        if isinstance(row, tuple):
            yield row[0], row[1]


def read_reviews(path: Path, limit: int) -> list[Review]:
    """Return up to `limit` reviews of a file; those that break an entrance rule are left out."""
    verdicts = (admit(*row) for row in raw_reviews(path, 0, limit))
    return [verdict for verdict in verdicts if isinstance(verdict, Review)]


def renewed(reviews: list[Review], number: int) -> Iterator[Review]:
    """Yield `number` reviews: these texts again and again, under ids that grow with time."""
    endless = (review for _ in count() for review in reviews)
    for i, review in enumerate(islice(endless, number)):
        yield Review(f"{i:09d}", review.text)
