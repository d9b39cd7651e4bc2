"""The line of a long command says how much there is, also when that changes under way."""

from types import SimpleNamespace
from typing import Any

import pytest

from iyu.console.operations.rescore_run import RescoreOptions, _show_progress
from iyu.console.terminal import progress_bar
from iyu.console.terminal.progress_bar import ProgressBar


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> ProgressBar:
    monkeypatch.setattr(progress_bar, "LINE_EVERY", -1.0)
    return ProgressBar("rescored", 10, None)


def campaign(accepted: int, pending: int = 0, *, all_handed_over: bool = False) -> Any:
    return SimpleNamespace(
        live_reviews=0,
        all_handed_over=all_handed_over,
        batch=SimpleNamespace(accepted=accepted),
        pending_reviews=pending,
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (campaign(4, 1), "rescored 3 of 10 "),
        (campaign(14, 2), "rescored 12 of 14 "),  # more came in
        (campaign(8, 2, all_handed_over=True), "rescored 6 of 8 "),  # some were erased
    ],
)
def test_the_total_of_a_campaign_follows_what_is_there(
    bar: ProgressBar, capsys: pytest.CaptureFixture[str], found: Any, says: str
):
    options = RescoreOptions(wait=True, quiet=False)
    _show_progress(None, found, bar, options, wanted=10)  # type: ignore[arg-type]
    assert capsys.readouterr().err.startswith(says)
