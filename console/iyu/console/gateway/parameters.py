"""What stands behind the ? of an address: a name or a value that is not known is refused."""

import math
from collections.abc import Collection
from http import HTTPStatus
from typing import TypeVar

from starlette.requests import Request

from iyu.console.gateway.answers import Problem

T = TypeVar("T", bound=str)


class Parameters:
    """The parameters of a request, each at most once."""

    def __init__(self, request: Request, known: Collection[str]) -> None:
        items = request.query_params.multi_items()
        self._values = dict(items)
        if unknown := sorted(self._values.keys() - set(known)):
            raise _wrong(
                f"the parameter {unknown[0]!r} is not known; choose of: {', '.join(known)}"
            )
        if len(items) > len(self._values):
            raise _wrong("a parameter is given twice")

    def text(self, name: str) -> str | None:
        """Return a text, None where it is not given."""
        return self._values.get(name)

    def choice(self, name: str, choices: Collection[T], usual: T) -> T:
        """Return one of the choices."""
        given = self._values.get(name, usual)
        for choice in choices:
            if choice == given:
                return choice
        raise _wrong(f"{name} takes one of: {', '.join(choices)}")

    def flag(self, name: str) -> bool:
        """Return whether it is true; false where it is not given."""
        return self.choice(name, ("true", "false"), "false") == "true"

    def number(self, name: str) -> float | None:
        """Return a finite number."""
        given = self._values.get(name)
        try:
            number = None if given is None else float(given)
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise _wrong(f"{name} takes a number, for example 0.3")
        return number


def _wrong(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail)
