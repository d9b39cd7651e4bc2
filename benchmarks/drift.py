"""How often `iyu drift` cries without a reason, and what it notices: `python benchmarks/drift.py`.

Real reviews are scored once and kept as arrays (`--scores`). Days are drawn from them: a week's
window and four weeks of reference, of unlike size, with and without effects of their own. Without
a change, each figure should be noticed in one draw of a hundred; then changes are planted in the
window. For comparison, a PSI of the probabilities (ten bins) above 0.1 and a z-test of the share
of negatives that takes reviews for independent, both without whole days.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._drift_draws import Plan, Planted, Source
from benchmarks._drift_pictures import draw_false_alarms, draw_noticed
from benchmarks._drift_pool import CHANGED, pools
from benchmarks._report import finish, header, progress, table
from iyu.console.trust.drift.figures import ONE_SIDED, DaySums, Figure, of_days
from iyu.console.trust.drift.shuffled_days import compare, shuffle
from iyu.console.trust.drift.word_order import compare_words

WINDOWS: Final = (200, 1_000, 5_000, 50_000)
#: Reviews of the window in which a change is planted, and of the one with unlike traffic.
PLANTED_AT: Final = 5_000
CHANGES: Final = {
    "30 % of blanks removed": Planted("blanks", 1.0, same=True),
    "킹받네 in 3 % of reviews": Planted("slang", 0.03),
    "오운완 in 3 % of reviews": Planted("slang-unknown", 0.03),
    "share of negatives + 5 points": Planted(negatives=0.05),
    "10 % about goods (made)": Planted("shop", 0.1),
    "20 % neither good nor bad": Planted("lukewarm", 0.2),
}
#: Shuffles of words, which cost more; a hundredth of one more is whole, too.
WORD_SHUFFLES: Final = 399
NAIVE: Final = ("PSI > 0.1", "z-test")
_Z: Final = 2.5758

Counts = dict[str, Counter[str]]


def main() -> None:
    """Measure, print and draw."""
    options = _options()
    scored, words = pools(options.reviews, options.rated, options.model, options.scores)
    result = header("drift", draws=options.draws, model=options.model, reviews=len(scored["real"]))
    _describe(scored)
    whole, half = Source(scored, len(words)), Source(scored, len(words), CHANGED)
    quiet = {
        _name(plan): _count(whole, plan, Planted(), options.draws)
        for plan in _quiet_plans(options.windows)
    }
    planted = {
        f"{name}{', days differ' * effect}": _count(
            half, Plan(PLANTED_AT, day_effect=effect), change, options.planted_draws
        )
        for effect in (False, True)
        for name, change in CHANGES.items()
    }
    _print("False alarms, %", quiet, (*Figure, *NAIVE), options.draws)
    _print(
        "Intervals that miss 0, %", quiet, [f"interval {name}" for name in Figure], options.draws
    )
    _print("Noticed at 5,000 reviews, %", planted, (*Figure,), options.planted_draws)
    if options.pictures:
        draw_false_alarms(_shares(quiet, options.draws), options.windows, options.pictures)
        draw_noticed(_shares(planted, options.planted_draws), tuple(CHANGES), options.pictures)
    found = {
        "false_alarms": _shares(quiet, options.draws),
        "noticed": _shares(planted, options.planted_draws),
    }
    finish(result | found, options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reviews", type=Path, help="columns document and label")
    parser.add_argument("rated", type=Path, help="columns id, document, rating (gzip)")
    parser.add_argument("--model", default="wide")
    parser.add_argument(
        "--scores", type=Path, required=True, help="an .npz; made if it is not there"
    )
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--planted-draws", type=int, default=300)
    parser.add_argument("--windows", type=int, nargs="+", default=WINDOWS)
    parser.add_argument("--pictures", type=Path, help="a folder")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def _quiet_plans(windows: Sequence[int]) -> list[Plan]:
    return [
        *(Plan(size, day_effect=effect) for effect in (False, True) for size in windows),
        *(
            Plan(PLANTED_AT, traffic=traffic, day_effect=effect)
            for effect in (False, True)
            for traffic in (0.25, 4.0)
        ),
    ]


def _name(plan: Plan) -> str:
    traffic = "" if plan.traffic == 1 else f", traffic × {plan.traffic:g}"
    return f"{plan.window:,}{traffic}{', days differ' * plan.day_effect}"


def _count(source: Source, plan: Plan, planted: Planted, draws: int) -> Counter[str]:
    """Return how often each figure was noticed."""
    began, lots = time.perf_counter(), np.random.default_rng(1)
    noticed: Counter[str] = Counter()
    for number in range(draws):
        sums, words, in_window = source.draw(plan, planted, lots)
        arranged = shuffle(in_window, 999, number)
        for figure, (values, sizes) in of_days(sums).items():
            found = compare(values, sizes, arranged, one_sided=figure in ONE_SIDED)
            noticed[figure.value] += found.is_noticed
            noticed[f"interval {figure}"] += not found.low <= 0 <= found.high
        by_word = compare_words(words, sums.reviews, arranged[: WORD_SHUFFLES + 1])
        noticed[Figure.WORD_ORDER.value] += by_word.order.is_noticed
        noticed[Figure.WORD_SHARES.value] += by_word.furthest.is_noticed
        noticed[NAIVE[0]] += _psi(sums, in_window) > 0.1
        noticed[NAIVE[1]] += abs(_z_test(sums, in_window)) > _Z
    seconds = time.perf_counter() - began
    progress.print(f"{_name(plan)} {planted}: {seconds:.0f} s, {dict(noticed)}", soft_wrap=True)
    return noticed


def _psi(sums: DaySums, in_window: NDArray[np.bool_]) -> float:
    """Return the population stability index of the probabilities in ten bins of the reference."""
    counts = np.stack([sums.in_bin[side].sum(axis=0) for side in (~in_window, in_window)])
    reference = np.cumsum(counts[0]) / counts[0].sum()
    place = np.minimum((reference * 10 - 1e-9).astype(int), 9)
    bins = np.stack([np.bincount(place, of_side, minlength=10) for of_side in counts]) + 0.5
    a, b = bins / bins.sum(axis=1, keepdims=True)
    return float(((b - a) * np.log(b / a)).sum())


def _z_test(sums: DaySums, in_window: NDArray[np.bool_]) -> float:
    """Return the difference of the shares of positives, over its error if reviews were drawn."""
    positive, reviews = (
        np.array([column[side].sum() for side in (~in_window, in_window)])
        for column in (sums.positive_reviews, sums.reviews)
    )
    share = positive.sum() / reviews.sum()
    error = np.sqrt(share * (1 - share) * (1 / reviews).sum())
    before, after = positive / reviews
    return float((after - before) / error)


def _describe(scored: dict[str, Any]) -> None:
    """Print what the pools are, and how far the estimate of accuracy is right there."""
    rows = []
    for name, pool in scored.items():
        p = pool.probability
        right = float(((p >= 0.5) == pool.label).mean()) if pool.label.min() >= 0 else None
        rows.append(
            [
                name,
                f"{len(pool):,}",
                f"{np.maximum(p, 1 - p).mean():.4f}",
                "" if right is None else f"{right:.4f}",
                f"{(p < 0.5).mean():.4f}",
                f"{100 * pool.unknown.sum() / pool.tokens.sum():.2f}",
                f"{pool.tokens.mean():.2f}",
            ]
        )
    columns = [
        "pool",
        "reviews",
        "estimated accuracy",
        "accuracy",
        "negative",
        "unknown %",
        "tokens",
    ]
    table("What is drawn from", columns, rows)


def _shares(found: Counts, draws: int) -> dict[str, dict[str, float]]:
    return {
        name: {figure: 100 * count / draws for figure, count in counts.items()}
        for name, counts in found.items()
    }


def _print(title: str, found: Counts, figures: Sequence[str], draws: int) -> None:
    shown = [figure for figure in figures if any(figure in counts for counts in found.values())]
    rows = [
        [name, *(f"{100 * counts[figure] / draws:.1f}" for figure in shown)]
        for name, counts in found.items()
    ]
    table(title, ["", *(str(figure) for figure in shown)], rows)


if __name__ == "__main__":
    main()
