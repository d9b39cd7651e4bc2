"""Texts scored again by the very artifact that their rows name."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from iyu.console.trust.find_artifact import find_artifact
from iyu.console.trust.verification.compare_rows import compare_row
from iyu.console.trust.verification.findings import Findings, Kind
from iyu.console.trust.verification.stored_rows import StoredRow
from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.scoring import Scorer

#: Reviews in one pass.
PASS: Final = 512


class Rescorer:
    """Scores stored texts again and compares; each model is loaded once.

    artifacts: folders or names in which the models of the rows are looked for.
    """

    def __init__(self, artifacts: Sequence[str], findings: Findings) -> None:
        self._artifacts = artifacts
        self._findings = findings
        self._scorers: dict[tuple[str, tuple[str, ...]], Scorer | None] = {}
        self.scored = 0

    def compare(self, rows: Iterable[StoredRow]) -> None:
        """Score the rows' texts again, and add what differs."""
        by_model = attrgetter("key.model_version")
        for version, group in groupby(sorted(rows, key=by_model), key=by_model):
            same = list(group)
            methods = tuple(sorted({method for row in same for method in row.heatmaps}))
            scorer = self._scorer(version, methods)
            if scorer is None:
                continue
            for start in range(0, len(same), PASS):
                part = same[start : start + PASS]
                for row, fresh in zip(part, scorer.score([r.text for r in part]), strict=True):
                    compare_row(row, fresh, self._findings)
            self.scored += len(same)

    def _scorer(self, version: str, methods: tuple[str, ...]) -> Scorer | None:
        """Return the model of these rows; None where it is not here, which is a finding."""
        key = version, methods
        if key not in self._scorers:
            folder = find_artifact(version, self._artifacts)
            self._scorers[key] = self._load(version, folder, methods)
        return self._scorers[key]

    def _load(self, version: str, folder: Path | None, methods: tuple[str, ...]) -> Scorer | None:
        if folder is None:
            looked = ", ".join(self._artifacts)
            why = f"none of these is of this version: {looked}"
            self._findings.add(Kind.ARTIFACT, model_version=version, why=why)
            return None
        try:
            return Scorer.load(str(folder.absolute()), methods)
        except ArtifactError as error:
            self._findings.add(Kind.ARTIFACT, model_version=version, why=str(error))
            return None
