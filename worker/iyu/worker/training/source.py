"""Train the source's network as the source does."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from iyu.schemas.contract.review import utc_now
from iyu.worker.model import artifact
from iyu.worker.model.encoding import VocabularyEncoder
from iyu.worker.model.source import build
from iyu.worker.text.morphemes import Analyzer
from iyu.worker.text.vocabulary import Vocabulary
from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.evaluation import library_versions
from iyu.worker.training.metrics import Metrics, measure
from iyu.worker.training.plots import plot_loss, plot_roc

VOCABULARY_SIZE: Final = 5_000
#: Added to the median number of tokens; 14 + 5 = 19 on NSMC.
LENGTH_MARGIN: Final = 5
BATCH: Final = 100
EPOCHS: Final = 10

Progress = Callable[[str], None]


def train(
    data: LabelledReviews, out: Path, *, seed: int = 1, epochs: int = EPOCHS, say: Progress = print
) -> Metrics:
    """Train, save the artifact and its curves to `out`, and return the validation metrics."""
    import keras

    keras.utils.set_random_seed(seed)
    say(f"{len(data):,} reviews: cutting into morphemes")
    cut = Analyzer().analyze(data.texts)
    vocabulary = Vocabulary.most_frequent((text.surfaces for text in cut), VOCABULARY_SIZE)
    length = int(median(len(text) for text in cut)) + LENGTH_MARGIN
    ids = VocabularyEncoder(vocabulary, length).encode(cut).inputs["ids"]
    first = data.held_out
    model = build(len(vocabulary), length)
    model.compile(optimizer=keras.optimizers.RMSprop(), loss="binary_crossentropy")
    held_out = ids[first:], data.labels[first:].astype(np.float32)
    history = model.fit(
        ids[:first],
        data.labels[:first].astype(np.float32),
        batch_size=BATCH,
        epochs=epochs,
        validation_data=held_out,
        verbose=0,
        callbacks=[
            keras.callbacks.BackupAndRestore(out / ".unfinished"),  # an interrupted run goes on
            _reporter(say, epochs),
        ],
    ).history
    probabilities = model.predict(held_out[0], batch_size=1024, verbose=0)[:, 0]
    metrics = measure(data.labels[first:], probabilities)
    bare = build(len(vocabulary), length)  # without the optimizer's state: half the size
    bare.set_weights(model.get_weights())
    artifact.save(out, bare, vocabulary, _manifest(data, length, seed, epochs, metrics))
    plot_loss({"training": history["loss"], "validation": history["val_loss"]}, out / "loss.png")
    plot_roc({"validation": (data.labels[first:], probabilities)}, out / "roc.png")
    return metrics


def _reporter(say: Progress, epochs: int) -> Any:
    import keras

    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: say(
            f"epoch {epoch + 1}/{epochs}: loss {logs['loss']:.4f}, "
            f"validation {logs['val_loss']:.4f}"
        )
    )


def _manifest(
    data: LabelledReviews, length: int, seed: int, epochs: int, metrics: Metrics
) -> dict[str, Any]:
    return {
        "preset": "source",
        "created_at": utc_now().isoformat(timespec="seconds"),
        "sequence_length": length,
        "padding": "front",
        "explained_layers": ["conv1", "conv2", "conv3"],
        "data": {
            "origin": data.origin,
            "fingerprint": data.fingerprint,
            "reviews": len(data),
            "rejected": data.rejected,
            "split": data.split,
        },
        "training": {"seed": seed, "epochs": epochs, "batch": BATCH, "optimizer": "RMSprop"},
        "metrics": {"validation": metrics.to_dict()},
        "libraries": library_versions(),
    }
