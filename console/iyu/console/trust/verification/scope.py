"""Which stored rows are verified."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from iyu.schemas.sql.tables import predictions, reviews


@dataclass(frozen=True, slots=True)
class Scope:
    """A choice of rows; None: all of them."""

    source: str | None = None
    since: datetime | None = None  # by the time the text came in: since ≤ time < until
    until: datetime | None = None
    model_version: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "source": self.source,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "model_version": self.model_version,
        }

    def of_reviews(self, query: Select[Any]) -> Select[Any]:
        """Restrict a query of `reviews`."""
        if self.source is not None:
            query = query.where(reviews.c.source == self.source)
        if self.since is not None:
            query = query.where(reviews.c.submitted_at >= self.since)
        if self.until is not None:
            query = query.where(reviews.c.submitted_at < self.until)
        return query

    def of_predictions(self, query: Select[Any]) -> Select[Any]:
        """Restrict a query of `predictions`; it is joined with `reviews` where times decide."""
        if self.model_version is not None:
            query = query.where(predictions.c.model_version == self.model_version)
        if self.since is None and self.until is None:
            by_source = predictions.c.source == self.source
            return query if self.source is None else query.where(by_source)
        same = (reviews.c.source == predictions.c.source) & (
            reviews.c.review_id == predictions.c.review_id
        )
        return self.of_reviews(query.join(reviews, same))
