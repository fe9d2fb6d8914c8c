"""The report in a real browser: it is drawn without an error, and leads to the guilty version in three clicks."""

import re

import pytest
from support.stores import SHOWN

GUILTY = ("tool-regression", "prompt-regression", "model-swap", "graph-change")


def load(page, reports, environment, folder):
    file = folder / f"{environment}.html"
    file.write_text(reports[environment].html)
    page.goto(file.as_uri())
    ready(page)


def ready(page):
    page.wait_for_function("document.body.dataset.ready === (location.hash || '#')")


def test_every_board_is_drawn_without_an_error(page, reports, pictures, tmp_path):
    load(page, reports, "tool-regression", tmp_path)
    for board in SHOWN:
        page.click(f'nav a[data-board="{board.slug}"]')
        ready(page)
        assert page.locator(".board.shown h2").inner_text().startswith(board.title)
        figures = page.locator(".board.shown .figure").count()
        assert page.locator(".board.shown .figure .main-svg:first-child").count() == figures
        assert page.locator(".board.shown .panel").count() == len([*board.panels()])
        page.screenshot(path=pictures / f"report-{board.slug}.png", full_page=True)
    assert page.wrong == []


@pytest.mark.parametrize("scenario", GUILTY)
def test_one_click_leads_from_the_overview_to_the_guilty_version(  # noqa: PLR0917 fixtures
    page, reports, pictures, tmp_path, truths, scenario
):
    load(page, reports, scenario, tmp_path)
    culprit = truths[scenario]["culprit"]
    table = page.locator(".board.shown article", has_text="Broke with a new version")
    # The row names the version already, without a click; its link leads to the board of versions, narrowed.
    table.locator("a", has_text=re.compile(f"^{re.escape(culprit['version'])}$")).first.click()
    ready(page)
    assert page.locator(".board.shown h2").inner_text().startswith("Versions")
    shown = page.locator(".board.shown article", has_text="New against previous").locator("tbody tr:visible")
    assert culprit["version"] in " ".join(shown.all_inner_texts())
    page.screenshot(path=pictures / f"clicks-{scenario}.png", full_page=True)
    chips = page.locator(".choices button").all_inner_texts()
    assert chips
    page.locator(".choices button").first.click()
    ready(page)
    assert len(page.locator(".choices button").all_inner_texts()) == len(chips) - 1
    assert page.wrong == []


def test_it_can_be_read_on_a_telephone_in_the_dark_and_by_keyboard(browser, reports, pictures, tmp_path):
    context = browser.new_context(viewport={"width": 420, "height": 900}, color_scheme="dark", offline=True)
    page = context.new_page()
    load(page, reports, "tool-regression", tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.screenshot(path=pictures / "report-telephone.png", full_page=False)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    ready(page)
    assert re.search(r"#(agent|fleet)$", page.url)
    context.close()


def test_on_paper_every_board_is_there(page, reports, tmp_path):
    load(page, reports, "tool-regression", tmp_path)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        "document.querySelectorAll('.figure .main-svg').length >= document.querySelectorAll('.figure').length"
    )
    assert page.locator(".board:visible").count() == len(SHOWN)
    assert page.locator("nav").is_hidden()
