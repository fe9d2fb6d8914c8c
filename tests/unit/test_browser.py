"""A picture shows a page from top to bottom."""

import struct

import pytest

from dashboards.lib.model import Board, Section, Text
from dashboards.report import Period, Sources, render
from stacks.cli import browser

FAKE = """#!/bin/sh
for word in "$@"; do
  echo "$word" >> "{log}"
  case "$word" in
    --dump-dom) echo '<html><body class="x" data-height="{height}">';;
    --screenshot=*) : > "${{word#--screenshot=}}";;
  esac
done
"""


class Silent:
    def range(self, query, start, end, step):  # noqa: ARG002 a protocol
        return []


@pytest.fixture
def fake(tmp_path, monkeypatch):
    def put(height):
        log = tmp_path / "log"
        program = tmp_path / "bin" / "chromium"
        program.parent.mkdir()
        program.write_text(FAKE.format(log=log, height=height))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
        return lambda: [line for line in log.read_text().splitlines() if line.startswith("--window-size")]

    return put


@pytest.mark.parametrize(("says", "drawn"), [("4321", 4321), ("90000", 16_000), ("", 2400)])
def test_the_window_is_as_high_as_the_page_says(fake, tmp_path, says, drawn):
    sizes = fake(says)
    browser.picture(tmp_path / "page.html", tmp_path / "page.png")
    assert sizes()[-1] == f"--window-size=1600,{drawn}"
    assert (tmp_path / "page.png").exists()


def test_an_old_picture_is_not_taken_for_a_new_one(fake, tmp_path):
    fake("900")
    (tmp_path / "bin" / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "page.png").write_text("old")
    with pytest.raises(browser.BrowserError, match="made no picture"):
        browser.picture(tmp_path / "page.html", tmp_path / "page.png")


def test_a_real_browser_takes_all_of_a_report(tmp_path):
    """Twelve panels of 34 pixels a row, one below the other."""
    said = {"description": "What it shows.", "no_data": "It means nothing happened."}
    panels = tuple(Text(title=f"T{n}", markdown="x", width=24, height=10, **said) for n in range(12))
    board = Board(slug="one", title="One", question="?", variables=(), sections=(Section(title="A", panels=panels),))
    page = tmp_path / "page.html"
    page.write_text(render([board], Sources(metrics=Silent()), Period(0.0, 60.0), {}).html)
    browser.picture(page, tmp_path / "page.png", "one")
    width, height = struct.unpack(">II", (tmp_path / "page.png").read_bytes()[16:24])
    assert width == 1600
    assert 12 * 340 < height < 12 * 340 + 600
