"""A trained model on disk: one folder.

`model.keras`, `vocabulary.json`, `manifest.json`, and `tables.npz` where a preset has tables.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import orjson

from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.model.encoding import Encoder
from iyu.worker.model.network import Network
from iyu.worker.model.presets import Tables, preset
from iyu.worker.text.morphemes import tokenizer_identity
from iyu.worker.text.vocabulary import Vocabulary

FORMAT: Final = 1
MODEL_FILE: Final = "model.keras"
VOCABULARY_FILE: Final = "vocabulary.json"
MANIFEST_FILE: Final = "manifest.json"
TABLES_FILE: Final = "tables.npz"
#: The parts of a manifest that change what inference does; the rest is for readers.
_INFERENCE_KEYS: Final = ("format", "preset", "tokenizer", "sequence_length", "padding")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model ready to score."""

    model_version: str  # 12 hexadecimal digits of its content
    manifest: Mapping[str, Any]
    vocabulary: Vocabulary
    network: Network
    encoder: Encoder
    keras_model: Any  # what the network was split from
    tables: Tables  # what stands beside it

    @property
    def name(self) -> str:
        """The preset it was trained with."""
        return str(self.manifest["preset"])


def locate(model: str | Path) -> Path:
    """Return the folder of an artifact: one that ships, by name, or a path.

    A Path is never a name: a folder `wide` beside the caller is not the one that ships.

    Raises ArtifactError.
    """
    shipped = Path(str(files("iyu.worker") / "artifacts"))
    named = [shipped / model] if isinstance(model, str) else []
    for folder in (*named, Path(model)):
        if (folder / MANIFEST_FILE).is_file():
            return folder
    names = sorted(p.parent.name for p in shipped.glob(f"*/{MANIFEST_FILE}"))
    raise ArtifactError(
        f"no model artifact at {str(model)!r}; give a folder that `iyu train` wrote, "
        f"or one of: {', '.join(names) or 'none ships'}"
    )


def save(
    folder: Path,
    model: Any,
    vocabulary: Vocabulary,
    manifest: Mapping[str, Any],
    tables: Tables | None = None,
) -> None:
    """Write an artifact; its version is added to the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / MODEL_FILE)
    (folder / TABLES_FILE).unlink(missing_ok=True)  # of an artifact that stood here before
    if tables:
        np.savez_compressed(folder / TABLES_FILE, allow_pickle=False, **tables)
    (folder / VOCABULARY_FILE).write_bytes(vocabulary.to_json())
    complete = dict(manifest) | {
        "format": FORMAT,
        "tokenizer": tokenizer_identity(),
        "vocabulary": {"size": len(vocabulary), "fingerprint": vocabulary.fingerprint},
    }
    complete["model_version"] = _version(folder, complete)
    (folder / MANIFEST_FILE).write_bytes(orjson.dumps(complete, option=orjson.OPT_INDENT_2))


def add_metrics(folder: Path, name: str, metrics: Mapping[str, Any]) -> None:
    """Add figures to a manifest; the model's version stays, for it scores as before."""
    manifest = read_manifest(folder)
    manifest["metrics"][name] = dict(metrics)
    (folder / MANIFEST_FILE).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


def add_behaviour(folder: Path, capabilities: Sequence[Mapping[str, Any]]) -> None:
    """Put the table of the behaviour test into a manifest; the model's version stays."""
    manifest = read_manifest(folder)
    manifest["behaviour"] = [dict(line) for line in capabilities]
    (folder / MANIFEST_FILE).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


def load(model: str | Path) -> Artifact:
    """Read an artifact into memory.

    Raises ArtifactError if it is missing, broken, or does not match this installation.
    """
    folder = locate(model)
    manifest = read_manifest(folder)
    vocabulary = _read_vocabulary(folder, manifest)
    keras_model, tables = _read_model(folder), _read_tables(folder)
    try:
        return _assemble(folder, manifest, vocabulary, keras_model, tables)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise _mismatch(folder, f"a part of it is missing or damaged ({error})") from error


def _assemble(
    folder: Path,
    manifest: Mapping[str, Any],
    vocabulary: Vocabulary,
    keras_model: Any,
    tables: Tables,
) -> Artifact:
    chosen = preset(manifest["preset"])
    rows, expected = chosen.embedding_rows(keras_model, tables), chosen.expected_rows(vocabulary)
    if rows != expected:
        raise _mismatch(folder, f"its embedding has {rows} rows, its vocabulary needs {expected}")
    return Artifact(
        model_version=manifest["model_version"],
        manifest=manifest,
        vocabulary=vocabulary,
        network=chosen.network(keras_model, tables),
        encoder=chosen.encoder(vocabulary, manifest, tables),
        keras_model=keras_model,
        tables=tables,
    )


def untrained(artifact: Artifact, seed: int) -> Network:
    """Return a network of the same architecture with the weights that training would start from."""
    import keras

    keras.utils.set_random_seed(seed)
    chosen, model = preset(artifact.name), keras.models.clone_model(artifact.keras_model)
    return chosen.network(model, chosen.unlearned(artifact.tables, seed))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check a manifest; nothing heavy is loaded.

    Raises ArtifactError.
    """
    try:
        manifest: dict[str, Any] = orjson.loads((folder / MANIFEST_FILE).read_bytes())
        if manifest["format"] != FORMAT:
            raise _mismatch(folder, f"it has format {manifest['format']}, this iyu reads {FORMAT}")
        if manifest["tokenizer"] != tokenizer_identity():
            raise _mismatch(
                folder,
                f"it was trained on {manifest['tokenizer']}, here is {tokenizer_identity()}",
            )
        if manifest["model_version"] != _version(folder, manifest):
            raise _mismatch(folder, "its files are not those its manifest was written for")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _mismatch(folder, f"it cannot be read ({type(error).__name__}: {error})") from error
    return manifest


def _read_vocabulary(folder: Path, manifest: Mapping[str, Any]) -> Vocabulary:
    vocabulary = Vocabulary.from_json((folder / VOCABULARY_FILE).read_bytes())
    if vocabulary.fingerprint != manifest["vocabulary"]["fingerprint"]:
        raise _mismatch(folder, "its vocabulary is not the one its manifest names")
    return vocabulary


def _read_model(folder: Path) -> Any:
    import keras

    try:
        return keras.saving.load_model(folder / MODEL_FILE, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise _mismatch(folder, f"Keras cannot read its model ({error})") from error


def _read_tables(folder: Path) -> Tables:
    path = folder / TABLES_FILE
    if not path.exists():
        return {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as tables:
            return dict(tables)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error, KeyError) as error:
        raise _mismatch(folder, f"its {TABLES_FILE} is damaged ({error})") from error


def _version(folder: Path, manifest: Mapping[str, Any]) -> str:
    digest = sha256()
    tables = [TABLES_FILE] if (folder / TABLES_FILE).exists() else []
    for name in (MODEL_FILE, VOCABULARY_FILE, *tables):
        digest.update((folder / name).read_bytes())
    inference = {key: manifest[key] for key in _INFERENCE_KEYS}
    digest.update(orjson.dumps(inference, option=orjson.OPT_SORT_KEYS))
    return digest.hexdigest()[:12]


def _mismatch(folder: Path, why: str) -> ArtifactError:
    return ArtifactError(
        f"the model artifact {folder} does not match: {why}; train it again with `iyu train`, "
        "or install the versions its manifest names"
    )
