"""What is compared: figures of each day, from sums over its reviews."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from iyu.console.trust.drift.shuffled_days import Floats

#: Bins of probability; one begins at 0.5, so that a bin has one label.
BINS: Final = 200


class Figure(StrEnum):
    """What may change. Only the first is an alarm; the others say what it comes from."""

    ESTIMATED_ACCURACY = "estimated_accuracy"
    ESTIMATED_AUC = "estimated_auc"
    NEGATIVE_SHARE = "negative_share"
    UNKNOWN_SHARE = "unknown_share"
    TRUNCATED_SHARE = "truncated_share"
    LENGTH = "length"
    WORD_ORDER = "word_order"
    WORD_SHARES = "word_shares"


#: A model that got better is no reason to be told.
ONE_SIDED: Final = frozenset({Figure.ESTIMATED_ACCURACY, Figure.ESTIMATED_AUC})


@dataclass(frozen=True, slots=True)
class DaySums:
    """Sums over the reviews of each day, all (days,) but the last two: (days, BINS)."""

    reviews: Floats
    positive_reviews: Floats
    tokens: Floats
    unknown_tokens: Floats
    truncated_reviews: Floats
    in_bin: Floats  # reviews by probability
    probability_in_bin: Floats  # its sum


def of_days(sums: DaySums) -> dict[Figure, tuple[Floats, Floats]]:
    """Return each figure's values by day, and what each day weighs in it."""
    reviews, tokens = sums.reviews, np.maximum(sums.tokens, 1)
    scored = np.maximum(sums.in_bin.sum(axis=1), 1)
    return {
        Figure.ESTIMATED_ACCURACY: (estimated_accuracy(sums), scored),
        Figure.ESTIMATED_AUC: (estimated_auc(sums), scored),
        Figure.NEGATIVE_SHARE: (1 - sums.positive_reviews / reviews, reviews),
        Figure.UNKNOWN_SHARE: (sums.unknown_tokens / tokens, tokens),
        Figure.TRUNCATED_SHARE: (sums.truncated_reviews / reviews, reviews),
        Figure.LENGTH: (sums.tokens / reviews, reviews),
    }


def estimated_accuracy(sums: DaySums) -> Floats:
    """Return the share of labels that are right if probabilities are: the mean of max(p, 1 − p)."""
    positive = np.arange(BINS) >= BINS // 2
    right = np.where(positive, sums.probability_in_bin, sums.in_bin - sums.probability_in_bin)
    found: Floats = right.sum(axis=1) / np.maximum(sums.in_bin.sum(axis=1), 1)
    return found


def estimated_auc(sums: DaySums) -> Floats:
    """Return the AUC if probabilities are right: pairs of a positive and a negative in order.

    Each review counts as positive by p and as negative by 1 − p; pairs within a bin count half. A
    review is no pair with itself, or days of few reviews would look worse.
    """
    positive, negative = sums.probability_in_bin, sums.in_bin - sums.probability_in_bin
    below = np.cumsum(negative, axis=1) - negative / 2
    alone = (positive * negative / np.maximum(sums.in_bin, 1)).sum(axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1) - alone
    in_order = (positive * below).sum(axis=1) - alone / 2
    return np.where(pairs > 1e-9, in_order / np.where(pairs > 1e-9, pairs, 1), 0.5)
