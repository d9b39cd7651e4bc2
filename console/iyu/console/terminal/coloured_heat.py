"""A review on a terminal: its words coloured by heat, or marked with signs without colour."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from iyu.console.terminal.safe_text import visible

#: Blue pulls up, orange pulls down: distinct also for readers who do not see red and green.
POSITIVE, NEGATIVE = (60, 130, 235), (240, 120, 30)
#: Share of the review's greatest heat below which a word stays plain.
FAINT, STRONG, STRONGEST = 0.1, 0.4, 0.75


def has_colour(console: Console) -> bool:
    """Return whether the console shows colours."""
    return console.color_system is not None and not console.no_color


def heated(text: str, tokens: Iterable[Mapping[str, Any]], *, colour: bool) -> Text:
    """Return a review with its words coloured, or else marked like [+재미] and [--억지].

    tokens: as stored, with start, end and heat. Intensity is |heat| relative to the greatest.
    """
    known = [(t["start"], t["end"], t["heat"]) for t in tokens if t["heat"]]
    greatest = max((abs(heat) for _, _, heat in known), default=0.0)
    shares = [(start, end, heat / greatest) for start, end, heat in known]
    text = visible(text)  # as long as before: the offsets stay true
    return _coloured(text, shares) if colour else _marked(text, shares)


def legend(*, colour: bool) -> Text:
    """Return one line that explains the colours or signs."""
    if not colour:
        return Text("[+ …] speaks for a positive review, [- …] against it; two signs: strongly.")
    return Text.assemble(
        ("pulls up", _style(1.0)), " speaks for a positive review, ",
        ("pulls down", _style(-1.0)), " against it; the stronger, the deeper.",
    )  # fmt: skip


def _coloured(text: str, shares: Sequence[tuple[int, int, float]]) -> Text:
    rich_text = Text(text)
    for start, end, share in shares:
        if abs(share) >= FAINT:
            rich_text.stylize(_style(share), start, end)
    return rich_text


def _style(share: float) -> Style:
    # From white to the hue, black letters on it: readable on dark and on light terminals.
    hue = POSITIVE if share > 0 else NEGATIVE
    red, green, blue = (round(255 + abs(share) * (part - 255)) for part in hue)
    return Style.parse(f"black on #{red:02x}{green:02x}{blue:02x}")


def _marked(text: str, shares: Sequence[tuple[int, int, float]]) -> Text:
    pieces: list[str] = []
    done = 0
    for start, end, share in shares:
        if abs(share) < STRONG:
            continue
        sign = ("+" if share > 0 else "-") * (2 if abs(share) >= STRONGEST else 1)
        pieces += [text[done:start], "[", sign, text[start:end], "]"]
        done = end
    return Text("".join([*pieces, text[done:]]))
