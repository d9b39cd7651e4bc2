"""Every page as HTML, JSON and CSV over both databases, and what it refuses."""

import csv
from io import StringIO
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from iyu.console.web.app import PAGES
from iyu.console.web.read_session import Database
from tests.harness.web_page import WebPage, served
from tests.harness.web_reviews import FORMULA, HOSTILE, NEW, OLD, SCRIPT

TOKEN = "a-token-that-nobody-guesses"
WORD = urlencode({"word": "최악", "pos": "NNG"})
PAIR = urlencode({"a": OLD, "b": NEW})
QUERIES = {
    "overview": "",
    "reviews": "",
    "review": urlencode({"source": "shop", "id": "a/b?c=d&e#f %20"}),
    "words": "",
    "word": WORD,
    "models": "",
    "model": urlencode({"a": NEW}),
    "comparison": PAIR,
    "state": "",
}
MORE = [
    ("reviews", urlencode({"word": "최고", "source": "film", "label": "positive", "low": "60"})),
    ("reviews", urlencode({"text": "'; DROP TABLE reviews; --"})),
    ("reviews", urlencode({"text": "100%_:name ?"})),
    ("words", urlencode({"source": "app", "since": "2026-11-12", "until": "2026-11-24"})),
    ("word", urlencode({"word": "별로", "pos": "NNG", "since": "2026-11-12"})),
    ("review", urlencode({"source": "shop", "id": "script"})),
]


def made(page: WebPage, name: str, query: str = "", ending: str = "") -> Any:
    """Get a page."""
    return page.get(f"/{name}{ending}?{query}")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_three_addresses_and_the_same_tables(page: WebPage, name: str):
    html, data, table = (made(page, name, QUERIES[name], e) for e in ("", ".json", ".csv"))
    assert (html.status, data.status, table.status) == (200, 200, 200)
    assert html.headers["content-type"].startswith("text/html")
    first = next(iter(data.json["tables"].values()))
    rows = list(csv.reader(StringIO(table.body.removeprefix("\ufeff"))))
    assert rows[0] == list(first["columns"])
    assert len(rows) - 1 == len(first["rows"])
    assert f"/{name}.json" in html.body
    assert f"/{name}.csv" in html.body


@pytest.mark.parametrize(("name", "query"), [*QUERIES.items(), *MORE])
def test_the_sql_that_is_shown_gives_the_rows_that_are_shown(
    page: WebPage, database: Database, name: str, query: str
):
    tables = made(page, name, query, ".json").json["tables"]
    shown = {
        key: table
        for key, table in tables.items()
        if table["sql"] and name != "model"  # one of the rows its query gives
    }
    for table in shown.values():
        statements = table["sql"].split(";\n")
        with database.session() as connection:
            rows = [
                row
                for one in statements
                for row in connection.exec_driver_sql(one.replace("%", _percent(database))).all()
            ]
        assert len(rows) == len(table["rows"]), table["sql"]
    assert tables


def _percent(database: Database) -> str:
    """A percent sign, as this driver wants it in a statement that is typed by hand."""
    return "%" if database.engine.dialect.name == "sqlite" else "%%"


def test_hostile_reviews_are_text_in_html_and_no_formula_in_csv(page: WebPage):
    shown = page.get(f"/reviews?{urlencode({'text': 'document.title', 'source': 'shop'})}").body
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    query = urlencode({"text": "HYPERLINK"})
    [row] = page.get(f"/reviews.json?{query}").json["tables"]["reviews"]["rows"]
    assert row["text"] == FORMULA
    cells = next(iter(list(csv.DictReader(StringIO(page.get(f"/reviews.csv?{query}").body)))))
    assert cells["text"] == "'" + FORMULA


@pytest.mark.parametrize("key", HOSTILE)
def test_every_review_can_be_reached_whatever_its_id(page: WebPage, key: str):
    query = urlencode({"source": "shop", "id": key})
    assert page.get(f"/review?{query}").status == 200
    [row] = page.get(f"/review.json?{query}").json["tables"]["review"]["rows"]
    assert (row["review_id"], row["text"]) == (key, HOSTILE[key])


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("since=yesterday", "2026-11-24"),
        ("low=200", "0 to 100"),
        ("label=maybe", "positive, negative"),
        ("after=%00", "character"),
        ("after=xyz", "first page"),
        ("text=" + "a" * 600, "shorter"),
        ("text=a%00b", "character"),
        ("since=2026-11-24&until=2026-11-01", "exchange"),
        ("since=0001-01-01&until=9999-12-31", "days at most"),
    ],
)
def test_a_wrong_address_is_answered_in_one_line(page: WebPage, query: str, word: str):
    answered = page.get(f"/reviews.json?{query}")
    assert answered.status == 400
    assert word in answered.json["error"]
    assert page.get(f"/reviews?{query}").status == 400


def test_what_is_not_there_is_404(page: WebPage):
    for address in ("/nothing", "/static/..%2Fapp.py", "/review?source=shop&id=none",
                    "/model?a=none", "/reviews.xml"):  # fmt: skip
        assert page.get(address).status == 404, address


def test_only_get_is_answered(page: WebPage):
    for method in ("POST", "PUT", "DELETE"):
        assert page.request(method, "/reviews", {}).status == 405


def test_headers_are_those_a_scanner_asks_for(page: WebPage):
    for address in ("/", "/reviews.json", "/static/style.css", "/nothing"):
        headers = page.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
    assert page.get("/").headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.get("/").headers


def test_a_foreign_name_is_refused(page: WebPage):
    assert page.get("/", Host="evil.example").status == 400
    assert page.get("/", Host=f"localhost:{page.port}").status == 200


def test_the_language_is_the_address_then_the_cookie_then_the_browser(page: WebPage):
    korean = '<html lang="ko"'
    assert '<html lang="en"' in page.get("/").body
    assert korean in page.get("/", Accept_Language="ko-KR,ko;q=0.9,en;q=0.8").body
    assert '<html lang="en"' in page.get("/", Accept_Language="fr;q=1, xx;q=y").body
    chosen = page.get("/words?lang=ko", Accept_Language="en")
    assert korean in chosen.body
    cookie = chosen.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert korean in page.get("/", Cookie=cookie.partition(";")[0], Accept_Language="en").body


def test_a_token_is_needed_where_there_is_one(reviews_url: str):
    with served(reviews_url, token=TOKEN) as page:
        assert page.get("/").status == 401
        assert page.get("/reviews.json").status == 401
        assert page.get("/reviews.json", Authorization="Bearer wrong").status == 401
        assert page.get("/reviews.json", Authorization=f"Bearer {TOKEN}").status == 200
        wrong = page.post("/enter", urlencode({"token": "wrong", "next": "/words"}))
        assert wrong.status == 401
        assert "set-cookie" not in wrong.headers
        right = page.post("/enter", urlencode({"token": TOKEN, "next": "/words?order=mean"}))
        cookie = right.headers["set-cookie"]
        assert (right.status, right.headers["location"]) == (303, "/words?order=mean")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert page.get("/", Cookie=cookie.partition(";")[0]).status == 200
        assert page.get("/", Cookie="iyu-token=" + "0" * 64).status == 401
        assert page.get("/static/style.css").status == 200


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", "https://evil.example", "x"])
def test_the_entrance_leads_nowhere_else(reviews_url: str, to: str):
    with served(reviews_url, token=TOKEN) as page:
        entered = page.post("/enter", f"token={TOKEN}&next={quote(to, safe='')}")
        assert entered.headers["location"] == "/"


def test_state_says_when_the_broker_is_down_and_still_shows_the_rest(page: WebPage):
    answered = page.get("/state")
    assert answered.status == 200
    assert "The broker does not answer" in answered.body
    assert "killed-worker" in answered.body
    assert SCRIPT not in answered.body


def test_a_pair_is_shown_as_it_was_compared_or_with_the_command_that_compares_it(page: WebPage):
    tables = page.get(f"/comparison.json?{PAIR}").json["tables"]
    [agreement] = tables["agreement"]["rows"]
    assert agreement["reviews"] > 1_000
    assert "별로" in {row["surface"] for row in tables["words"]["rows"]}
    assert {row["kind"] for row in tables["flips"]["rows"]} <= {"to_positive", "to_negative"}
    shown = page.get(f"/comparison?{PAIR}").body
    assert "Since then" not in shown
    assert "iyu models compare" not in shown

    turned = page.get("/comparison?" + urlencode({"a": NEW, "b": OLD})).body
    assert f"iyu models compare {NEW} {OLD}" in turned
    assert "other way round" in turned
    narrowed = page.get(f"/comparison?{PAIR}&source=film").body
    assert f"iyu models compare {OLD} {NEW} --source film" in narrowed
    assert "other way round" not in narrowed
