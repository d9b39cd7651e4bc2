"""The pictures of docs/trust.md, drawn from what `benchmarks/drift.py` measures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from iyu.console.trust.drift.figures import Figure

Shares = Mapping[str, Mapping[str, float]]

_LINES: Final = {
    Figure.ESTIMATED_ACCURACY: "estimated accuracy",
    Figure.NEGATIVE_SHARE: "share of negatives",
    Figure.WORD_ORDER: "order of words",
    Figure.WORD_SHARES: "furthest word",
    "PSI > 0.1": "PSI of probabilities > 0.1",
    "z-test": "z-test, reviews independent",
}
_NAMES: Final = {
    Figure.ESTIMATED_ACCURACY: "est. accuracy",
    Figure.ESTIMATED_AUC: "est. AUC",
    Figure.NEGATIVE_SHARE: "negatives",
    Figure.UNKNOWN_SHARE: "unknown",
    Figure.TRUNCATED_SHARE: "truncated",
    Figure.LENGTH: "length",
    Figure.WORD_ORDER: "word order",
    Figure.WORD_SHARES: "furthest word",
}


def draw_false_alarms(shares: Shares, windows: Sequence[int], folder: Path) -> None:
    """Draw how often each figure is noticed though nothing has changed."""
    figure, panels = _figure(1, 2, (9.0, 3.4))
    for axes, suffix, title in zip(
        panels, ("", ", days differ"), ("days alike", "days with effects of their own"), strict=True
    ):
        for name, label in _LINES.items():
            found = [max(shares[f"{size:,}{suffix}"].get(name, 0.0), 0.05) for size in windows]
            style = "--" if name in {"PSI > 0.1", "z-test"} else "-"
            axes.plot(windows, found, style, marker="o", markersize=3, label=label)
        axes.axhline(1, color="grey", linewidth=0.8)
        axes.set(xscale="log", yscale="log", ylim=(0.04, 120), title=title)
        axes.set_xticks(windows, [f"{size:,}" for size in windows])
        axes.minorticks_off()
        axes.set_xlabel("reviews in the window")
        axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    panels[0].set_ylabel("false alarms, %")
    panels[0].legend(fontsize=7, loc="upper right", bbox_to_anchor=(1.0, 0.9))
    _save(figure, folder / "drift-false-alarms.png")


def draw_noticed(shares: Shares, changes: Sequence[str], folder: Path) -> None:
    """Draw which figure notices which change."""
    figure, panels = _figure(1, 2, (9.5, 3.4))
    for axes, suffix, title in zip(
        panels, ("", ", days differ"), ("days alike", "days with effects of their own"), strict=True
    ):
        grid = np.array(
            [[shares[f"{name}{suffix}"].get(f, 0.0) for f in _NAMES] for name in changes]
        )
        axes.imshow(grid, cmap="Blues", vmin=0, vmax=140, aspect="auto")
        for (row, column), value in np.ndenumerate(grid):
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7)
        axes.set_xticks(
            range(len(_NAMES)), list(_NAMES.values()), rotation=40, ha="right", fontsize=7
        )
        axes.set_title(f"noticed, %: {title}", fontsize=9)
    panels[0].set_yticks(range(len(changes)), changes, fontsize=7)  # shared with the other
    _save(figure, folder / "drift-noticed.png")


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("Agg")
    import koreanize_matplotlib  # noqa: F401  # a font with Hangul
    import matplotlib.pyplot as plt

    return plt.subplots(rows, columns, figsize=size, sharey=True, layout="constrained", dpi=110)


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, pil_kwargs={"optimize": True})
