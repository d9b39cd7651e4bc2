"""Labelled reviews, and others without labels, to an artifact of the preset `wide`.

A language model learns from every text. Teachers learn from the labels: n-grams alone, and
readers that begin with the language model. The student, n-grams and convolutions in one, learns
what the teachers say of every text, labelled or not. In the end it learns what turns words round,
from examples made by rule (`iyu.worker.training.composition`).
Source: Hinton et al. 2015, Distilling the Knowledge in a Neural Network, §2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.artifact import load
from iyu.worker.text.subwords import rows
from iyu.worker.text.vocabulary import Vocabulary
from iyu.worker.training.composition.examples import Examples, make_examples
from iyu.worker.training.composition.stage import Reading, compose, take_over, widen
from iyu.worker.training.metrics import Metrics, measure
from iyu.worker.training.wide import linear
from iyu.worker.training.wide.corpus import Corpus, Cut, cut_texts, vocabulary_of
from iyu.worker.training.wide.deep import Deep
from iyu.worker.training.wide.export import Student, finish
from iyu.worker.training.wide.fit import Trainee
from iyu.worker.training.wide.language import LanguageModel
from iyu.worker.training.wide.recurrent import Reader
from iyu.worker.training.wide.settings import Task
from iyu.worker.training.wide.stages import Arrays, Say, Stages

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Class:
    """What teachers and student have in common: the texts, cut, and what is known of them."""

    task: Task
    corpus: Corpus  # the labelled reviews first
    vocabulary: Vocabulary
    labels: Floats  # (len(corpus),), zero where there is none
    examples: Examples  # made by rule; they stand at the end of the corpus

    @property
    def learned(self) -> NDArray[np.int64]:
        """The labelled reviews that are not held out."""
        return np.arange(self.task.data.held_out)

    @property
    def held(self) -> NDArray[np.int64]:
        """The validation part."""
        return np.arange(self.task.data.held_out, len(self.task.data))

    @property
    def open(self) -> NDArray[np.int64]:
        """Every text that people wrote, and that is not held out."""
        return np.concatenate([self.learned, self.unlabelled])

    @property
    def unlabelled(self) -> NDArray[np.int64]:
        """The texts without labels."""
        return np.arange(len(self.task.data), len(self.corpus) - len(self.examples.texts))

    @property
    def drawn(self) -> NDArray[np.int64]:
        """The texts without labels that the last stage reads."""
        count = min(self.task.settings.composed.texts, len(self.unlabelled))
        draw = np.random.default_rng(1_000 * self.task.seed + 1_998)
        return draw.choice(self.unlabelled, count, replace=False)

    @property
    def made(self) -> NDArray[np.int64]:
        """The examples made by rule."""
        return np.arange(len(self.corpus) - len(self.examples.texts), len(self.corpus))

    def embeddings(self, features: int, seed: int) -> Floats:
        """Return what training starts from: (rows, features)."""
        shape = (rows(self.vocabulary), features)
        return np.random.default_rng(seed).normal(0, 0.05, shape).astype(np.float32)


def train(task: Task, say: Say) -> Metrics:
    """Train, save the artifact with its curves and its card, and return the validation metrics."""
    stages = Stages(task.out, task.fingerprint, say)
    pupils = _assemble(task, stages)
    student, targets = _finished(pupils, task.student) if task.student else _taught(pupils, stages)
    composed = stages.run("composition", partial(_compose, pupils, student, targets))
    metrics = finish(Student(composed, pupils.vocabulary), task, stages)
    stages.clear()
    return metrics


def _taught(pupils: _Class, stages: Stages) -> tuple[Arrays, Floats]:
    """Return a student, and what its teachers say of every text: (len(corpus),)."""
    opinions = _opinions(pupils, stages)
    _tell(pupils, opinions, stages.say)
    targets = _targets(pupils, _mean(opinions, pupils.task.settings.reading_share))
    return stages.run("student", partial(_study, pupils, targets)), targets


def _finished(pupils: _Class, model: str | Path) -> tuple[Arrays, Floats]:
    """Return a finished model as the student, and its targets for what is read: (len(corpus),)."""
    s, finished = pupils.task.settings, load(model)
    known = len(finished.vocabulary)
    student = widen(take_over(finished), known, len(pupils.vocabulary))
    trainee = Trainee(Deep(student, s.student), s.buckets, 0, student["grams"])
    said, read = np.zeros(len(pupils.corpus), np.float32), np.r_[pupils.learned, pupils.drawn]
    said[read] = trainee.logits(pupils.corpus, read).sum(axis=1)
    return student, _targets(pupils, said / s.softness)


def _cut(task: Task, examples: Examples, stages: Stages) -> list[Cut]:
    """Return the labelled texts, then the others if there are any, then those made by rule."""
    s = task.settings

    def cut(texts: Sequence[str], _: Say) -> Arrays:
        return cut_texts(texts, s.length, s.buckets).arrays()

    named = {"labelled": task.data.texts, "unlabelled": _unlabelled(task), "made": examples.texts}
    return [
        Cut.read(stages.run(f"cutting {name} texts", partial(cut, texts)))
        for name, texts in named.items()
        if len(texts)
    ]


def _unlabelled(task: Task) -> Sequence[str]:
    """Return the texts without labels; for a student that goes on, no more than it reads."""
    count = task.settings.composed.texts
    if not task.student or len(task.unlabelled) <= count:
        return task.unlabelled
    draw = np.random.default_rng(1_000 * task.seed + 1_997)
    chosen = draw.choice(len(task.unlabelled), count, replace=False)
    return [task.unlabelled[i] for i in np.sort(chosen)]


def _assemble(task: Task, stages: Stages) -> _Class:
    """Count words, outside the validation part, and look every token up."""
    examples = make_examples(task.data, task.settings.composed.sentences, task.seed)
    stages.say(
        f"{len(examples.texts):,} examples of negation and contrast, "
        f"{examples.negated_reviews:,} of them reviews"
    )
    cuts = _cut(task, examples, stages)
    if task.student:
        vocabulary = load(task.student).vocabulary
    else:
        words = cuts[0].frequencies(task.data.held_out)
        for cut in cuts[1:-1]:
            words += cut.frequencies(len(cut.counts))
        vocabulary = vocabulary_of(words, task.settings.words)
    if task.vectors:
        vocabulary = task.vectors.extend(vocabulary)
    corpus = Corpus(cuts, vocabulary, task.settings.buckets)
    labels = np.zeros(len(corpus), np.float32)
    labels[: len(task.data)] = task.data.labels
    return _Class(task, corpus, vocabulary, labels, examples)


def _opinions(pupils: _Class, stages: Stages) -> list[Floats]:
    """Return each teacher's logits: (len(corpus),)."""
    said = [stages.run("n-grams", partial(_teach_grams, pupils))["z"]]
    language = stages.run("language model", partial(_speak, pupils))
    for number in range(pupils.task.settings.readers):
        teach = partial(_teach, pupils, language, number)
        said.append(stages.run(f"reader {number + 1}", teach)["z"])
    return said


def _teach_grams(pupils: _Class, say: Say) -> Arrays:
    s, seed = pupils.task.settings, pupils.task.seed
    given = (pupils.corpus, pupils.labels, pupils.learned, s.buckets, s.linear)
    return {"z": linear.train(*given, seed, say)}


def _speak(pupils: _Class, say: Say) -> Arrays:
    how, seed = pupils.task.settings.language, 1_000 * pupils.task.seed + 500
    begin, words = pupils.embeddings(how.features, seed), len(pupils.vocabulary)
    model = LanguageModel(begin, words, how, seed)
    model.fit(pupils.corpus, pupils.open, seed, say)
    return model.arrays()


def _teach(pupils: _Class, language: Mapping[str, Any], number: int, say: Say) -> Arrays:
    s, seed = pupils.task.settings, 1_000 * pupils.task.seed + number
    trainee = Trainee(Reader(language, s.reading, seed), 0, seed)
    trainee.fit(pupils.corpus, pupils.labels, pupils.learned, s.teaching, seed, say)
    return {"z": trainee.logits(pupils.corpus, np.arange(len(pupils.corpus)))[:, 0]}


def _study(pupils: _Class, targets: Floats, say: Say) -> Arrays:
    s, seed = pupils.task.settings, 1_000 * pupils.task.seed + 999
    deep = Deep.fresh(pupils.embeddings(s.student.features, seed), s.student, seed)
    trainee = Trainee(deep, s.buckets, seed)
    losses = trainee.fit(pupils.corpus, targets, pupils.open, s.studying, seed, say)
    z = trainee.logits(pupils.corpus, pupils.held)
    learned = {**deep.arrays(), **trainee.gram_arrays(), "losses": np.array(losses)}
    return learned | {"deep": z[:, 0], "wide": z[:, 1]}


def _compose(pupils: _Class, student: Arrays, targets: Floats, say: Say) -> Arrays:
    task, examples = pupils.task, pupils.examples
    targets = targets.copy()
    targets[pupils.made] = examples.praise
    reading = Reading(
        pupils.corpus,
        targets,
        pupils.learned,
        pupils.held,
        pupils.drawn,
        pupils.made,
        examples.negated_reviews,
    )
    marked = task.settings.composed.marked
    texts = task.data.texts[: min(marked, task.data.held_out)] + examples.texts[:marked]
    seed = 1_000 * task.seed + 1_999
    vectors = None
    if task.vectors:
        vectors = task.vectors.table(pupils.vocabulary, task.settings.composed.vector_length)
    given = (student, pupils.vocabulary, reading, texts, task.settings, seed, say)
    return compose(*given, vectors)


def _targets(pupils: _Class, said: Floats) -> Floats:
    """Return what a student should say of each text: probabilities (len(corpus),).

    said: the teachers' logits, (len(corpus),).
    """
    s, learned = pupils.task.settings, pupils.learned
    wanted = _sigmoid(s.softness * said)
    wanted[learned] = s.label_share * pupils.labels[learned] + (1 - s.label_share) * wanted[learned]
    return wanted


def _mean(opinions: Sequence[Floats], share: float) -> Floats:
    """Return the teachers' logit; share: how much of it comes from the readers."""
    grams, *readers = opinions
    mean: Floats = (1 - share) * grams + share * np.mean(readers, axis=0, dtype=np.float32)
    return mean


def _tell(pupils: _Class, opinions: Sequence[Floats], say: Say) -> None:
    """Say how good each teacher is on the validation part, and all of them together."""
    names = ["n-grams", *(f"reader {i}" for i in range(1, len(opinions)))]
    every = _mean(opinions, pupils.task.settings.reading_share)
    for name, z in zip([*names, "all teachers"], [*opinions, every], strict=True):
        found = measure(pupils.task.data.labels[pupils.held], _sigmoid(z[pupils.held]))
        say(f"validation, {name}: AUC {found.auc:.4f}, accuracy {found.accuracy:.4f}")


def _sigmoid(z: Floats) -> Floats:
    return (1.0 / (1.0 + np.exp(-z.astype(np.float64)))).astype(np.float32)
