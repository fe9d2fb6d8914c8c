"""Text of others leaves through few doors, each of which makes it harmless: nothing goes round them.

`stacks/cli/safe.py` is the way to a terminal, `collector/quotes.py` what escapes. Found in the source, so that a new
verb cannot forget.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("alerts", "collector", "dashboards", "runbooks", "stacks")
ROUND_THE_TERMINAL = {
    "print", "typer.echo", "typer.secho", "click.echo", "rich.print", "sys.stdout.write", "sys.stderr.write", "Console",
    "rich_console.Console", "Text.from_markup", "Text.from_ansi", "from_markup", "render_markup", "inspect",
}  # fmt: skip
# Each has a reason beside it in the source: what is marked or quoted there is our own, or is escaped in that line.
MARKED = {
    "runbooks/checklist/rendering.py": 1, "runbooks/site/build.py": 1, "runbooks/site/markup.py": 1,
    "dashboards/report/page.py": 4, "dashboards/report/views.py": 3,
}  # fmt: skip
UNESCAPED = {"runbooks/book/page.py", "runbooks/checklist/rendering.py"}
# Settings of this machine, which a shell must read back byte by byte; searches of pages, whose values are variables.
SHELLS = {"stacks/cli/plain.py", "collector/search/words.py", "stacks/process/spec.py"}


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def round_the_terminal(path: Path) -> list[str]:
    found = [f"{name(path)}:{node.lineno} {called}" for called, node in calls(path) if called in ROUND_THE_TERMINAL]
    for called, node in calls(path):
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called == "TextColumn" and given.get("markup") != "False":
            found.append(f"{name(path)}:{node.lineno} TextColumn without markup=False")
        if called == "Panel" and {"title", "subtitle"} & set(given) and not given.get("title", "").startswith("Text("):
            found.append(f"{name(path)}:{node.lineno} Panel reads its title as markup")
    return found


def test_every_verb_prints_through_the_one_console():
    found = [
        line for path in files("stacks") if name(path) != "stacks/cli/safe.py" for line in round_the_terminal(path)
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "print(name)", "typer.echo(name)", "Console().print(name)", "Text.from_markup(name)", "sys.stdout.write(name)",
        'TextColumn("{task.description}")', "Panel(x, title=name)",
    ],
)  # fmt: skip
def test_a_way_round_is_found(tmp_path, monkeypatch, line):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "verb.py").write_text(f"{line}\n")
    assert round_the_terminal(tmp_path / "verb.py")


def test_html_is_marked_as_safe_only_where_it_was_looked_at():
    found = {}
    for path in files(*CODE):
        if count := sum(called == "Markup" for called, _ in calls(path)):
            found[name(path)] = count
    assert found == MARKED


def test_templates_escape_but_for_those_of_markdown():
    found = set()
    for path in files(*CODE):
        for called, node in calls(path):
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if called == "Environment" and "loader" in given and given.get("autoescape") != "True":
                found.add(name(path))
    assert found == UNESCAPED


def test_every_text_in_a_record_of_markdown_is_a_cell():
    """What is not is a number, a time or a word of ours."""
    text = (ROOT / "runbooks/checklist/record.md.j2").read_text("utf-8")
    ours = {
        "record.phase", "marks[verdict]", "verdict", "record.count(status)", "status", '", " if not loop.last',
        "record.automated", "record.results | length", "section", "marks[result.status]", "result.status",
        "result.owner",
    }  # fmt: skip
    for printed in re.findall(r"\{\{ (.*?) \}\}", text):
        assert printed in ours or printed.endswith(("| cell", "| moment")), printed


def test_words_of_a_shell_are_quoted_in_one_place():
    found = {
        name(path) for path in files(*CODE) for called, _ in calls(path) if called in {"shlex.quote", "shlex.join"}
    }
    assert found <= SHELLS


def test_no_other_place_escapes_double_quotes():
    """But for the languages that only the collector reads, whose texts are ours."""
    pattern = re.compile(r"""replace\(['"]\\?["']['"], ?r?['"]\\\\""")
    found = {name(path) for path in files(*CODE) if pattern.search(path.read_text("utf-8"))}
    assert found <= {
        "collector/quotes.py",
        "collector/search/words.py",
        "collector/normalise/errors.py",
        "collector/ottl.py",
        "collector/redaction/processors.py",
    }


@pytest.mark.parametrize("script", ["runbooks/site/site.js", "dashboards/report/page.js"])
def test_scripts_of_pages_put_names_down_as_text(script):
    """`innerHTML` takes only what `escaped` or `marked` made."""
    for line in (ROOT / script).read_text("utf-8").splitlines():
        assert not re.search(r"outerHTML|document\.write|\beval\(|new Function", line), line
        if re.search(r"innerHTML|insertAdjacentHTML", line):
            assert re.search(r"escaped\(|hits\.map|heading\.id", line), line


def test_the_class_of_signs_is_the_same_in_python_go_and_script():
    from collector import quotes  # noqa: PLC0415 beside what it is compared with

    script = (ROOT / "runbooks/site/site.js").read_text("utf-8")
    (of_script,) = re.findall(r"const steers = /(\[.*\])/g", script)
    as_python = quotes.CONTROL.replace(r"\p{Cc}", r"\x00-\x1f\x7f-\x9f")
    as_python = re.sub(r"\\x\{([0-9a-f]+)\}", lambda code: f"\\u{int(code[1], 16):04x}", as_python)
    for code in range(0x10000):
        sign = chr(code)
        here = quotes.line(sign) != sign
        surrogate = 0xD800 <= code <= 0xDFFF
        assert here == bool(re.match(as_python, sign)) or surrogate
        assert here == bool(re.match(of_script, sign)) or surrogate or sign == quotes.INSTEAD
