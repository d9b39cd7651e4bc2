"""Real reviews, read from the file that was given."""

from itertools import count, islice
from pathlib import Path

from producer.readers import read_rows
from schemas.review import Review, admit


def read_reviews(path: Path, limit: int) -> list[Review]:
    """Return up to `limit` reviews of a file; those that break an entrance rule are left out."""
    rows = (row for row in read_rows(path) if isinstance(row, tuple))
    verdicts = (admit(*row) for row in rows)
    return list(islice((v for v in verdicts if isinstance(v, Review)), limit))


def repeated(reviews: list[Review], number: int) -> list[Review]:
    """Return `number` reviews: these, and these again under new ids."""
    rounds = (
        Review(f"{review.review_id}-{turn}" if turn else review.review_id, review.text)
        for turn in count()
        for review in reviews
    )
    return list(islice(rounds, number))
