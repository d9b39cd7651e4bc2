"""The models that have scored, and which of them the views show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now
from iyu.schemas.results.events import Kind, record
from iyu.schemas.sql.tables import models, predictions


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its row describes it."""

    model_version: str
    preset: str
    created_at: datetime
    activated_at: datetime | None  # None: it has only scored stored reviews again
    manifest: Mapping[str, Any]
    reviews: int  # that it has scored, under all sources
    is_current: bool  # activated last: the views show it wherever it has scored

    @property
    def test_auc(self) -> float | None:
        """On the labelled test file of its training, if it was tested."""
        found: float | None = self.manifest.get("metrics", {}).get("test", {}).get("auc")
        return found

    def summary(self) -> dict[str, Any]:
        """Return everything but the manifest, as JSON takes it."""
        return {
            "model_version": self.model_version,
            "preset": self.preset,
            "current": self.is_current,
            "created_at": self.created_at.isoformat(),
            "activated_at": self.activated_at.isoformat() if self.activated_at else None,
            "reviews": self.reviews,
            "test_auc": self.test_auc,
        }


def find_all(connection: Connection) -> list[Model]:
    """Return all models, the one that the views show first; counts every prediction."""
    version, activated = models.c.model_version, models.c.activated_at
    counts = (
        select(predictions.c.model_version, func.count().label("reviews"))
        .group_by(predictions.c.model_version)
        .subquery()
    )
    query = (
        select(models, func.coalesce(counts.c.reviews, 0).label("reviews"))
        .join(counts, counts.c.model_version == version, isouter=True)
        .order_by(activated.is_(None), activated.desc(), models.c.created_at.desc())
    )
    return [
        Model(
            row.model_version,
            row.name,
            row.created_at,
            row.activated_at,
            row.manifest,
            int(row.reviews),
            is_current=number == 0 and row.activated_at is not None,
        )
        for number, row in enumerate(connection.execute(query))
    ]


def find_one(connection: Connection, prefix: str) -> Model:
    """Return the model with this version, or with the one version that begins so.

    Raises InputError.
    """
    version = find_version(connection, prefix)
    return next(model for model in find_all(connection) if model.model_version == version)


def find_version(connection: Connection, prefix: str) -> str:
    """Return the one model version that begins so, from the few rows of `models` alone.

    Raises InputError.
    """
    versions = map(str, connection.scalars(select(models.c.model_version)))
    found = [version for version in versions if prefix and version.startswith(prefix)]
    if prefix in found:
        return prefix
    if len(found) == 1:
        return found[0]
    trouble = (
        f"several models' versions begin with {prefix!r}"
        if found
        else f"no model {prefix!r} has scored here"
    )
    raise InputError(f"{trouble}; `iyu models list` shows them")


def activate(connection: Connection, prefix: str) -> str:
    """Let the views show this model wherever it has scored; return its version.

    No row of another model is touched, and no prediction is read: on SQLite the write lock that
    workers wait for is held for a moment only.

    Raises InputError.
    """
    version = find_version(connection, prefix)
    latest = connection.execute(select(func.max(models.c.activated_at))).scalar()
    # Another machine's clock may be ahead: the model activated last must have the latest time.
    now = max(utc_now(), latest + timedelta(microseconds=1)) if latest else utc_now()
    connection.execute(
        update(models).where(models.c.model_version == version).values(activated_at=now)
    )
    record(connection, Kind.MODEL_CHANGED, model_version=version)
    return version
