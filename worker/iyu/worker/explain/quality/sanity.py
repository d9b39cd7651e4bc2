"""Whether an explanation depends on what the model has learned."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.quality.faithfulness import Faithfulness, chunked, heat_pass
from iyu.worker.model.network import Network

#: Random networks to compare with: a single one may agree by chance, in every review alike.
DRAWS: Final = 5


def against_random_weights(
    networks: Sequence[Network],
    inputs: Mapping[str, NDArray[Any]],
    method: Method,
    trained: Faithfulness,
) -> NDArray[np.float64]:
    """Return how a method's heat correlates with that of untrained networks: (networks, reviews).

    Near 0: the heat comes from what was learned. Near 1: it only redraws the input.
    Source: Adebayo et al. 2018, Sanity Checks for Saliency Maps, §3 (all layers at once).
    """
    word = inputs["ids"] != 0
    found = []
    for network in networks:
        explain = heat_pass(network, method)
        heat = np.concatenate([explain(chunk)[0].numpy() for chunk in chunked(inputs)])
        found.append(correlation(trained.heat, heat, word))
    return np.array(found)


def correlation(
    one: NDArray[np.float32], other: NDArray[np.float32], word: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return Spearman's rank correlation of two heatmaps of each review, over its words.

    (reviews,); NaN where a review has fewer than three words, or all its words weigh the same.
    """
    from scipy.stats import spearmanr

    return np.array(
        [
            spearmanr(a[w], b[w]).statistic
            if w.sum() > 2 and np.ptp(a[w]) > 0 and np.ptp(b[w]) > 0
            else np.nan
            for a, b, w in zip(one, other, word, strict=True)
        ]
    )
