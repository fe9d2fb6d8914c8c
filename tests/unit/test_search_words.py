"""Conditions as people type them: what is written is read back, and a shell runs nothing that a value says."""

import random
import shlex
import subprocess

import pytest
import typer
from support import nasty
from typer.testing import CliRunner

from agentobs.contract import Attr
from collector.search import Attribute, LineSearch, Op, SearchError, SpanSearch, Term, words
from collector.search.model import of_version
from stacks.cli import look
from stacks.endpoints import Endpoints

ALPHABET = "ab \"\\=~!<>$`'|\n\t(){}*.é☃or"


def value(rng, op):
    if op is Op.MATCHES:
        return "".join(rng.choices(ALPHABET, k=rng.randint(0, 6)))
    if op.orders:
        return rng.choice((*nasty.NUMBERS, Attribute(Attr.PLAN_PLANNED), "7", "$least"))
    text = "".join(rng.choices(ALPHABET, k=rng.randint(0, 6)))
    return rng.choice((text, nasty.value(rng), Attribute(Attr.TOOL_NAME), " or ", "or", '"', '""', "service.name"))


def term(rng):
    op = rng.choice([*Op])
    key = rng.choice((*nasty.KEYS, "".join(rng.choices(ALPHABET, k=rng.randint(1, 5)))))
    return Term(key, op, value(rng, op))


def test_what_is_written_is_read_back_as_it_was():
    rng = random.Random(3)
    for _ in range(5000):
        wanted = term(rng)
        (read,) = words.condition(words.written(wanted))
        assert (read, type(read.value) is bool) == (wanted, type(wanted.value) is bool)


def test_several_with_or_between_are_read_back_too():
    rng = random.Random(4)
    for _ in range(2000):
        wanted = tuple(term(rng) for _ in range(rng.randint(1, 4)))
        assert words.condition(" or ".join(map(words.written, wanted))) == wanted


READ = [
    ("a=1", Term("a", Op.EQUAL, 1)),
    (" a  >=  -0.5 ", Term("a", Op.AT_LEAST, -0.5)),
    ("a = 1e3", Term("a", Op.EQUAL, 1000.0)),
    ('a = "1"', Term("a", Op.EQUAL, "1")),
    ("a = true", Term("a", Op.EQUAL, value=True)),
    ("a = TRUE", Term("a", Op.EQUAL, "TRUE")),
    ("a = two words", Term("a", Op.EQUAL, "two words")),
    ("a =~ 1", Term("a", Op.MATCHES, "1")),
    ("a =~ .*time.?out.*", Term("a", Op.MATCHES, ".*time.?out.*")),
    ("a != ", None),
    ("a = =b", Term("a", Op.EQUAL, "=b")),
    ('"two words" = x', Term("two words", Op.EQUAL, "x")),
    ('a = "b or c = d"', Term("a", Op.EQUAL, "b or c = d")),
    ("agentic.plan.steps_completed < agentic.plan.steps_planned", None),
    ("orders = ordered", Term("orders", Op.EQUAL, "ordered")),
]


@pytest.mark.parametrize(("text", "wanted"), [each for each in READ if each[1] is not None])
def test_a_condition_as_it_is_typed(text, wanted):
    (read,) = words.condition(text)
    assert (read, type(read.value)) == (wanted, type(wanted.value))


def test_an_attribute_of_the_contract_is_compared_with_and_no_other():
    (read,) = words.condition(f"{Attr.PLAN_COMPLETED} < {Attr.PLAN_PLANNED}")
    assert read.value == Attribute(Attr.PLAN_PLANNED)
    (text,) = words.condition("a = some.other.name")
    assert text.value == "some.other.name"


@pytest.mark.parametrize("text", ["", "a", "a =", "= 1", "a ~ b", "two words = 1", "a = 1 or", "a = 1 or b", "or"])
def test_what_is_no_condition_is_refused_with_what_was_expected(text):
    if text == "a = 1 or":
        assert words.condition(text) == (Term("a", Op.EQUAL, "1 or"),)
        return
    with pytest.raises(SearchError, match=r"write NAME OP VALUE with one of = != =~ > >= < <="):
        words.condition(text)


def test_numbers_are_what_can_be_above_another():
    with pytest.raises(SearchError, match="a > b: expected a number"):
        words.condition("a > b")
    with pytest.raises(SearchError, match="is not endless"):
        words.condition("a = 1e999")


class Asked:
    """A store that keeps what it was asked."""

    def __init__(self):
        self.search = None

    def find(self, search, start, end, limit):  # noqa: ARG002 a protocol
        self.search = search
        return []

    lines = find


def read_back(command, monkeypatch):
    """What the product itself asks when it is given the words of a command."""
    app, store = typer.Typer(), Asked()
    app.command("traces")(look.traces)
    app.command("logs")(look.logs)
    monkeypatch.setattr(Endpoints, "traces", property(lambda _: store))
    monkeypatch.setattr(Endpoints, "logs", property(lambda _: store))
    named = {"traces": "--jaeger", "logs": "--victorialogs"}[command[1]]
    done = CliRunner().invoke(app, [*command[1:], named, "http://127.0.0.1:1"])
    assert done.exit_code == 0, (command, done.output, done.exception)
    return store.search


def exact(each):
    """For Python true is 1."""
    return each, isinstance(each.value, bool)


def same(one, other):
    return (
        {*map(exact, one.terms)} == {*map(exact, other.terms)}
        and {(*map(exact, group),) for group in one.any_of} == {(*map(exact, group),) for group in other.any_of}
        and all(
            getattr(one, name) == getattr(other, name)
            for name in type(one).__dataclass_fields__
            if name not in {"terms", "any_of"}
        )
    )


def span_search(rng):
    return SpanSearch(
        terms=tuple(typed(rng) for _ in range(rng.randint(0, 3))),
        any_of=rng.choice(((), (of_version("v$1"),), (of_version("2"), of_version("3")), ((typed(rng), typed(rng)),))),
        failed=rng.random() < 0.5,
        slower_than_s=rng.choice((None, 0.5, 3.0, 0.0005, 90.0)),
        at_least=rng.choice((1, 4)),
    )


def line_search(rng):
    return LineSearch(
        terms=tuple(typed(rng) for _ in range(rng.randint(0, 3))),
        severity=rng.choice((None, 9, 14, 17)),
        event=rng.choice(("", "an.event", "it's")),
        trace_id=rng.choice(("", "0af7")),
        text=rng.choice(nasty.TEXTS).replace("\x00", ""),
    )


def typed(rng):
    """A condition that a shell can pass on (no NUL), often on what has an option of its own."""
    made = term(rng)
    text = made.value.replace("\x00", "") if isinstance(made.value, str) else made.value
    key = rng.choice((made.key, Attr.AGENT_NAME, Attr.TOOL_NAME, Attr.SERVICE_NAME, Attr.ENVIRONMENT))
    return (
        Term(str(key), rng.choice((made.op, Op.EQUAL)), text)
        if not made.op.orders and made.op is not Op.MATCHES
        else made
    )


@pytest.mark.parametrize("kind", [span_search, line_search])
def test_the_command_of_a_search_asks_for_that_search(kind, monkeypatch):
    """As `shlex` takes it apart, which fills in no variable."""
    rng = random.Random(5)
    for _ in range(300):
        wanted = kind(rng)
        assert same(read_back(shlex.split(words.command(wanted)), monkeypatch), wanted), words.command(wanted)


def test_a_level_is_said_as_a_word_where_it_has_one():
    assert words.command(LineSearch(severity=13)) == "agentobs logs --severity warning"
    assert words.command(LineSearch(severity=14)) == "agentobs logs --severity 14"


def test_a_real_shell_fills_in_labels_and_runs_nothing(tmp_path):
    trap = tmp_path / "ran"
    evil = (
        f"$(touch {trap})",
        f"`touch {trap}`",
        f'"; touch {trap}; "',
        f"'; touch {trap}; '",
        "$1 $$ $? $# ${x:-y}",
        "!!",
        "\\",
    )
    for text in evil:
        for given, wanted in (
            (text, text),
            (f"$agent {text}", f"planner {text}"),
            (f"{text}${{agent}}", f"{text}planner"),
        ):
            command = words.command(SpanSearch(terms=(Term(Attr.AGENT_NAME, Op.EQUAL, given),)))
            line = command.replace("agentobs traces", "printf '%s\\n'", 1)
            said = subprocess.run(
                ["/bin/sh", "-c", line],
                env={"agent": "planner", "PATH": "/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=True,
            )
            assert said.stdout == f"--agent\n{wanted}\n"
    assert not trap.exists()


def test_of_two_names_of_an_agent_both_count():
    twice = SpanSearch(terms=(Term(Attr.AGENT_NAME, Op.EQUAL, "a"), Term(Attr.AGENT_NAME, Op.EQUAL, "b")))
    assert words.command(twice) == "agentobs traces --agent a --where 'gen_ai.agent.name = b'"
