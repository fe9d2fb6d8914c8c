"""The site of runbooks in a real browser, opened as files: found, filled in, read in the dark, printed."""

import re
import subprocess
from urllib.parse import quote

import pytest

from alerts.explore import LOCAL, Explorer, Place, queries
from alerts.rules import LINKS
from runbooks import site
from runbooks.book import library


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write(folder, LOCAL)
    return folder


def write(folder, explorer):
    for path, text in site.render(library.load(), LINKS, explorer).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)


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
    first = page.locator('article [data-language="promql"] pre').first
    assert 'tool_name="order_lookup"' in first.inner_text()
    line = page.locator("article .code pre").first
    assert line.inner_text() == 'agentobs runbooks run ToolFailing -e "prod" tool_name="order_lookup"'
    assert "export environment='prod'" in page.locator("article .code pre").nth(1).inner_text()
    page.screenshot(path=pictures / "runbook-page.png")
    page.fill('.labels input[name="tool_name"]', "<b>x")
    assert 'tool_name="<b>x"' in first.inner_text()


def address(page, place=0):
    link = page.locator('article [data-language="promql"] .open').nth(place)
    return str(link.get_attribute("href"))


@pytest.mark.parametrize("explorer", [LOCAL, Explorer(place=Place.GRAFANA, url="https://g.example.com")], ids=str)
def test_every_query_is_opened_with_the_labels_in_it(page, tmp_path, explorer):
    """Without labels it is the address that was rendered; with them the one that is shown."""
    write(tmp_path, explorer)
    go(page, tmp_path, "ToolFailing/index.html")
    for place in range(page.locator('article [data-language="promql"]').count()):
        shown = page.locator('article [data-language="promql"] code').nth(place).text_content()
        assert address(page, place) == explorer.address([*queries(str(shown))])
        assert "%24environment" in address(page, place) or "$environment" not in str(shown)
    page.fill('.labels input[name="environment"]', "prod")
    page.fill('.labels input[name="tool_name"]', 'a"b\\ & ☃')
    shown = str(page.locator('article [data-language="promql"] code').first.text_content())
    assert 'environment="prod",tool_name="a\\"b\\\\ & ☃"' in shown
    assert address(page) == explorer.address([shown])


@pytest.mark.parametrize(
    "name",
    [
        "$(touch ran)",
        "`touch ran`",
        '"; touch ran; "',
        "'; touch ran; '",
        "\\",
        "it's",
        "!x",
        "${IFS}",
        "$'x'",
        "'$(touch ran)",
    ],
)
def test_a_command_that_is_copied_runs_nothing_of_a_name(page, root, tmp_path, name):
    """Every command of a page, as a shell reads it: as if the label were exported."""
    go(page, root, f"ToolFailing/index.html?environment=prod&tool_name={quote(name)}")
    (tmp_path / "agentobs").write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    (tmp_path / "agentobs").chmod(0o755)
    shown = page.locator('article [data-language="bash"] code').all_text_contents()
    calls = [text for text in shown if text.startswith("agentobs") and "tool" in text.partition("\n")[0]]
    assert len(calls) > 1
    for text in calls:
        path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        done = subprocess.run(["bash", "-c", text], cwd=tmp_path, env=path, capture_output=True, text=True, check=True)
        assert any(name in word for word in done.stdout.split("\0")), text
    exports = next(text for text in shown if text.startswith("export"))
    run = ["bash", "-c", f'{exports}\nprintf "%s" "$tool_name"']
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == name
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ('a "$x"', 'a ""\'$(y)\'""'),
        ("a '$x'", "a '$x'"),
        ("a $x", "a $x"),
        ('a "$(b "$x" \'$x\')$x"', 'a "$(b ""\'$(y)\'"" \'$x\')"\'$(y)\'""'),
        ('# it\'s\na "$x"', '# it\'s\na ""\'$(y)\'""'),
        ('a "\\"$x"', 'a "\\""\'$(y)\'""'),
        ('a "${x}" $z', 'a ""\'$(y)\'"" $z'),
        ('export x="..."', "export x='$(y)'"),
        ('export z="..."\nexport x="..."', "export z=\"...\"\nexport x='$(y)'"),
    ],
)
def test_a_name_stands_in_a_command_only_where_it_can(page, root, text, becomes):
    go(page, root, "ToolFailing/index.html")
    parts = page.evaluate("(text) => filled(text, 'bash', { x: '$(y)' }).map(([part]) => part).join('')", text)
    assert parts == becomes


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
