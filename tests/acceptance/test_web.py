"""The page in Chromium: both languages and themes, without JavaScript, and nothing from outside."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Route,
    expect,
    sync_playwright,
)

from iyu.console.web.app import PAGES
from iyu.schemas.sql.engine import connected, upgrade
from tests.harness.polling import poll
from tests.harness.postgres_server import ServiceMissing
from tests.harness.services import Process, child_environment, iyu_command, run_iyu
from tests.harness.skipping import skip_without
from tests.harness.web_page import CHROMIUM, find_chromium, picture_path
from tests.harness.web_reviews import HOSTILE, NEW, OLD, store_reviews

pytestmark = pytest.mark.acceptance

TOKEN = "a-token-that-nobody-guesses"
NARROW, WIDE = 390, 1280
LANGUAGES = ("en", "ko")
#: Every page, and some in a state of their own.
ADDRESSES = {
    "overview": "/",
    "reviews": "/reviews",
    "review": "/review?" + urlencode({"source": "shop", "id": "a/b?c=d&e#f %20"}),
    "words": "/words",
    "word": "/word?" + urlencode({"word": "최고", "pos": "NNG"}),
    "models": "/models",
    "model": f"/model?a={NEW}",
    "comparison": f"/comparison?a={OLD}&b={NEW}",
    "state": "/state",
    "search": "/reviews?" + urlencode({"word": "최고", "source": "film", "label": "positive"}),
    "nothing-found": "/reviews?text=zzzz",
    "heat-hidden": "/reviews?heat=off",
    "hostile": "/reviews?source=shop",
    "long": "/review?source=shop&id=long",
}
REFUSED = {"no-review": "/review?source=shop&id=none", "wrong": "/reviews?since=x"}


@dataclass
class Visits:
    """What a browser asked for, and what it complained of."""

    own: int = 0
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def reviews_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('web') / 'iyu.db'}"
    with connected(url) as engine:
        upgrade(engine)
        store_reviews(engine)
    return url


@pytest.fixture(scope="module")
def environment(reviews_url: str) -> dict[str, str]:
    return child_environment(IYU_DATABASE_URL=reviews_url, IYU_BROKER_URL="redis://127.0.0.1:1/0")


@pytest.fixture(scope="module")
def start_web(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., str]]:
    """Start `iyu web` as a process; returns its address."""
    folder = tmp_path_factory.mktemp("process")
    started: list[Process] = []

    def start(*options: str) -> str:
        log = folder / f"web-{len(started)}.log"
        command = iyu_command("web", "--port", "0", *options)
        process = Process(command, environment, log, folder)
        started.append(process)
        said = poll(60, lambda: re.search(r"http://\S+", process.output()))
        return said[0].rstrip("/")

    yield start
    for process in started:
        process.kill_group()


@pytest.fixture(scope="module")
def address(start_web: Callable[..., str]) -> str:
    return start_web()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        program = find_chromium()
    except ServiceMissing as error:
        skip_without(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield browser
        browser.close()


def open_context(
    browser: Browser, address: str, **options: Any
) -> tuple[BrowserContext, Page, Visits]:
    """Open a browser that can reach the page and nothing else."""
    visits = Visits()
    context = browser.new_context(**options)

    def only_own(route: Route) -> None:
        if route.request.url.startswith(address):
            visits.own += 1
            route.continue_()
        else:
            visits.elsewhere.append(route.request.url)
            route.abort()

    context.route("**/*", only_own)
    page = context.new_page()
    page.on("console", lambda message: visits.complaints.append(message.text))
    page.on("pageerror", lambda error: visits.complaints.append(str(error)))
    page.on("dialog", lambda dialog: visits.complaints.append(dialog.message))
    return context, page, visits


def visit(page: Page, address: str) -> int:
    """Open an address; returns the status."""
    response = page.goto(address)
    assert response is not None
    return response.status


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ko", "dark")])
def test_every_page_is_whole_accessible_and_asks_nobody_else(
    browser: Browser, address: str, language: str, theme: str
):
    options = {"locale": language, "color_scheme": theme}
    context, page, visits = open_context(browser, address, **options)
    axe, found = Axe(), {}
    for name, path in (ADDRESSES | REFUSED).items():
        page.set_viewport_size({"width": WIDE, "height": 900})
        status = visit(page, address + path)
        assert status == {"no-review": 404, "wrong": 400}.get(name, 200), name
        assert page.get_attribute("html", "lang") == language
        results = axe.run(page)
        found[name] = [violation["id"] for violation in results.response["violations"]]
        page.screenshot(path=picture_path(f"{name}-{language}-{theme}-wide"), full_page=True)
        page.set_viewport_size({"width": NARROW, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, name
        page.screenshot(path=picture_path(f"{name}-{language}-{theme}-narrow"), full_page=True)
    context.close()
    assert found == {name: [] for name in found}
    assert visits.elsewhere == []
    assert [c for c in visits.complaints if "status of 40" not in c] == []
    assert visits.own > len(ADDRESSES)
    assert set(PAGES) <= set(ADDRESSES)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("language", LANGUAGES)
def test_from_a_search_to_a_word_a_review_and_the_models(
    browser: Browser, address: str, language: str, scripts: bool
):
    context, page, visits = open_context(
        browser, address, locale=language, java_script_enabled=scripts,
        viewport={"width": WIDE, "height": 900},
    )  # fmt: skip
    page.goto(f"{address}/reviews")
    page.fill("#text", "최악")
    page.select_option("#label", "negative")
    page.click("form[role=search] button")
    page.wait_for_url("**text=*")
    first = page.locator("article.review").first
    expect(first.locator(".heated")).to_contain_text("최악")
    first.locator("a.more").click()
    page.wait_for_url("**/review?*")
    expect(page.locator("article.method")).to_have_count(4)  # two methods, two models
    page.locator(".chips a").first.click()
    page.wait_for_url("**word=*")
    page.click("header >> a[href^='/words']")
    page.locator("table.words th a").first.click()
    page.wait_for_url("**/word?*")
    word = page.locator("h1 bdi").inner_text()
    page.locator("p > a.button", has_text=re.compile("with it|모두")).click()
    page.wait_for_url("**/reviews?*")
    assert all(word in text for text in page.locator("article .heated").all_inner_texts())
    page.locator("a[rel=next]").click()
    page.wait_for_url("**after=*")
    page.click("header >> a[href^='/models']")
    page.click("form[action='/comparison'] button")
    page.wait_for_url("**/comparison?*")
    page.locator("table.flips a").first.click()
    page.wait_for_url("**/review?*")
    context.close()
    assert visits.elsewhere == []
    assert visits.complaints == []


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_hostile_reviews_are_shown_as_their_text_and_whole(
    browser: Browser, address: str, width: int
):
    context, page, visits = open_context(browser, address, viewport={"width": width, "height": 900})
    for key, text in HOSTILE.items():
        visit(page, f"{address}/review?" + urlencode({"source": "shop", "id": key}))
        shown = page.locator(".text.large .heated")
        assert shown.evaluate("it => it.textContent") == text
        box = shown.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert page.locator("script").count() == 0
        assert page.title() != "broken"
        # What follows a review with a mark that turns the direction is read from the left again.
        assert page.locator(".legend").evaluate("it => getComputedStyle(it).direction") == "ltr"
    context.close()
    assert visits.complaints == []
    assert visits.elsewhere == []


def test_heat_has_a_sign_beside_colour_a_sentence_and_a_switch(browser: Browser, address: str):
    context, page, _ = open_context(browser, address, locale="en")
    page.goto(f"{address}/review?" + urlencode({"source": "shop", "id": "emoji"}))
    up = page.locator(".text.large .u4").first
    assert up.evaluate("it => getComputedStyle(it).borderTopWidth") == "3px"
    page.goto(f"{address}/review?source=shop&id=script")
    down = page.locator(".text.large .d4").first
    assert down.evaluate("it => getComputedStyle(it).borderBottomWidth") == "3px"
    text = page.locator(".text.large")
    assert "Pulled down by: 최악." in text.inner_text()
    assert page.locator(".text.large [role], .text.large [aria-label]").count() == 0
    page.click(".switch a")
    page.wait_for_url("**heat=off*")
    plain = page.locator(".text.large .d4").first
    assert plain.evaluate("it => getComputedStyle(it).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert not page.locator(".text.large .unseen").is_visible()
    page.goto(f"{address}/review?source=shop&id=long")
    assert "outside the window" in page.locator(".legend").inner_text()
    assert page.locator(".text.large .out").count() == 1
    context.close()


def test_the_sql_can_be_copied_from_under_every_table(browser: Browser, address: str):
    context, page, _ = open_context(browser, address)
    for name in PAGES:
        visit(page, address + ADDRESSES[name])
        queries = page.locator("details.behind")
        assert queries.count() >= 1, name
        queries.first.locator("summary").click()
        assert "SELECT" in queries.first.locator("code").inner_text(), name
    context.close()


def test_a_reader_gives_the_token_once(browser: Browser, start_web: Callable[..., str]):
    address = start_web("--token", TOKEN)
    context, page, visits = open_context(browser, address, java_script_enabled=False)
    page.goto(f"{address}/words?order=mean")
    page.fill("#token", "not this one at all")
    page.click("form button")
    expect(page.locator("[role=alert]")).to_be_visible()
    page.fill("#token", TOKEN)
    page.click("form button")
    page.wait_for_url(f"{address}/words?order=mean")
    page.goto(f"{address}/reviews")
    assert page.locator("article.review").count() > 0
    [cookie] = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert TOKEN not in cookie["value"]
    context.close()
    assert visits.elsewhere == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_is_one_file_that_asks_for_nothing(
    browser: Browser, environment: dict[str, str], tmp_path: Path, language: str
):
    out = tmp_path / "report.html"
    days = ("--since", "2026-11-11", "--until", "2026-11-24")
    run = run_iyu(
        "report", str(out), "--language", language, *days, environment=environment, cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    context, page, visits = open_context(browser, f"file://{out}", color_scheme="dark")
    page.goto(f"file://{out}")
    assert page.get_attribute("html", "lang") == language
    assert page.locator("article.review").count() == 10
    assert page.locator("svg").count() > 5
    assert Axe().run(page).response["violations"] == []
    heat = page.locator("article .d4").first
    coloured = heat.evaluate("it => getComputedStyle(it).backgroundColor")
    page.check("#no-heat")
    assert heat.evaluate("it => getComputedStyle(it).backgroundColor") != coloured
    page.screenshot(path=picture_path(f"report-{language}"), full_page=True)
    context.close()
    assert (visits.own, visits.elsewhere, visits.complaints) == (1, [], [])


def test_a_report_of_an_empty_period_is_one_line(environment: dict[str, str], tmp_path: Path):
    days = ("--since", "2020-01-01", "--until", "2020-01-02")
    run = run_iyu("report", "out.html", *days, environment=environment, cwd=tmp_path)
    assert run.returncode == 2
    assert "give other days" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out.html").exists()
