"""The artifact of a model version, among folders and the names of models that ship."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.model.artifact import MANIFEST_FILE, locate
from iyu.worker.model.presets import PRESETS


def find_artifact(model_version: str, artifacts: Sequence[str]) -> Path | None:
    """Return the folder whose manifest names this version; None if there is none.

    Whether its files are those of the manifest is found out by loading it.
    """
    for name in (*artifacts, *PRESETS):
        with suppress(ArtifactError):
            folder = locate(name)
            if _manifest(folder).get("model_version") == model_version:
                return folder
    return None


def _manifest(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        manifest = orjson.loads((folder / MANIFEST_FILE).read_bytes())
        if isinstance(manifest, dict):
            return manifest
    return {}
