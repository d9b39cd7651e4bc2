"""The models that have scored, as their rows describe them."""

from typing import Any

import orjson
from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, run


def list_models(connection: Connection) -> Answer:
    """Return the models, the one that the views show first; manifest is a dict."""
    answer = run(
        connection,
        """
        SELECT model_version, name AS model, created_at, activated_at, manifest
        FROM models
        ORDER BY activated_at IS NULL, activated_at DESC, created_at DESC
        """,
    )
    return answer.with_rows([row | {"manifest": _parsed(row["manifest"])} for row in answer.rows])


def _parsed(manifest: Any) -> dict[str, Any]:
    """Return the manifest: SQLite gives its text, PostgreSQL what stands in it."""
    parsed: dict[str, Any] = orjson.loads(manifest) if isinstance(manifest, str) else manifest
    return parsed
