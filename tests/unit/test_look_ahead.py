"""The last look is shown while the next is made, and never for longer than a minute."""

from collections.abc import Callable
from itertools import count
from threading import Event

import pytest

from iyu.console.metrics.look_ahead import OLDEST_SECONDS, LookAhead
from tests.harness.polling import poll


class Ledger:
    """Looks that tell their number, and wait where they are told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_large = True
        self.may_go_on = Event()
        self.may_go_on.set()
        self.fails = False
        self._number = count(1)

    def look(self) -> int:
        assert self.may_go_on.wait(60)
        if self.fails:
            raise LookupError
        return next(self._number)

    def ahead(self) -> LookAhead[int]:
        return LookAhead(self.look, lambda _found: self.is_large, lambda: self.now)


def later(look: LookAhead[int], holds: Callable[[int], bool]) -> int:
    return poll(60, lambda: (found := look.read()[0]) and holds(found) and found)


def test_a_small_one_is_looked_at_each_time():
    ledger = Ledger()
    ledger.is_large = False
    look = ledger.ahead()
    assert [look.read() for _ in range(3)] == [(1, 0.0), (2, 0.0), (3, 0.0)]


def test_a_large_one_is_shown_as_it_was_and_looked_at_beside():
    ledger = Ledger()
    look = ledger.ahead()
    assert look.read() == (1, 0.0)
    ledger.may_go_on.clear()
    ledger.now = 10.0
    assert look.read() == (1, 10.0)
    ledger.now = 20.0
    assert look.read() == (1, 20.0)  # one look at a time
    ledger.may_go_on.set()
    assert later(look, lambda found: found > 1) == 2


def test_what_is_a_minute_old_is_not_shown():
    ledger = Ledger()
    look = ledger.ahead()
    look.read()
    ledger.now = OLDEST_SECONDS + 1
    assert look.read() == (2, 0.0)


def test_an_error_is_told_once_and_nothing_older_is_shown_after_it():
    ledger = Ledger()
    look = ledger.ahead()
    look.read()
    ledger.fails = True

    def told() -> bool:
        try:
            look.read()
        except LookupError:
            return True
        return False

    assert poll(60, told)
    with pytest.raises(LookupError):
        look.read()
    ledger.fails = False
    assert look.read() == (2, 0.0)
