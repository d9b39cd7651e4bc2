"""A model artifact that is damaged is one line, whatever is wrong with its files."""

import shutil

import numpy as np
import orjson
import pytest

from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.model import artifact

WHOLE = artifact.locate("wide")


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped artifact."""
    return shutil.copytree(WHOLE, tmp_path / "wide")


def declare(folder) -> None:
    """Have the manifest name the files as they are now: what a bad copy script would do."""
    manifest = orjson.loads((folder / artifact.MANIFEST_FILE).read_bytes())
    manifest["model_version"] = artifact._version(folder, manifest)
    (folder / artifact.MANIFEST_FILE).write_bytes(orjson.dumps(manifest))


def cut(folder) -> None:
    file = folder / artifact.TABLES_FILE
    file.write_bytes(file.read_bytes()[:-1_000])


def flip(folder) -> None:
    file = folder / artifact.TABLES_FILE
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def pickled(folder) -> None:
    np.savez(folder / artifact.TABLES_FILE, table=np.array([{}], dtype=object))


def without_tables(folder) -> None:
    np.savez(folder / artifact.TABLES_FILE, other=np.zeros(3))


def no_zip(folder) -> None:
    (folder / artifact.TABLES_FILE).write_bytes(b"no archive")


def empty(folder) -> None:
    (folder / artifact.TABLES_FILE).write_bytes(b"")


def bad_vocabulary(folder) -> None:
    (folder / artifact.VOCABULARY_FILE).write_bytes(b'{"tokens": 1}')


DAMAGES = (cut, flip, pickled, without_tables, no_zip, empty, bad_vocabulary)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("declared", [False, True])
def test_a_damaged_artifact_is_one_line(folder, damage, declared):
    damage(folder)
    if declared:
        declare(folder)
    with pytest.raises(ArtifactError) as refused:
        artifact.load(folder)
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)
