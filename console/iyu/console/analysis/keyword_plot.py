"""The words that decide, as a picture."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from iyu.console.analysis.keyword_order import Order
from iyu.console.analysis.keyword_ranking import Keyword
from iyu.console.terminal.optional_libraries import require_training_libraries
from iyu.schemas.contract.errors import ArtifactError, InputError

#: Blue pulls up, orange pulls down: distinct also for readers who do not see red and green.
UP: Final = "#2f6fdb"
DOWN: Final = "#e06c1f"

Bar = tuple[str, float, float, float]  # name, value, ends of the interval
_LABELS: Final = {
    Order.SHARE: "mean share of a review's heat",
    Order.MEAN: "mean heat",
    Order.TOTAL: "mean heat",
}


def plot_keywords(
    positive: Sequence[Keyword],
    negative: Sequence[Keyword],
    path: Path,
    *,
    title: str,
    order: Order,
) -> None:
    """Draw both lists side by side with their intervals, and write a PNG.

    Bars are shares where words are ranked by share, mean heat otherwise.

    Raises ArtifactError without the extra `train`, InputError where the file cannot be written.
    """
    require_training_libraries(("matplotlib",))
    from matplotlib.figure import Figure  # not pyplot: it needs a display

    rows = max(len(positive), len(negative), 1)
    figure = Figure(figsize=(11, 1.6 + 0.3 * rows), dpi=150, layout="constrained")
    font = korean_font()
    left, right = figure.subplots(1, 2)
    _bars(left, [_bar(w, order) for w in negative], DOWN, "pull down", font)
    _bars(right, [_bar(w, order) for w in positive], UP, "pull up", font)
    reach = max(map(abs, (*left.get_xlim(), *right.get_xlim())))
    for axes, limits in ((left, (-reach, 0)), (right, (0, reach))):
        axes.set_xlim(limits)
        axes.set_ylim(rows - 0.4, -0.6)  # the strongest on top, both lists on one grid
        axes.set_xlabel(f"{_LABELS[order]}, 95 % interval", fontproperties=font)
    figure.suptitle(title, fontproperties=font, fontsize=13)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:  # a folder that is not there, an unknown format
        raise InputError(f"{path} cannot be written: {error}; name a .png file") from error


def korean_font() -> Any:
    """Return the font of the wheel koreanize-matplotlib, by its file.

    Raises ArtifactError where it is not installed.
    """
    from matplotlib.font_manager import FontProperties

    spec = find_spec("koreanize_matplotlib")  # not imported: it would change every plot's font
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / "fonts" / "NanumGothic.ttf"
        if file.is_file():
            return FontProperties(fname=str(file), size=10)
    raise ArtifactError("no Korean font for the plot; it needs: pip install 'iyu[train]'")


def _bar(word: Keyword, order: Order) -> Bar:
    name = f"{word.surface}  ({word.reviews:,})"
    if order is Order.SHARE:
        return name, word.share, word.share_low, word.share_high
    return name, word.mean_heat, word.low, word.high


def _bars(axes: Any, bars: Sequence[Bar], colour: str, title: str, font: Any) -> None:
    names, values, lows, highs = zip(*bars, strict=True) if bars else ((), (), (), ())
    errors = [
        [value - low for value, low in zip(values, lows, strict=True)],
        [high - value for value, high in zip(values, highs, strict=True)],
    ]
    places = range(len(bars))
    axes.barh(places, values, xerr=errors, color=colour, height=0.72, ecolor="#444444", capsize=2)
    axes.set_yticks(places, names)
    for label in axes.get_yticklabels():  # the others stay in a font that has a minus sign
        label.set_fontproperties(font)
    axes.set_title(title, fontproperties=font, fontsize=11, color=colour)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
