"""Words count the same, whether or not their morphemes have numbers."""

from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest

from iyu.worker.rows.count_keywords import Tally
from iyu.worker.text.morpheme_numbers import MorphemeNumbers

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
#: Two reviews: (surface, tag, heat).
REVIEWS = (
    (
        ("영화", "NNG", 0.5),
        ("가", "JKS", 0.25),
        ("최고", "NNG", 1.0),
        ("영화", "NNG", -0.25),
        ("010", "SN", 0.5),
    ),
    (("노잼", "NNG", -1.0), ("영화", "NNG", None), ("최고", "NNG", 0.5), ("최고", "MAG", 2.0)),
)


def counted(numbers: MorphemeNumbers | None) -> Counter[tuple[str, str]]:
    """Return the sums of both reviews by word and column."""
    tally = Tally("shop")
    for review in REVIEWS:
        surfaces, tags, heats = zip(*review, strict=True)
        lines = [f"{surface}\t{tag}" for surface, tag in zip(surfaces, tags, strict=True)]
        given = numbers and [(numbers.find(line) or numbers.learn(line))[3] for line in lines]
        tally.add(("v1", "gradcam"), NOON, 1, surfaces, tags, heats, given)
    payload = tally._payload()
    assert payload is not None
    sums: Counter[tuple[str, str]] = Counter()
    for *_, words, reviews, occurrences, heat, squared in orjson.loads(payload)["words"]:
        columns = words.split("\n"), reviews, occurrences, heat, squared
        for word, *figures in zip(*columns, strict=True):
            names = ("reviews", "occurrences", "heat", "squared")
            for name, figure in zip(names, figures, strict=True):
                sums[word, name] += figure
    return sums


def test_a_word_counts_once_a_review_and_a_particle_never():
    sums = counted(None)
    assert sums["영화\tNNG", "reviews"] == 1, "a token without heat does not count"
    assert sums["영화\tNNG", "occurrences"] == 2
    assert sums["영화\tNNG", "heat"] == 0.25
    assert sums["최고\tNNG", "reviews"] == 2
    assert sums["최고\tMAG", "heat"] == 2.0
    assert sums["영화\tNNG", "squared"] == 0.0625, "of the sum in a review, not of each token"
    assert sums["최고\tNNG", "squared"] == 1.25
    assert ("가\tJKS", "reviews") not in sums
    assert not any(word.endswith("SN") for word, _ in sums), "a number may be a person's"


@pytest.mark.parametrize("room", [0, 1, 2, 3, 100])
def test_it_does_not_matter_how_many_morphemes_are_remembered(room: int):
    assert counted(MorphemeNumbers(room)) == counted(None)
