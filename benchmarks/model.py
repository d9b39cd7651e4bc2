"""Quality and speed of the presets beside a linear model: `python benchmarks/model.py TRAIN TEST`.

TRAIN and TEST: files with columns document and label. The linear model is TF-IDF over characters
1 to 4 and morphemes 1 and 2 with logistic regression (scikit-learn), trained here; the presets
are artifacts that ship, or the folders given. Noise: each blank dropped with one chance in five,
and about as many put in elsewhere. Speed: one thread's seconds, texts in, scores and heatmaps out;
the models take turns. The linear model explains nothing.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._report import finish, header, note, table
from iyu.worker.model.artifact import locate
from iyu.worker.scoring import Scorer
from iyu.worker.text.morphemes import Analyzer
from iyu.worker.training.data import LabelledReviews, read_labelled
from iyu.worker.training.metrics import measure

Probabilities = NDArray[np.float32]
Model = Callable[[Sequence[str]], Probabilities]

CHUNK = 512
NOISE = 0.2
ROUNDS = 5
#: Reviews of a round of the timing.
TIMED = 4_096


def main() -> None:
    """Measure and print."""
    import tensorflow as tf

    options = _options()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data = read_labelled(options.test)
    models: dict[str, Model] = {name: _preset(name) for name in options.models}
    if not options.no_linear:
        models["TF-IDF + logistic regression"] = _linear(read_labelled(options.train))
    result = header("model", test=data.origin, reviews=len(data))
    speed = _speed(models, data.texts[:TIMED])
    rows = {name: _quality(model, data) | speed[name] for name, model in models.items()}
    columns = list(next(iter(rows.values())))
    table(
        "Quality and speed",
        ["model", *columns],
        [[name, *(f"{row[c]:.4g}" for c in columns)] for name, row in rows.items()],
    )
    for name in options.models:
        size = sum(path.stat().st_size for path in locate(name).iterdir()) / 1e6
        note(f"{name}: {size:.1f} MB on disk")
    finish(result | {"models": rows}, options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path, help="the linear model learns from it")
    parser.add_argument("test", type=Path)
    parser.add_argument("--models", nargs="+", default=["source", "wide"])
    parser.add_argument("--no-linear", action="store_true", help="leave the linear model out")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def _preset(name: str) -> Model:
    scorer = Scorer.load(name)
    scorer.warm_up()

    def probabilities(texts: Sequence[str]) -> Probabilities:
        chunks = (texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK))
        return np.array([p.probability for chunk in chunks for p in scorer.score(chunk)])

    return probabilities


def _linear(data: LabelledReviews) -> Model:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    analyzer = Analyzer()
    options: dict[str, Any] = {"sublinear_tf": True, "min_df": 2, "dtype": np.float32}
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), **options)
    morphemes = TfidfVectorizer(
        tokenizer=lambda text: analyzer.analyze([text])[0].surfaces,
        token_pattern=None,
        ngram_range=(1, 2),
        **options,
    )
    # saga's passes are cheap and it needs few; lbfgs takes minutes here for the fourth digit.
    fit = LogisticRegression(C=4.0, solver="saga", max_iter=20, tol=1e-3)
    pipeline = make_pipeline(make_union(characters, morphemes), fit)
    start = time.perf_counter()
    pipeline.fit(data.texts, data.labels)
    note(f"linear model trained in {time.perf_counter() - start:.0f} s")
    return lambda texts: pipeline.predict_proba(texts)[:, 1].astype(np.float32)


def _quality(model: Model, data: LabelledReviews) -> dict[str, float]:
    found = measure(data.labels, model(data.texts))
    draw = random.Random(5)
    without = measure(data.labels, model([text.replace(" ", "") for text in data.texts]))
    noisy = measure(data.labels, model([_noisy(text, draw) for text in data.texts]))
    return {
        "AUC": found.auc,
        "accuracy": found.accuracy,
        "calibration": found.calibration_error,
        "no blanks": without.accuracy,
        "noise": noisy.accuracy,
    }


def _noisy(text: str, draw: random.Random) -> str:
    """Drop each blank with a chance of NOISE, and put about as many in elsewhere."""
    blanks = text.count(" ")
    inserted = NOISE * max(blanks, 1) / max(1, len(text) - blanks)
    parts = []
    for character in text:
        if character == " ":
            parts.append("" if draw.random() < NOISE else " ")
        else:
            parts.append(character + (" " if draw.random() < inserted else ""))
    return "".join(parts).strip()


def _speed(models: dict[str, Model], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    for model in models.values():
        model(texts[:CHUNK])
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            start = time.process_time()
            model(texts)
            seconds[name].append(time.process_time() - start)
    return {name: {"µs a review": median(s) / len(texts) * 1e6} for name, s in seconds.items()}


if __name__ == "__main__":
    main()
