"""A review as a reader reads it: its eojeol, each with the heat of the morphemes in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

#: Share of the review's greatest heat from which a word gets level 1, 2, 3 and 4.
LEVELS: Final = (0.08, 0.3, 0.55, 0.8)
#: Words that the sentence for a screen reader names on each side.
_NAMED: Final = 3
_PIECES: Final = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Morpheme:
    """A token: what the model read."""

    surface: str
    pos: str
    heat: float | None  # None: outside the model's window
    level: int  # −4 … 4, of the review's greatest heat of a morpheme
    is_function: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """An eojeol, or the blanks between two."""

    text: str
    heat: float | None  # the sum over its morphemes; None: blanks, or all outside the window
    level: int  # −4 … 4, of the review's greatest heat of an eojeol
    is_outside: bool
    morphemes: tuple[Morpheme, ...]

    @property
    def css(self) -> str:
        """The class that draws it."""
        if self.is_outside:
            return "out"
        return level_class(self.level)


@dataclass(frozen=True, slots=True)
class HeatedText:
    """A whole review with its heat."""

    pieces: tuple[Piece, ...]
    up: tuple[str, ...]  # the words that pull up most, the strongest first
    down: tuple[str, ...]
    outside: int  # tokens that the model did not see

    @property
    def drawn(self) -> list[tuple[str, str]]:
        """Class and text of each stretch that is drawn alike: few elements for a long review."""
        stretches: list[tuple[str, str]] = []
        for piece in self.pieces:
            css = piece.css
            if stretches and stretches[-1][0] == css and css in {"", "out"}:
                css, text = stretches.pop()
                stretches.append((css, text + piece.text))
            elif stretches and stretches[-1][0] == "out" and not piece.text.strip():
                stretches[-1] = ("out", stretches[-1][1] + piece.text)
            else:
                stretches.append((css, piece.text))
        return stretches

    @property
    def within(self) -> "HeatedText":
        """The part that the model saw, with its heat."""
        outside = [number for number, piece in enumerate(self.pieces) if piece.is_outside]
        return replace(self, pieces=self.pieces[outside[-1] + 1 :]) if outside else self

    @property
    def morphemes(self) -> tuple[Morpheme, ...]:
        """All of them in order."""
        return tuple(one for piece in self.pieces for one in piece.morphemes)


def level_class(level: int) -> str:
    """Return the class of a level: u1 … u4 pulls up, d1 … d4 down, nothing between."""
    return f"{'u' if level > 0 else 'd'}{abs(level)}" if level else ""


def heated_text(text: str, tokens: Iterable[Mapping[str, Any]]) -> HeatedText:
    """Merge the tokens of a review into its eojeol.

    tokens: with surface, pos, start, heat and is_function, in order.
    """
    tokens = list(tokens)
    greatest = max((abs(t["heat"]) for t in tokens if t["heat"] is not None), default=0.0)
    groups = _group(text, tokens)
    sums = [_sum(group) for _, group in groups]
    greatest_sum = max((abs(heat) for heat in sums if heat is not None), default=0.0)
    pieces = tuple(
        Piece(
            piece,
            heat,
            _level(heat, greatest_sum),
            bool(group) and heat is None,
            tuple(_morpheme(token, greatest) for token in group),
        )
        for (piece, group), heat in zip(groups, sums, strict=True)
    )
    return HeatedText(
        pieces,
        _strongest(pieces, 1),
        _strongest(pieces, -1),
        sum(token["heat"] is None for token in tokens),
    )


def _group(
    text: str, tokens: Sequence[Mapping[str, Any]]
) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the pieces of the text, each with the tokens that begin in it."""
    groups: list[tuple[str, list[Mapping[str, Any]]]] = []
    following = 0
    for found in _PIECES.finditer(text):
        group = []
        while following < len(tokens) and tokens[following]["start"] < found.end():
            group.append(tokens[following])
            following += 1
        groups.append((found[0], group))
    return groups


def _sum(tokens: Sequence[Mapping[str, Any]]) -> float | None:
    heats = [token["heat"] for token in tokens if token["heat"] is not None]
    return sum(heats) if heats else None


def _level(heat: float | None, greatest: float) -> int:
    if not heat or not greatest:
        return 0
    share = abs(heat) / greatest
    level = sum(share >= bound for bound in LEVELS)
    return level if heat > 0 else -level


def _morpheme(token: Mapping[str, Any], greatest: float) -> Morpheme:
    return Morpheme(
        token["surface"],
        token["pos"],
        token["heat"],
        _level(token["heat"], greatest),
        bool(token.get("is_function")),
    )


def _strongest(pieces: Sequence[Piece], sign: int) -> tuple[str, ...]:
    pulling = sorted(
        (piece for piece in pieces if sign * piece.level >= 2),
        key=lambda piece: -abs(piece.heat or 0.0),
    )
    return tuple(dict.fromkeys(piece.text[:40] for piece in pulling))[:_NAMED]
