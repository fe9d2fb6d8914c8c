"""The site of runbooks in a real browser, opened as files: found, filled in, read in the dark, printed."""

import re

import pytest

from alerts.rules import LINKS
from runbooks import site
from runbooks.book import library


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for path, text in site.render(library.load(), LINKS).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def page(page):
    """Nothing may go wrong in it."""
    yield page
    assert page.wrong == []


def go(page, root, path):
    page.goto((root / path.partition("?")[0]).as_uri() + ("?" + path.partition("?")[2] if "?" in path else ""))
    page.wait_for_function("document.body.dataset.ready === 'yes'")


@pytest.mark.parametrize(("words", "name"), [
    ("toolfailing", "ToolFailing"), ("retry storm", "RetryStorm"), ("queue full exporter", "CollectorQueueFull"),
    ("version worse canary", "CanaryWorse"),
])  # fmt: skip
def test_the_first_hit_of_a_search_is_the_page(page, root, words, name):
    go(page, root, "index.html")
    page.keyboard.press("/")
    page.keyboard.type(words)
    assert page.locator("#found li").first.inner_text().startswith(name)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/{name}/index\.html"))


def test_a_search_for_nothing_there_is_says_so(page, root):
    go(page, root, "ToolFailing/index.html")
    page.fill("#search", "nonsenseword")
    assert page.locator("#found").inner_text() == "No page has all of these words."


def test_labels_stand_in_every_query(page, root, pictures):
    """From the address, and as they are typed; text in them stays text."""
    go(page, root, "ToolFailing/index.html?environment=prod&var-tool_name=order_lookup")
    first = page.locator("article .code pre").nth(1)
    assert 'tool_name="order_lookup"' in first.inner_text()
    assert 'export environment="prod"' in page.locator("article .code pre").first.inner_text()
    page.screenshot(path=pictures / "runbook-page.png")
    page.fill('.labels input[name="tool_name"]', "<b>x")
    assert 'tool_name="<b>x"' in first.inner_text()


def test_the_index_narrows_to_a_severity(page, root, pictures):
    go(page, root, "index.html")
    page.screenshot(path=pictures / "runbook-index.png")
    page.click('[data-severity="page"]')
    shown = page.locator(".index li:visible")
    assert shown.count() > 10
    assert {"page" in (item.get_attribute("data-severities") or "") for item in shown.all()} == {True}


def test_it_can_be_read_in_the_dark_on_a_telephone_and_on_paper(browser, root, pictures):
    context = browser.new_context(viewport={"width": 420, "height": 900}, color_scheme="dark", offline=True)
    page = context.new_page()
    go(page, root, "ToolFailing/index.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.screenshot(path=pictures / "runbook-telephone.png")
    page.emulate_media(media="print")
    assert page.locator("header").is_hidden()
    assert page.locator(".copy").first.is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    (pictures / "runbook-print.pdf").write_bytes(page.pdf(format="A4"))
    context.close()
