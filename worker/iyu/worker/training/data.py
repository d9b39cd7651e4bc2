"""Labelled reviews from a file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Review, admit

#: The end of the labelled file that nothing is trained on.
VALIDATION: Final = 0.1


@dataclass(frozen=True, slots=True)
class LabelledReviews:
    """Admitted reviews, with their labels."""

    origin: str  # the file's name
    fingerprint: str  # of the file's content: SHA-256, 16 hexadecimal digits
    ids: list[str]
    texts: list[str]
    labels: NDArray[np.int8]  # (reviews,) 1 positive, 0 negative
    rejected: int  # rows that were not admitted
    held_out: int  # the place of the first validation review; they stand at the end
    split: str  # how they were chosen, in words

    def __len__(self) -> int:
        """Return the number of reviews."""
        return len(self.texts)

    def validated_on(self, other: "LabelledReviews") -> "LabelledReviews":
        """Return all these to train on, and all the others to validate on."""
        return replace(
            self,
            fingerprint=f"{self.fingerprint}-{other.fingerprint}",
            ids=self.ids + other.ids,
            texts=self.texts + other.texts,
            labels=np.concatenate([self.labels, other.labels]),
            rejected=self.rejected + other.rejected,
            held_out=len(self),
            split=f"validation is {other.origin}, {len(other):,} reviews",
        )

    def trained_on_also(
        self, other: "LabelledReviews", unseen: Collection[str] = ()
    ) -> "LabelledReviews":
        """Return these with the others to train on; a text to be measured on is not learned.

        unseen: texts of other files that the model will be measured on.
        """
        hidden = {*self.texts[self.held_out :], *unseen}
        new = [number for number, text in enumerate(other.texts) if text not in hidden]
        return replace(
            self,
            fingerprint=f"{self.fingerprint}+{other.fingerprint}",
            ids=[*(other.ids[number] for number in new), *self.ids],
            texts=[*(other.texts[number] for number in new), *self.texts],
            labels=np.concatenate([other.labels[new], self.labels]),
            held_out=self.held_out + len(new),
            split=f"{self.split}; {len(new):,} reviews to train on are {other.origin}",
        )


def read_labelled(
    path: Path, *, text: str = "document", label: str = "label", review_id: str = "id"
) -> LabelledReviews:
    """Read a CSV, TSV (also .txt), JSON Lines or Parquet file with a text and a 0/1 label column.

    Without the id column the row's number is the id.

    Raises InputError with what to do.
    """
    table = _read(path)
    for column in (text, label):
        if column not in table.columns:
            raise InputError(
                f"{path} has no column {column!r}; it has: {', '.join(map(str, table.columns))}"
            )
    labels = pd.to_numeric(table[label], errors="coerce")
    if not labels.isin([0, 1]).all():
        row = int((~labels.isin([0, 1])).to_numpy().argmax())
        raise InputError(
            f"{path}: label {table[label].iloc[row]!r} in row {row + 1} is neither 0 nor 1; "
            "correct it or name another --label-column"
        )
    keys = table[review_id] if review_id in table.columns else pd.Series(range(len(table)))
    return _admitted(path, keys.astype(str).tolist(), table[text].tolist(), labels.to_numpy())


def read_unlabelled(path: Path, *, text: str = "document") -> list[str]:
    """Read the admissible texts of a file; other columns are ignored.

    Raises InputError with what to do.
    """
    table = _read(path)
    if text not in table.columns:
        raise InputError(
            f"{path} has no column {text!r}; it has: {', '.join(map(str, table.columns))}"
        )
    verdicts = (admit("1", value) for value in table[text].tolist())
    return [verdict.text for verdict in verdicts if isinstance(verdict, Review)]


def _admitted(
    path: Path, keys: Sequence[str], texts: Sequence[object], labels: NDArray[np.float64]
) -> LabelledReviews:
    verdicts = [admit(key, text) for key, text in zip(keys, texts, strict=True)]
    good = [i for i, verdict in enumerate(verdicts) if isinstance(verdict, Review)]
    if not good:
        raise InputError(
            f"{path} holds no review that is accepted; check the name of the text column"
        )
    reviews = [verdict for verdict in verdicts if isinstance(verdict, Review)]
    return LabelledReviews(
        origin=path.name,
        fingerprint=sha256(path.read_bytes()).hexdigest()[:16],
        ids=[review.review_id for review in reviews],
        texts=[review.text for review in reviews],
        labels=labels[good].astype(np.int8),
        rejected=len(verdicts) - len(good),
        held_out=len(good) - int(len(good) * VALIDATION),
        split=f"validation is the last {VALIDATION:.0%}",
    )


def _read(path: Path) -> pd.DataFrame:
    name = path.name.removesuffix(".gz")
    try:
        if name.endswith(".parquet"):
            return pd.read_parquet(path)
        if name.endswith((".jsonl", ".ndjson")):
            return pd.read_json(path, lines=True, dtype=False)
        separator = "," if name.endswith(".csv") else "\t"
        # "NA" and "null" are texts that people write; only an empty cell is empty.
        return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}); convert it first") from None
    except (ValueError, OSError) as error:
        raise InputError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); "
            "give CSV, TSV, JSON Lines or Parquet"
        ) from None
