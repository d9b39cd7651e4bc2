"""The words that moved most, with their shares, their heat and reviews that hold them."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from iyu.console.trust.drift.daily_words import Words
from iyu.console.trust.drift.shuffled_days import Floats
from iyu.console.trust.drift.sides import Sides
from iyu.console.trust.drift.word_order import WordsCompared
from iyu.console.trust.word_examples import find_examples


@dataclass(frozen=True, slots=True)
class MovedWord:
    """A word that more reviews hold than before, or fewer."""

    surface: str
    pos: str
    noticed: bool  # more than chance explains
    reference_share: float  # of reviews
    window_share: float
    reference_heat: float | None  # of a review that holds it; None: none does
    window_heat: float | None
    examples: list[dict[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


def find_moved(
    words: Words, compared: WordsCompared, sizes: Floats, in_window: Any, most: int
) -> list[MovedWord]:
    """Return the words that moved most, the furthest first; sizes: (days,) reviews."""
    furthest = np.argsort(-np.abs(compared.moves), kind="stable")[:most]
    shares: list[Floats] = []
    heats: list[list[float | None]] = []
    for side in (~in_window, in_window):
        held, heat = (d[side].sum(axis=0) for d in (words.days.reviews, words.days.heat))
        shares.append(held / sizes[side].sum())
        heats.append([float(h / n) if n > 0 else None for h, n in zip(heat, held, strict=True)])
    return [
        MovedWord(
            surface=words.names[n][0],
            pos=words.names[n][1],
            noticed=bool(abs(compared.moves[n]) > compared.furthest.limit),
            reference_share=float(shares[0][n]),
            window_share=float(shares[1][n]),
            reference_heat=heats[0][n],
            window_heat=heats[1][n],
            examples=[],
        )
        for n in furthest.tolist()
    ]


def with_examples(
    connection: Connection, key: tuple[str, str], sides: Sides, moved: list[MovedWord]
) -> list[MovedWord]:
    """Return the words with reviews: of the window if more hold them now, else of the reference."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for side, rose in ((sides.window, True), (sides.reference, False)):
        names = [
            (word.surface, word.pos)
            for word in moved
            if (word.window_share >= word.reference_share) == rose
        ]
        if names:
            found |= find_examples(connection, key, names, side.of_reviews())
    return [replace(word, examples=found.get((word.surface, word.pos), [])) for word in moved]
