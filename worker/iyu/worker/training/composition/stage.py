"""The last stage: a student that has learned to weigh words learns what turns them round."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.schemas.contract.errors import InputError
from iyu.worker.model.artifact import Artifact
from iyu.worker.model.wide_artifact import EMBEDDING, EMBEDDING_SCALE, GRAMS, SCOPE_KERNEL
from iyu.worker.text.morphemes import Analyzer
from iyu.worker.text.vocabulary import UNK, Vocabulary
from iyu.worker.training.composition.gates import add_gates, fit_kernel, take_gates
from iyu.worker.training.composition.marks import mark_windows
from iyu.worker.training.wide.corpus import Corpus, cut_texts
from iyu.worker.training.wide.deep import Deep, gated
from iyu.worker.training.wide.fit import Trainee
from iyu.worker.training.wide.layers import Floats
from iyu.worker.training.wide.settings import Settings
from iyu.worker.training.wide.stages import Arrays, Say


@dataclass(frozen=True, slots=True)
class Reading:
    """What the stage reads."""

    corpus: Corpus  # labelled reviews, texts without labels, examples made by rule
    targets: Floats  # (len(corpus),) the probability that each is praise
    learned: NDArray[np.int64]  # places in the corpus: the labelled reviews that are not held out
    held: NDArray[np.int64]  # the validation part
    unlabelled: NDArray[np.int64]  # those that are read
    made: NDArray[np.int64]
    negated_reviews: int  # the last so many of those made


def compose(
    student: Arrays,
    vocabulary: Vocabulary,
    reading: Reading,
    marked: list[str],
    how: Settings,
    seed: int,
    say: Say,
    vectors: Floats | None = None,
) -> Arrays:
    """Return a student's weights with gates, and its logits on the validation part.

    One that has gates goes on with those.

    marked: texts that the gates' rules are applied to. vectors: what words mean, (words,
    dimensions); without them the table of embeddings stays as it is.
    """
    learning = how.going_on
    if gated("kernel") not in student:
        learning = how.composing
        student = add_gates(student, _kernel(student, vocabulary, marked, how, seed, say))
    shape = replace(how.student, drop_word=how.composed.drop_word)
    frozen = ("embedding",) if vectors is None else ()
    deep = Deep(student, shape, frozen=frozen, vectors=vectors)
    trainee = Trainee(deep, how.buckets, seed, student["grams"])
    reviews = _read(reading, how.composed.counterfactuals)
    quiet = np.zeros(len(reading.corpus), np.float32)
    quiet[reading.made] = how.composed.quiet
    given = (reading.corpus, reading.targets, reviews, learning, seed, say)
    losses = trainee.fit(*given, quiet=quiet)
    z = trainee.logits(reading.corpus, reading.held)
    learned = {**deep.arrays(), **trainee.gram_arrays()}
    before = student.get("losses", np.empty(0))
    return learned | {"losses": np.concatenate([before, losses]), "deep": z[:, 0], "wide": z[:, 1]}


def _kernel(
    student: Arrays, vocabulary: Vocabulary, marked: list[str], how: Settings, seed: int, say: Say
) -> Floats:
    corpus = Corpus([cut_texts(marked, how.length, how.buckets)], vocabulary, how.buckets)
    marks = mark_windows(Analyzer().analyze(marked), how.length)
    return fit_kernel(student["embedding"], corpus, marks, how.composed.marking_steps, seed, say)


def widen(student: Arrays, known: int, words: int) -> Arrays:
    """Return a student whose vocabulary has grown: new words begin as unknown ones.

    known: ids of the old vocabulary; words: of the new one.
    """
    table = student["embedding"]
    new = np.repeat(table[UNK : UNK + 1], words - known, axis=0)
    return {**student, "embedding": np.concatenate([table[:known], new, table[known:]])}


def _read(reading: Reading, counterfactuals: int) -> NDArray[np.int64]:
    """Return what is read in an epoch: places in the corpus, some of them several times."""
    reviews = reading.made[len(reading.made) - reading.negated_reviews :]
    again = [reviews] * (counterfactuals - 1)
    return np.concatenate([reading.learned, reading.unlabelled, reading.made, *again])


def take_over(artifact: Artifact) -> Mapping[str, NDArray[Any]]:
    """Return the weights of a finished model as a student's, with its gates if it has any.

    Raises InputError where it is none that can go on.
    """
    if artifact.name != "wide":
        raise InputError(
            f"the model {artifact.model_version} cannot go on: it has to be of the preset 'wide'; "
            "leave --student out to train from the beginning"
        )
    model, tables = artifact.keras_model, artifact.tables
    scale = float(model.get_layer("scale").kernel.numpy().item())
    hidden, logit = model.get_layer("hidden"), model.get_layer("logit")
    convolutions = [layer for layer in model.layers if layer.name.startswith("conv")]
    return {
        "embedding": tables[EMBEDDING] * tables[EMBEDDING_SCALE].astype(np.float32),
        **{layer.name: layer.kernel.numpy() for layer in convolutions},
        "hidden": hidden.kernel.numpy(),
        "hidden_bias": hidden.bias.numpy(),
        "logit": logit.kernel.numpy() / scale,
        "logit_bias": logit.bias.numpy() / scale,
        "grams": tables[GRAMS].astype(np.float32),
        **(take_gates(tables) if SCOPE_KERNEL in tables else {}),
    }
