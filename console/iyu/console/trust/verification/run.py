"""A verification from beginning to end."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import Engine, insert, select

from iyu.console.trust.verification.dictionary_check import check_dictionaries
from iyu.console.trust.verification.findings import Findings
from iyu.console.trust.verification.row_checks import check_rows
from iyu.console.trust.verification.scope import Scope
from iyu.console.trust.verification.score_again import Rescorer
from iyu.console.trust.verification.snapshot import snapshot
from iyu.console.trust.verification.stored_rows import StoredRow, all_rows, draw_rows
from iyu.console.trust.verification.sum_checks import check_day, check_totals, draw_days
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import models, verifications


@dataclass(frozen=True, slots=True)
class Task:
    """What a verification is to do."""

    scope: Scope
    sample: int | None  # scores whose texts are scored again; None: all
    days: int | None  # days whose sums are computed again; None: all
    artifacts: Sequence[str]  # where the models of the rows are looked for


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found."""

    started_at: datetime
    finished_at: datetime
    checked: int  # scores that were checked in SQL
    scored: int  # whose texts were scored again
    days: int  # days whose sums were computed again
    findings: Findings

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "started_at": self.started_at.isoformat(),
            "seconds": round((self.finished_at - self.started_at).total_seconds(), 3),
            "rows_checked": self.checked,
            "rows_scored": self.scored,
            "days_summed": self.days,
            "findings": self.findings.total,
            "found": list(self.findings.described()),
        }


def verify(
    engine: Engine, task: Task, on_progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Verify stored rows; the outcome is kept in `verifications`, without the reviews' keys.

    Raises DatabaseUnavailable.
    """
    started_at, findings = utc_now(), Findings()
    with snapshot(engine) as connection:
        checked = check_rows(connection, task.scope, findings)
        check_totals(connection, findings)
        days = draw_days(connection, task.scope, task.days)
        here = task.scope.model_version
        versions = [here] if here else list(connection.scalars(select(models.c.model_version)))
        check_dictionaries(connection, versions, findings)
    for day in days:
        with snapshot(engine) as connection:
            check_day(connection, day, findings)
    scored = _score_again(_rows(engine, task), task.artifacts, findings, on_progress)
    report = Report(started_at, utc_now(), checked, scored, len(days), findings)
    _keep(engine, task, report)
    return report


def _rows(engine: Engine, task: Task) -> Iterable[list[StoredRow]]:
    if task.sample is None:
        return all_rows(engine, task.scope)
    return draw_rows(engine, task.scope, task.sample)


def _score_again(
    parts: Iterable[list[StoredRow]],
    artifacts: Sequence[str],
    findings: Findings,
    on_progress: Callable[[int], None],
) -> int:
    rescorer = Rescorer(artifacts, findings)
    for part in parts:
        rescorer.compare(part)
        on_progress(rescorer.scored)
    return rescorer.scored


def _keep(engine: Engine, task: Task, report: Report) -> None:
    row = {
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "iyu_version": version("iyu"),
        "scope": task.scope.to_dict() | {"sample": task.sample, "days": task.days},
        "rows_checked": report.checked,
        "rows_scored": report.scored,
        "findings": report.findings.total,
        "found": {kind.value: count for kind, count in report.findings.counts.items()},
    }
    with writing(engine) as connection:
        connection.execute(insert(verifications).values(row))
