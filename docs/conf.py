"""The documentation site: `make docs`. Its pages are the guides where they lie; its navigation is docs/index.md."""

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
INDEX: Final = "docs/index"
BELOW: Final = {
    "docs/alerts": "runbooks/generated/*",
    "docs/decisions/README": "docs/decisions/0*",
    "examples/README": "examples/*/README",
}
"""Page -> the pages that stand below it, which the index need not link."""
_LINK: Final = re.compile(r"\]\(([^)#:]+)\.md\)")
_MERMAID: Final = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ARROW: Final = re.compile(r"^ +(?P<source>.+?) -->(?:\|(?P<how>.*?)\|)? (?P<targets>.+)$", re.MULTILINE)
_NODE: Final = re.compile(r"^[\w-]+[(\[]+(.*?)[)\]]+$")


def linked() -> list[str]:
    """Every guide that the index links, as Sphinx names documents, in the order of the page; not those of `BELOW`."""
    return _documents((ROOT / f"{INDEX}.md").read_text("utf-8"))


def _documents(text: str) -> list[str]:
    paths = ((ROOT / "docs" / target).resolve().relative_to(ROOT).as_posix() for target in _LINK.findall(text))
    return list(dict.fromkeys(path for path in paths if not any(fnmatch(path, each) for each in BELOW.values())))


project = "agentobs"
author = "The agentobs maintainers"
copyright = author  # noqa: A001 Sphinx calls it so
html_title = "agentobs"
extensions = ["myst_parser"]
root_doc = INDEX
include_patterns = [f"{INDEX}.md", *(f"{name}.md" for name in (*linked(), *BELOW.values()))]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 4
# Text stays as it is written: no quotes that cannot be pasted into a shell.
smartquotes = False
suppress_warnings = ["misc.highlighting_failure"]  # shell lines with `...` in them are no valid JSON or PromQL


def _navigation(text: str) -> str:
    """The index with a list of pages behind each section, which the theme shows at the side."""
    head, *sections = text.split("\n## ")
    made = [f"{head}\n{_pages(_documents(head), ':caption: Start')}"]
    for section in sections:
        title = section.partition("\n")[0]
        made.append(f"\n## {section}\n{_pages(_documents(section), f':caption: {title}')}")
    return "".join(made)


def _pages(names: Iterable[str], option: str) -> str:
    return "\n".join(["```{toctree}", ":hidden:", option, "", *(f"/{name}" for name in names), "```", ""])


def _as_table(found: re.Match[str]) -> str:
    """A flow chart as a table of its arrows: drawing it would need a script of several megabytes."""
    rows = [f"| {_words(arrow['source'])} | {_words(arrow['targets'])} |" for arrow in _ARROW.finditer(found[1])]
    return "\n".join(["| from | may call |", "| --- | --- |", *rows])


def _words(nodes: str) -> str:
    return ", ".join(_NODE.sub(r"\1", node.strip()) for node in nodes.split(" & "))


def _read(_app: object, name: str, text: list[str]) -> None:
    text[0] = _MERMAID.sub(_as_table, text[0])
    if name == INDEX:
        text[0] = _navigation(text[0])
    elif name in BELOW:
        text[0] += "\n" + _pages([BELOW[name]], ":glob:")


def _front(app: Any, error: Exception | None) -> None:  # noqa: ANN401 as below
    """What a web server shows first leads to the index, which lies where its source lies."""
    if error is None:
        page = f'<!doctype html><title>agentobs</title><meta http-equiv="refresh" content="0; url={INDEX}.html">\n'
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")


def setup(app: Any) -> None:  # noqa: ANN401 Sphinx is not installed where types are checked
    """Called by Sphinx."""
    app.connect("source-read", _read)
    app.connect("build-finished", _front)
