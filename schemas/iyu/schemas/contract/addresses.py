"""Addresses of mail and web in a text: they may be a person's, so no sum of words counts them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

#: Ends of addresses that stand without `http://` or `www.`: the ones Korean reviews have.
_DOMAINS: Final = "com|net|org|kr|jp|cn|us|io|me|tv|co|info|biz|app|dev|shop|store|xyz|ly|gl|be"
#: It begins at a dot, so that a text is searched for dots alone.
_DOMAIN: Final = re.compile(
    rf"\.(?<=www.)|\.(?<=[a-z0-9].)(?:{_DOMAINS})(?![a-z0-9])", re.IGNORECASE | re.ASCII
)
#: No token lies in an address.
NONE: Final[frozenset[int]] = frozenset()
_RUN: Final = re.compile(r"\S+")


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end (characters) of every run without blanks that holds an address.

    What is written on to it, a particle or a whole sentence, is part of it.
    """
    if not _holds_address(text):  # nearly every text
        return
    for run in _RUN.finditer(text):
        if _holds_address(run.group()):
            yield run.span()


def address_tokens(text: str, starts: Sequence[int], ends: Sequence[int]) -> frozenset[int]:
    """Return the numbers of the tokens that lie in an address.

    starts, ends: (tokens,) characters into the text.
    """
    if not _holds_address(text):  # nearly every text: without a generator, this is a microsecond
        return NONE
    return frozenset(
        number
        for begin, end in find_addresses(text)
        for number, (start, stop) in enumerate(zip(starts, ends, strict=True))
        if start < end and stop > begin
    )


def _holds_address(text: str) -> bool:
    if "@" in text or "://" in text or "＠" in text:
        return True
    return "." in text and _DOMAIN.search(text) is not None
