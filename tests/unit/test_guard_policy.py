"""What a policy says, how it is read, and what it decides; truth is a grid drawn by hand."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agentobs.guard import (
    Call,
    Code,
    Kill,
    Ledger,
    PolicyError,
    Refusal,
    RefusedError,
    ReleaseSwitch,
    State,
    Switches,
    decide,
    document,
)
from agentobs.guard.arguments import Demand
from agentobs.guard.ledger import Account
from agentobs.guard.reading import Reader
from agentobs.guard.switch import FileSwitch, Stopped
from agentobs.pins import Killed, Mark, NoSnapshotError
from collector.normalise import errors
from gateway import explain
from gateway.policy import PolicyFile, load

POLICY = """
version: 1
servers:
  orders: {url: "http://orders:8000/mcp", version: 3.1.0, credential: ORDERS_TOKEN}
  kb: {command: [python, -m, kb]}
agents:
  executor:
    tools:
      orders/lookup: {rate: 20/s, burst: 40, in_flight: 8, timeout: 10s, result: 1MB}
      orders/refund: {rate: 2/min, arguments: {amount: {maximum: 200, required: true}}}
    cost_usd: {task: 0.5, day: 40}
  planner:
    tools: {kb/search: {}, orders/lookup: {}}
  idle: {}
fleet: {cost_usd: {day: 400}}
breaker: {failures: 3, open: 30s}
"""
TOOLS = (
    "orders/lookup", "orders/refund", "kb/search",
    # No such tools: another case, a Cyrillic letter, a server that is not there, a path, a part, a trailing blank.
    "orders/Lookup", "orders/l\u043eokup", "Orders/lookup", "kb/lookup", "orders/../kb/search", "orders/look",
    "orders/lookup ",
)  # fmt: skip
GRID = {
    "executor": "yy........",
    "planner": "y.y.......",
    "idle": "..........",
    "Executor": "..........",
    "": "..........",
}
_KILL = Kill("leaks", "ann", "10:00", "x")
_HIDDEN = Kill("leaks", "ann", "10:00", "x", hidden=True)
# What else is the case: the code for a tool that is allowed, and for one that is not.
CASES = {
    "nothing": (State(), None, Code.UNKNOWN_TOOL),
    "agent killed": (State(kill=_KILL), Code.KILLED, Code.KILLED),
    "tool killed": (State(kill=_HIDDEN), Code.KILLED, Code.UNKNOWN_TOOL),
    "drift": (State(drift="another text"), Code.DRIFT, Code.UNKNOWN_TOOL),
    "breaker": (State(breaker_open_s=3.0), Code.BREAKER, Code.UNKNOWN_TOOL),
    "busy": (State(in_flight=16), Code.RATE, Code.UNKNOWN_TOOL),
    "nobody": (None, Code.IDENTITY, Code.IDENTITY),
}


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def test_every_decision_of_the_matrix_is_right(policy):
    found, expected = {}, {}
    read = load(policy)
    for agent, (column, tool), case in itertools.product(GRID, enumerate(TOOLS), CASES):
        state, allowed, denied = CASES[case]
        server, _, name = tool.partition("/")
        known = State(agents=frozenset({agent}), **({} if state is None else _fields(state)))
        call = Call(agent, server, name, {"amount": 200})
        answer = decide(read, call, State() if state is None else known)
        found[agent, tool, case] = answer.code if isinstance(answer, Refusal) else None
        expected[agent, tool, case] = allowed if GRID[agent][column] == "y" else denied
    assert found == expected
    assert len(found) == 350


def _fields(state):
    return {name: getattr(state, name) for name in ("kill", "drift", "breaker_open_s", "in_flight")}


def test_a_refusal_of_which_only_the_words_arrive_is_known_by_them(policy, tmp_path):
    """Frameworks wrap the error of an MCP call in a type that says nothing."""
    read, call = load(policy), Call("executor", "orders", "lookup")
    states = [State(), *(State(frozenset({"executor"}), **_fields(CASES[case][0])) for case in CASES if CASES[case][0])]
    told = [decide(read, call, state) for state in states]
    with pytest.raises(RefusedError) as caught:
        Ledger(tmp_path / "ledger.db").reserve([Account("fleet", 1)], 2)
    refusals = [one for one in told if isinstance(one, Refusal)] + [caught.value.refusal]
    assert len(refusals) == 7
    for refusal in refusals:
        pattern = errors.MESSAGE_RATE_LIMITED if refusal.code == Code.RATE else errors._MESSAGE_BLOCKED
        assert re.search(pattern, f"Error: {refusal.message}"), refusal.message
    for words in ("order 7 is stopped at customs", "the ceiling of the room is 3 m", "no such order"):
        assert not re.search(errors._MESSAGE_BLOCKED, words)


@pytest.mark.parametrize("kill", [None, _HIDDEN])
def test_a_refused_tool_is_answered_like_one_that_does_not_exist(policy, kill):
    answers = [
        decide(
            load(policy), Call("planner", "orders", name), State(agents=frozenset({"planner"}), kill=kill, drift="x")
        )
        for name in ("refund", "nosuch")
    ]
    assert [(one.code, one.data(), one.message.replace("refund", "nosuch")) for one in answers] == [
        (-32602, {}, "Unknown tool: nosuch")
    ] * 2


@pytest.mark.parametrize(
    ("demand", "right", "wrong"),
    [
        (Demand(maximum=200), [200, -1, 0.5], [200.01, 10**30, "9000", True, None, [1], float("nan"), float("inf")]),
        (Demand(minimum=1), [1, 1e9], [0, -1, "5"]),
        (Demand(enum=("a", 1)), ["a", 1], ["A", "1", True, 1.0, None]),
        (Demand(pattern="[A-Z]-[0-9]+"), ["A-1"], ["A-1\n", "xA-1", "", 7, None, "A-" + "1" * 20_000]),
        (Demand(max_length=3), ["", "abc"], ["abcd", 5, None]),
        (Demand(), [None, "x", {}], []),
    ],
)
def test_arguments_out_of_range_or_of_another_type_do_not_pass(demand, right, wrong):
    assert [value for value in right if demand.problem(value)] == []
    assert [value for value in wrong if not demand.problem(value)] == []


@pytest.mark.parametrize(
    ("arguments", "words"), [({"amount": 201}, "at most 200"), ({}, "amount is missing"), ({"Amount": 1}, "is missing")]
)
def test_a_call_with_wrong_arguments_names_the_argument(policy, arguments, words):
    found = decide(load(policy), Call("executor", "orders", "refund", arguments), State(frozenset({"executor"})))
    assert isinstance(found, Refusal)
    assert found.code == -32602
    assert words in found.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("fleet:", "fleets:"), "fleets: unknown key; did you mean fleet?"),
        (("in_flight: 8", "inflight: 8"), "orders/lookup.inflight: unknown key; did you mean in_flight?"),
        (("20/s", "20"), "orders/lookup.rate: 20; expected a whole number per s"),
        (("20/s", "0/s"), "expected a whole number per s"),
        (("timeout: 10s", "timeout: 10"), "timeout: 10; expected a time above zero with its unit"),
        (("timeout: 10s", "timeout: 0s"), "expected a time above zero"),
        (("1MB", "1 MB"), "expected a size above zero with its unit"),
        (("kb/search: {}", "kb/*: {}"), "each tool by its own name"),
        (("kb/search: {}", "ordres/x: {}"), "no server is called ordres; did you mean orders?"),
        (("kb/search: {}", "orders/lookup: {}, kb/search: {}"), "stands twice"),
        (("version: 1", "version: 2"), "version: 2; expected 1"),
        (("version: 1", ""), "version: is missing"),
        (("maximum: 200", "maximum: '200'"), "amount.maximum: '200'; expected a number"),
        (("maximum: 200", "maximum: 2, minimum: 3"), "so that nothing passes"),
        (("maximum: 200", "pattern: '['"), "expected a regular expression"),
        (("task: 0.5", "task: -1"), "expected US dollars, zero or more"),
        (("task: 0.5", "task: .nan"), "expected US dollars"),
        (("{command: [python, -m, kb]}", "{}"), "servers.kb.url: expected either url or command"),
        (("{command: [python, -m, kb]}", "{command: [x], credential: X}"), "is sent as a header"),
        (("http://orders", "http://me:secret@orders"), "without a user"),
        (("ORDERS_TOKEN", "sk-12345"), "expected the name of an environment variable"),
        (("burst: 40, ", "burst: 40.5, "), "expected a whole number above zero"),
        (("rate: 20/s, ", ""), "needs a rate beside it"),
        (("fleet", "identities: [{issuer: k, subject: s, agents: [planer]}]\nfleet"), "did you mean planner?"),
        (("version: 1", "- 1"), "is no YAML"),
    ],
)  # fmt: skip
def test_a_fault_names_file_key_and_fix(policy, change, words):
    assert change[0] in POLICY
    policy.write_text(POLICY.replace(*change, 1))
    with pytest.raises(PolicyError) as caught:
        load(policy)
    assert words in str(caught.value)
    assert all(line.startswith(str(policy)) for line in str(caught.value).splitlines()[:1])


def test_all_faults_are_told_at_once(policy):
    policy.write_text(POLICY.replace("20/s", "x").replace("fleet", "fleat"))
    with pytest.raises(PolicyError) as caught:
        load(policy)
    assert len(str(caught.value).splitlines()) == 2


def test_a_bad_reload_keeps_the_last_good_policy_and_says_why(policy):
    file = PolicyFile(policy)
    before = file.document
    policy.write_text("version: [")
    assert not file.reload()
    assert file.document is before
    assert str(policy) in file.fault
    policy.write_text(POLICY.replace("planner:", "critic:"))
    assert file.reload()
    assert file.fault == ""
    assert "critic" in file.document.agents
    policy.unlink()
    assert not file.reload()
    assert "critic" in file.document.agents
    assert "cannot be read" in file.fault


def test_a_difference_says_what_is_more_and_what_is_less(policy):
    old = load(policy)
    changed = (
        POLICY.replace("kb/search: {}, ", "orders/refund: {}, ").replace("20/s", "30/s").replace("day: 40}", "day: 50}")
    )
    policy.write_text(changed.replace("maximum: 200", "maximum: 300"))
    assert explain.difference(old, load(policy)) == [
        "~ executor orders/lookup: rate 20/s -> 30/s",
        "~ executor orders/refund: arguments changed: amount",
        "+ executor cost_usd.day: $40.00 -> $50.00",
        "- planner may no longer call kb/search",
        "+ planner may call orders/refund",
    ]
    assert explain.difference(old, old) == []


def test_an_explanation_ends_at_the_step_that_refuses(policy):
    read = load(policy)
    call = Call("executor", "orders", "refund", {"amount": 500})
    said = explain.explain(read, call, State(frozenset({"executor"})))
    assert [(one.step, one.passes) for one in said][-2:] == [("pin", True), ("arguments", False)]
    assert explain.explain(read, Call("idle", "kb", "search"), State())[-1].words.startswith("agents.idle.tools has no")


SWITCH = '{"killed": {"agents": {"planner": {"reason": "loops", "by": "ann", "at": "10:00"}}, "all": null}}'


def test_a_switch_file_is_read_again_and_the_last_good_one_kept(tmp_path: Path):
    now = [0.0]
    path = tmp_path / "switch.json"
    switch = FileSwitch(path, clock=lambda: now[0])
    assert switch.killed("planner") is None
    _replace(path, SWITCH)
    assert switch.killed("planner") is None  # not looked at again yet
    now[0] = 0.25
    assert str(switch.killed("planner", "kb", "search")) == "agent planner is stopped: loops (ann, 10:00)"
    assert switch.killed("executor", "kb", "search") is None
    for broken in ("{", '{"killed": {"agent": {}}}', '{"killed": {"agents": {"executor": {}}}}', "[]", ""):
        _replace(path, broken)
        now[0] += 0.25
        assert switch.killed("planner") is not None
        assert switch.killed("executor") is None
        assert str(path) in switch.fault
    path.unlink()
    now[0] += 0.25
    assert switch.killed("planner") is not None
    assert "gone" in switch.fault
    _replace(path, '{"killed": {"all": {"reason": "r", "by": "b", "at": "a"}}}')
    now[0] += 0.25
    assert "everything" in str(switch.killed("anybody"))
    assert switch.fault == ""


class _Releases:
    """What `agentobs.pins.Client` holds."""

    def __init__(self, killed, age_s=1.0):
        self.said, self.age_s = killed, age_s

    @property
    def killed(self):
        if self.said is None:
            raise NoSnapshotError
        return self.said


MARK = Mark("ann", "10:00", "loops")


@pytest.mark.parametrize(
    ("killed", "age", "closed", "words", "hidden"),
    [
        (Killed(), 1, True, None, None),
        (Killed(agents={"planner": MARK}), 1, True, "agent planner is stopped: loops (ann, 10:00)", False),
        (Killed(tools={"search": MARK}), 1, False, "tool search is stopped: loops (ann, 10:00)", True),
        (Killed(everything=MARK), 1, False, "everything is stopped: loops (ann, 10:00)", False),
        (Killed(agents={"other": MARK}), 1, True, None, None),
        (Killed(), 61, True, "everything is stopped: the release controller has been silent", False),
        (Killed(), 61, False, None, None),
        (None, 61, False, None, None),
        (None, 61, True, "everything is stopped: the release controller has been silent", False),
    ],
)
def test_what_a_release_stops_is_stopped_here(killed, age, closed, words, hidden):
    switch = Switches(Stopped(), ReleaseSwitch(_Releases(killed, age), closed=closed))
    found = switch.killed("planner", "kb", "search")
    assert str(found).startswith(words) if words else found is None
    assert words is None or found.hidden is hidden


def test_of_two_reasons_the_one_for_everybody_is_told():
    hidden, plain = Kill("a", "b", "c", "tool kb/search", hidden=True), Kill("a", "b", "c", "agent planner")
    switch = Switches(Stopped(tools={"kb/search": hidden}), Stopped(agents={"planner": plain}))
    assert switch.killed("planner", "kb", "search") is plain


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_a_document_of_python_values_reads_like_the_file():
    assert document.read({"version": 1, "agents": {"a": None}}, "x").rule("a", "s", "t") is None


GUIDE = Path(__file__).parents[2] / "docs" / "gateway.md"


def test_the_guide_s_policy_is_one_and_its_table_has_every_key(monkeypatch):
    keys = set()
    take, inner, listed = Reader.take, Reader.inner, Reader.listed
    monkeypatch.setattr(
        Reader, "take", lambda self, key, *rest, **more: (keys.add(key), take(self, key, *rest, **more))[1]
    )
    monkeypatch.setattr(Reader, "inner", lambda self, key: (keys.add(key), inner(self, key))[1])
    monkeypatch.setattr(Reader, "listed", lambda self, key: (keys.add(key), listed(self, key))[1])
    text = GUIDE.read_text()
    [example] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    read = document.read(yaml.safe_load(example), "guide")
    assert read.rule("executor", "orders", "order_refund").arguments["amount"].maximum == 200
    table = "".join(re.findall(r"^\| `.*$", text, re.MULTILINE))
    assert {key for key in keys if not re.search(rf"[`.]{key}[`.\[]", table)} == set()
    assert len(keys) > 30


def test_the_guide_s_program_runs(tmp_path):
    [program] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert {one.spent for one in Ledger(tmp_path / "ledger.db").balances()} == {479}  # 478.4 micro-dollars, rounded up
