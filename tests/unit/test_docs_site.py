"""The documentation site builds without a warning, from every guide there is, and needs nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Parts of collector/README.md, and sources of pages that are generated.
_PARTS = ("collector/docs/", "runbooks/guide/", "runbooks/pages/", "runbooks/procedures/")


_SHOWN = ("docs/index.md", "collector/README.md", "stacks/docs/security.md")


def _build(folder: Path, builder: str, *more: str) -> None:
    """With `dummy` all links of all pages are followed and nothing is drawn, which takes a third of the time."""
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder, "-c", "docs"]
    command += ["-d", f"{folder}/cache", ".", f"{folder}/{builder}", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    _build(folder, "dummy", "-W", "--keep-going")
    _build(folder, "html", *_SHOWN)
    return folder


def test_every_guide_is_a_page(site):
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    guides = {name.removesuffix(".md") for name in listed.stdout.split() if not name.startswith(_PARTS)}
    read = site / "cache"
    pages = {page.relative_to(read).with_suffix("").as_posix() for page in read.rglob("*.doctree")}
    assert guides - pages == set()


def test_a_page_loads_nothing_from_elsewhere(site):
    for page in _SHOWN:
        text = (site / "html" / page).with_suffix(".html").read_text()
        loaded = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)"', text)
        assert loaded == []


def test_the_picture_of_flows_is_a_table(site):
    text = (site / "html/stacks/docs/security.html").read_text()
    assert "flowchart" not in text
    assert re.search(r"<td><p>collector</p></td>\s*<td><p>collector-sampler, prometheus</p></td>", text)
