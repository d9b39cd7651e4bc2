"""Text of reviews on a terminal: what would steer the terminal is shown, not sent.

A review may hold escape sequences, which rewrite what stands above or the window's title, and
bidirectional controls, which show a line in another order than it has.
"""

import sys
from collections.abc import Iterable
from typing import IO, Final

#: Stands for a control character that has no picture of its own.
REPLACEMENT: Final = "\ufffd"
#: C0 but line feed and tab, DEL, C1, the bidirectional controls, line and paragraph separator.
_C0: Final = [*range(0x09), *range(0x0B, 0x20)]
_C1: Final = range(0x80, 0xA0)
_BIDI: Final = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SEPARATORS: Final = (0x2028, 0x2029)
_SURROGATES: Final = range(0xD800, 0xE000)
_OTHERS: Final = [*_C1, *_BIDI, *_SEPARATORS, *_SURROGATES]
#: One character for one: offsets into the text stay true.
_VISIBLE: Final = (
    {code: chr(0x2400 + code) for code in _C0}
    | {0x7F: "\u2421"}
    | dict.fromkeys(_OTHERS, REPLACEMENT)
)
_ESCAPED: Final = {code: f"\\u{code:04x}" for code in (0x7F, *_OTHERS)}


def visible(text: str) -> str:
    """Return a text with every control character replaced by a visible one, its length kept."""
    return text.translate(_VISIBLE)


def visible_line(text: str) -> str:
    """Return a text as one line: line feeds are visible too."""
    return visible(text).replace("\n", "\u240a")


def escaped_json(text: str) -> str:
    """Return the same JSON with the control characters that it may hold raw written as escapes."""
    return text.translate(_ESCAPED)


def is_terminal(file: IO[str] | None = None) -> bool:
    """Whether what is printed goes to a terminal and not to a file or program."""
    return (file or sys.stdout).isatty()


def visible_cells(row: Iterable[object]) -> list[object]:
    """Return a row with its texts made visible."""
    return [visible(cell) if isinstance(cell, str) else cell for cell in row]
