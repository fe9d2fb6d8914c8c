"""The site of runbooks: whole, closed in itself, and every link in it leads somewhere."""

import html
import json
import posixpath
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from alerts.explore import Explorer, Place
from alerts.rules import LINKS
from runbooks import site
from runbooks.book import library, prose
from runbooks.book.kinds import GUIDES, PROCEDURES, Kind
from runbooks.book.library import Library
from stacks.cli.main import app
from stacks.cli.runbooks import RunbookError

ALERTS = library.expected()[Kind.ALERT]
PAGE = "\n\n".join(f"## {title}\n\n[a link](rollback-tool.md), `<b>` & <i>.\n" for title in Kind.ALERT.sections)
_COMMAND = "```bash not-run: needs a cluster\nkubectl get pods\n```"
GUIDE = f"# A <title>\n\nBefore.\n\n## Steps\n\n[back](ToolFailing.md#do-not)\n\n{_COMMAND}"
PROCEDURE = "# Do it\n\n" + "\n\n".join(f"## {title}\n\nWords." for title in Kind.PROCEDURE.sections)


def whole():
    """A library in which nothing is missing."""
    texts = {Kind.ALERT: PAGE, Kind.PROCEDURE: PROCEDURE, Kind.GUIDE: GUIDE}
    names = library.expected()
    pages = {name: prose.read(kind, name, f"{name}.md", texts[kind]) for kind in Kind for name in names[kind]}
    return Library(pages=pages, missing=())


FILES = site.render(whole(), LINKS)
HTML = [path for path in FILES if path.endswith(".html")]


def test_there_is_a_page_for_everything():
    assert {path.partition("/")[0] for path in HTML} == {
        *ALERTS, *PROCEDURES, *GUIDES, "index.html", "all.html",
    }  # fmt: skip


@pytest.mark.parametrize("path", HTML)
def test_every_link_leads_to_a_page_and_a_section(path):
    """From a file too: no link begins at the root of a server."""
    here = posixpath.dirname(path)
    for link in re.findall(r'(?:href|src)="([^"]+)"', FILES[path]):
        if link.startswith(("data:", "http://127.0.0.1:3000/d/agentobs-", "http://127.0.0.1:9090/query?")):
            continue
        target, _, anchor = link.partition("#")
        file = posixpath.normpath(posixpath.join(here, target)) if target else path
        assert file in FILES, link
        if anchor:
            assert f'id="{anchor}"' in FILES[file], link


@pytest.mark.parametrize("path", HTML)
def test_a_page_needs_no_network(path):
    assert not re.search(r'(?:src|rel="stylesheet" href)="(?:https?:)?//', FILES[path])
    assert "@import" not in FILES["site.css"]
    assert "fetch(" not in FILES["site.js"]


@pytest.mark.parametrize("path", HTML)
def test_no_id_is_there_twice(path):
    ids = re.findall(r' id="([^"]+)"', FILES[path])
    assert len(ids) == len(set(ids))


def test_what_looks_like_html_is_text():
    assert "<code>&lt;b&gt;</code> &amp; &lt;i&gt;" in FILES["ToolFailing/index.html"]
    assert "<i>" not in FILES["all.html"]
    assert "A &lt;title&gt;" in FILES["index.html"]


def test_a_command_says_why_no_test_runs_it():
    assert '<span class="note">needs a cluster</span>' in FILES["hand-over/index.html"]


def test_the_index_has_families_and_severities():
    index = FILES["index.html"]
    assert re.findall(r'<section id="([^"]+)">', index)[:4] == ["guide", "procedures", "tasks", "agents"]
    (item,) = re.findall(r"<li[^>]*>(?:(?!</li>).)*ToolFailing/index.html.*?</li>", index)
    assert 'data-severities="page"' in item


def test_the_search_knows_every_word_of_every_page():
    pages = json.loads(FILES["search.js"].removeprefix("const PAGES = ").rstrip(";\n"))
    assert {page["name"] for page in pages} == {*ALERTS, *PROCEDURES, *GUIDES}
    (page,) = [page for page in pages if page["name"] == "hand-over"]
    assert [title for _, title, _ in page["parts"]] == ["", "Steps"]
    assert "kubectl get pods" in page["parts"][1][2]


def test_a_board_is_linked_where_grafana_is():
    links = LINKS.__class__(runbook="x", board="https://grafana.example.com/d/agentobs-{board}")
    assert 'href="https://grafana.example.com/d/agentobs-tool"' in site.render(whole(), links)["ToolFailing/index.html"]


def test_every_query_is_opened_where_queries_are():
    page = FILES["ToolFailing/index.html"]
    asked = [
        html.unescape(each) for each in re.findall(r'data-language="promql">.*?<code>(.*?)</code>', page, re.DOTALL)
    ]
    opened = [html.unescape(each) for each in re.findall(r'class="open" href="([^"]+)"', page)]
    assert [parse_qs(urlsplit(each).query)["g0.expr"] for each in opened] == [[each] for each in asked]
    assert len(asked) > 5
    grafana = site.render(whole(), LINKS, Explorer(place=Place.GRAFANA, url="https://grafana.example.com"))
    assert 'href="https://grafana.example.com/explore?' in grafana["ToolFailing/index.html"]


@pytest.mark.parametrize("name", ALERTS)
def test_the_first_thing_to_do_is_one_line(name):
    first = re.search(r"<code>(.*?)</code></pre>", FILES[f"{name}/index.html"], re.DOTALL)
    assert html.unescape(first[1]).startswith(f"agentobs runbooks run {name}")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ((), "http://127.0.0.1:9090/query?"),
        (("--dashboards-url", "https://g.example.com/"), "https://g.example.com/explore?"),
        (("--dashboards-url", "https://g.example.com", "--prometheus-url", "https://p.example.com"), "https://p.example.com/query?"),
    ],
)  # fmt: skip
def test_a_build_says_where_queries_are_opened(tmp_path, given, address):
    assert run("build", "--out", str(tmp_path / "site"), *given).exit_code == 0
    assert f'href="{address}' in (tmp_path / "site" / "ToolFailing" / "index.html").read_text()


def run(*arguments):
    return CliRunner().invoke(app, ["runbooks", *arguments])


def test_a_build_replaces_an_earlier_one_and_nothing_else(tmp_path):
    out = tmp_path / "site"
    assert run("build", "--out", str(out)).exit_code == 0
    (out / "Gone").mkdir()
    (out / "Gone" / "index.html").write_text("old")
    assert run("build", "--out", str(out)).exit_code == 0
    assert not (out / "Gone").exists()
    assert (out / "ToolFailing" / "index.html").is_file()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    found = run("build", "--out", str(mine))
    assert isinstance(found.exception, RunbookError)
    assert "holds other files; fix: --out with a new or an empty folder" in str(found.exception)
    assert [each.name for each in mine.iterdir()] == ["letter.txt"]


def test_a_page_is_shown_whatever_its_case():
    found = run("show", "toolfailing")
    assert found.exit_code == 0
    assert "Quick checks" in found.output
    assert "kpi:tool_success:ratio5m" in found.output


def test_an_unknown_page_is_an_error_with_a_guess():
    found = run("show", "ToolFailling")
    assert isinstance(found.exception, RunbookError)
    assert "did you mean ToolFailing" in str(found.exception)


def test_the_list_has_every_alert():
    found = run("list")
    assert found.exit_code == 0
    assert all(name[:12] in found.output for name in ALERTS)
