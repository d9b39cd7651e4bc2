"""Whether the latest days are like those before: what `iyu drift` found last."""

from typing import Any, Final

import orjson
from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, run

#: Sources that are listed.
MOST: Final = 20


def latest_drift(connection: Connection) -> Answer:
    """Return the latest comparison of each source; a source of None: all of them together."""
    answer = run(
        connection,
        f"""
        SELECT source, started_at, model_version, reference_accuracy, estimated_accuracy,
               alarm, noticed
        FROM drift_reports
        WHERE drift_report_id IN (SELECT MAX(drift_report_id) FROM drift_reports GROUP BY source)
        ORDER BY drift_report_id DESC
        LIMIT {MOST}
        """,
    )
    return answer.with_rows(
        [
            row | {"alarm": bool(row["alarm"]), "noticed": " ".join(_parsed(row["noticed"]))}
            for row in answer.rows
        ]
    )


def _parsed(names: Any) -> list[str]:
    """Return the names: SQLite gives their text, PostgreSQL what stands in it."""
    parsed: list[str] = orjson.loads(names) if isinstance(names, str) else names
    return parsed
