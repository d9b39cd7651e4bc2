"""A page as HTML, as JSON and as CSV."""

import csv
from collections.abc import Iterable
from datetime import datetime
from io import StringIO
from typing import Any, Final

import orjson
from starlette.responses import HTMLResponse, Response

from iyu.console.web.filters import Filters
from iyu.console.web.language import Language
from iyu.console.web.pages.page import Page
from iyu.console.web.queries.answer import Answer
from iyu.console.web.rendering import render
from iyu.schemas.contract.errors import InputError

#: What a spreadsheet would take for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_html(page: Page, name: str, filters: Filters, language: Language) -> Response:
    """Return the page for a browser."""
    context = {
        **page.context,
        "tables": page.tables,
        "links": page.links,
        "page_name": name,
        "filters": filters,
        "is_report": False,
    }
    return HTMLResponse(render(page.template, language, context), page.status)


def as_json(page: Page, filters: Filters) -> Response:
    """Return every table of the page with its query."""
    content = {
        "address": filters.query(),
        "tables": {
            name: {
                "columns": answer.columns,
                "rows": answer.rows,
                "is_complete": answer.is_complete,
                "sql": answer.sql,
            }
            for name, answer in page.tables.items()
        },
        "links": {name: _json_address(address) for name, address in page.links.items() if address},
    }
    return Response(
        orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS),
        page.status,
        media_type="application/json",
    )


def as_csv(page: Page, table: str | None) -> Response:
    """Return one table of the page, the first unless it is named. Raises InputError."""
    name = table or next(iter(page.tables))
    if name not in page.tables:
        raise InputError(f"table={name!r} is unknown; choose of: {', '.join(page.tables)}")
    return Response(
        csv_text(page.tables[name]),
        page.status,
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="iyu-{name}.csv"'},
    )


def csv_text(answer: Answer) -> str:
    """Return a table as CSV with a heading; no cell can be taken for a formula."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(answer.columns)
    writer.writerows(_cells(row.get(name) for name in answer.columns) for row in answer.rows)
    # A byte order mark: without it, spreadsheets read Korean in the encoding of their country.
    return "\ufeff" + out.getvalue()


def _cells(values: Iterable[Any]) -> list[Any]:
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return value


def _json_address(address: str) -> str:
    path, mark, query = address.partition("?")
    return f"{path}.json{mark}{query}"
