"""The examples of the last stage, as a training reads them: texts, and what they are worth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iyu.worker.text.morphemes import Analyzer
from iyu.worker.training.composition.counterfactuals import counterfactuals
from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.sentences.make import make_sentences


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts made by rule."""

    texts: list[str]
    praise: NDArray[np.float32]  # (texts,) the probability that it is
    negated_reviews: int  # of the texts, the last so many; the others are sentences of templates


def make_examples(data: LabelledReviews, sentences: int, seed: int) -> Examples:
    """Return sentences of templates, and the training reviews whose predicate could be negated."""
    train = slice(data.held_out)
    reviews = list(counterfactuals(Analyzer().analyze(data.texts[train]), data.labels[train], seed))
    made = [*make_sentences(sentences, seed), *reviews]
    return Examples(
        [text for text, _ in made],
        np.array([praise for _, praise in made], np.float32),
        len(reviews),
    )
