"""Vectors of what words mean, from text of every kind, for words that reviews of one kind lack.

A file of them (NumPy's .npz) has `words`, the bytes of UTF-8 lines, and `vectors`, (words,
dimensions). `benchmarks/word_vectors.py` makes one from Kiwi's language model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from iyu.schemas.contract.errors import InputError
from iyu.worker.text.vocabulary import Vocabulary

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Words as a vocabulary has them, and a vector of length 1 for each."""

    origin: str  # the file's name
    fingerprint: str  # of its content: SHA-256, 16 hexadecimal digits
    words: Sequence[str]
    vectors: Floats  # (words, dimensions)

    def extend(self, vocabulary: Vocabulary) -> Vocabulary:
        """Return a vocabulary that has all these words too, the new ones at its end."""
        known = set(vocabulary.surfaces)
        new = [word for word in self.words if word not in known]
        return Vocabulary([*vocabulary.surfaces, *new])

    def table(self, vocabulary: Vocabulary, scale: float) -> Floats:
        """Return a vector for each id, zeros where there is none: (len(vocabulary), dimensions)."""
        found = np.zeros((len(vocabulary), self.vectors.shape[1]), np.float32)
        ids = np.array(vocabulary.ids(self.words))
        there = ids > 1
        found[ids[there]] = scale * self.vectors[there]
        return found


def read_word_vectors(path: Path) -> WordVectors:
    """Read a file of vectors.

    Raises InputError with what to do.
    """
    try:
        with np.load(path) as arrays:
            words = arrays["words"].tobytes().decode().split("\n")
            vectors = arrays["vectors"].astype(np.float32)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"{path} holds no word vectors ({error}); make it with benchmarks/word_vectors.py"
        ) from None
    if vectors.ndim != 2 or len(vectors) != len(words):
        raise InputError(f"{path} has {len(words)} words and vectors of shape {vectors.shape}")
    fingerprint = sha256(path.read_bytes()).hexdigest()[:16]
    return WordVectors(path.name, fingerprint, words, vectors)
