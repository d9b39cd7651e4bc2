"""What shows whether rows and models can be trusted: verifications, later labels, drift."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData, String, Table


def define(metadata: MetaData, row_id: Any, json: Any, time: Any) -> tuple[Table, Table, Table]:
    """Return `verifications`, `labels`, `drift_reports`; `time` makes a column of a UTC time."""
    verifications = Table(
        "verifications",
        metadata,
        Column("verification_id", row_id, primary_key=True, autoincrement=True),
        time("started_at", nullable=False),
        time("finished_at", nullable=False),
        Column("iyu_version", String(32), nullable=False),
        Column("scope", json, nullable=False),  # source, since, until, model_version, sample, days
        Column("rows_checked", BigInteger, nullable=False),  # scores, in SQL
        Column("rows_scored", Integer, nullable=False),  # whose texts were scored again
        Column("findings", Integer, nullable=False),
        Column("found", json, nullable=False),  # {kind: how often}; no review is named
    )
    labels = Table(
        "labels",
        metadata,
        Column("source", String(100), primary_key=True),
        Column("review_id", String(200), primary_key=True),
        Column("label", Integer, nullable=False),  # 1 positive, 0 negative
        Column("text_hash", String(16), nullable=False),  # of the text that stood at the import
        time("imported_at", nullable=False),
    )
    drift_reports = Table(
        "drift_reports",
        metadata,
        Column("drift_report_id", row_id, primary_key=True, autoincrement=True),
        time("started_at", nullable=False),
        time("finished_at", nullable=False),
        Column("iyu_version", String(32), nullable=False),
        Column("model_version", String(16), nullable=False),
        Column("method", String(32), nullable=False),
        Column("source", String(100)),  # of the window; None: all sources together
        Column("scope", json, nullable=False),  # window and reference: source, since, until, …
        Column("reference_accuracy", Double, nullable=False),  # estimated, as the next
        Column("estimated_accuracy", Double, nullable=False),
        Column("alarm", Boolean, nullable=False),  # it fell more than chance explains
        Column("noticed", json, nullable=False),  # names of figures that changed
        Column("figures", json, nullable=False),  # {figure: …}; no review and no word is named
    )
    return verifications, labels, drift_reports
