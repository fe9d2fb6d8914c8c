"""Money: no ceiling is passed by calls at once, by a process that dies, or by a clock that is wrong."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.gateway_world import code, refused, world

from agentobs import emit
from agentobs.guard import Guard, Kill, Ledger, LedgerError, PriceList, RefusedError, document
from agentobs.guard.ledger import LEASE_S, Account
from agentobs.guard.models import accounts
from agentobs.guard.quantities import usd
from agentobs.guard.switch import Stopped
from collector import prices

DAY = 86_400.0
NOON = 20_000 * DAY + 43_200


class _Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return _Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.db", clock)


def _balances(ledger):
    return {one.name: (one.spent, one.held) for one in ledger.balances()}


@pytest.mark.parametrize("callers", [1, 8, 64])
def test_calls_at_once_never_pass_a_ceiling(ledger, callers):
    account, gate, tried = Account("fleet", 1_000_000), threading.Barrier(callers), 200

    def calls(_number):
        gate.wait()
        spent = 0
        for _ in range(max(1, tried // callers)):
            try:
                hold = ledger.reserve([account], 40_000)
            except RefusedError:
                continue
            ledger.settle(hold, 17_000)
            spent += 17_000
        return spent

    with ThreadPoolExecutor(callers) as pool:
        spent = sum(pool.map(calls, range(callers)))
    [balance] = ledger.balances()
    assert (balance.spent, balance.held) == (spent, 0)
    assert 1_000_000 - 40_000 * callers < spent <= 1_000_000


_SPEND = """
import sys
from pathlib import Path
from agentobs.guard import Ledger, RefusedError
from agentobs.guard.ledger import Account
ledger, spent = Ledger(Path(sys.argv[1])), 0
for _ in range(60):
    try:
        hold = ledger.reserve([Account("fleet", 1_000_000, daily=False)], 20_000)
    except RefusedError:
        break
    ledger.settle(hold, 20_000)
    spent += 20_000
print(spent)
"""


def test_processes_share_a_ceiling(tmp_path):
    path = tmp_path / "ledger.db"
    command = [sys.executable, "-c", _SPEND, str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(4)]
    spent = [int(each.communicate(timeout=60)[0]) for each in running]
    assert sum(spent) == 1_000_000
    assert _balances(Ledger(path)) == {"fleet": (1_000_000, 0)}


_DIE = """
import os, signal, sys
from pathlib import Path
from agentobs.guard import Ledger
from agentobs.guard.ledger import Account
ledger = Ledger(Path(sys.argv[1]), lambda: float(sys.argv[2]))
ledger.settle(ledger.reserve([Account("fleet", 1_000_000)], 500_000), 300_000)
ledger.reserve([Account("fleet", 1_000_000)], 600_000)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_its_hold_and_its_lease_settles_it_at_worst(tmp_path, clock):
    path = tmp_path / "ledger.db"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    dead = subprocess.run(
        [sys.executable, "-c", _DIE, str(path), str(clock.now)], env=environment, check=False, timeout=60
    )
    assert dead.returncode == -signal.SIGKILL
    ledger = Ledger(path, clock)
    [name] = _balances(ledger)
    assert _balances(ledger) == {name: (300_000, 600_000)}
    with pytest.raises(RefusedError):
        ledger.reserve([Account("fleet", 1_000_000)], 200_000)
    clock.now += LEASE_S + 1
    assert _balances(ledger) == {name: (900_000, 0)}


@pytest.mark.parametrize(("late", "spent"), [(10_000, 50_000), (50_000, 50_000), (70_000, 70_000)])
def test_a_late_settlement_gives_nothing_back_and_adds_what_is_more(ledger, clock, late, spent):
    hold = ledger.reserve([Account("fleet", None, daily=False)], 50_000)
    clock.now += LEASE_S + 1
    ledger.balances()
    ledger.settle(hold, late)
    ledger.settle(hold, late)
    assert _balances(ledger) == {"fleet": (spent, 0)}


def test_all_accounts_or_none_are_held_and_the_full_one_is_named(ledger):
    full = [Account("task 1", 100, daily=False), Account("agent planner", 50, daily=False)]
    with pytest.raises(RefusedError) as caught:
        ledger.reserve(full, 60)
    refusal = caught.value.refusal
    assert (refusal.code, refusal.scope, refusal.limit) == (-32015, "agent planner", "$0.00005")
    assert _balances(ledger) == {}
    ledger.reserve(full, 50)
    assert _balances(ledger) == {"agent planner": (0, 50), "task 1": (0, 50)}


@pytest.mark.parametrize(
    ("jump", "room"), [(0.0, False), (-DAY, False), (DAY, True), (400 * DAY, True)], ids=["none", "back", "on", "far"]
)
def test_a_clock_that_jumps_refunds_nothing(ledger, clock, jump, room):
    account = Account("fleet", 100)
    ledger.settle(ledger.reserve([account], 100), 100)
    clock.now += jump
    if room:
        ledger.settle(ledger.reserve([account], 100), 100)
    for now in (clock.now, NOON):
        clock.now = now
        with pytest.raises(RefusedError):
            ledger.reserve([account], 1)


def test_old_accounts_are_forgotten(ledger, clock):
    ledger.settle(ledger.reserve([Account("task old", None, daily=False)], 1), 1)
    ledger.reserve([Account("task held", None, daily=False)], 1)
    for _ in range(40):
        clock.now += DAY
        ledger.settle(ledger.reserve([Account("task new", None, daily=False)], 1), 1)
    assert list(_balances(ledger)) == ["task new"]  # the hold's lease has long settled it


def test_a_ledger_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 1000)
    for path in (tmp_path / "ledger.db", tmp_path / "ledger.db" / "inner"):
        with pytest.raises(LedgerError, match=r"ledger\.db.*cannot be used"):
            Ledger(path)


POLICY = {
    "version": 1,
    "servers": {"bench": {"url": "http://localhost/mcp"}},
    "agents": {"planner": {"cost_usd": {"task": 0.01, "day": 0.05}}, "guesser": {"cost_usd": {"unknown_price": 0.02}}},
    "fleet": {"cost_usd": {"day": 0.1}},
}
PRICES = PriceList({"m": (1.0, 4.0)})  # dollars per million tokens


@pytest.fixture
def guard(ledger):
    return Guard(document.read(POLICY, "policy.yaml"), ledger, PRICES)


def _call(guard, *, agent="planner", model="m", size=1000, most=500, task="t", **usage):
    with (
        emit.task(workflow="w", type="t", graph_version="1", task_id=task),
        emit.agent(agent),
        guard.model_call(model, "p", input_bytes=size, max_tokens=most) as call,
    ):
        if usage:
            call.usage(**usage)


def test_a_model_call_is_settled_at_what_it_cost(guard, ledger):
    _call(guard, input_tokens=250, output_tokens=100)
    spent = {name.split(" 20")[0]: spent for name, (spent, held) in _balances(ledger).items() if not held}
    assert spent == {"task t planner": 650, "agent planner": 650, "fleet": 650}


def test_a_call_that_fails_or_says_nothing_is_settled_at_worst(guard, ledger):
    _call(guard)
    with (
        pytest.raises(ZeroDivisionError),
        emit.agent("planner"),
        guard.model_call("m", "p", input_bytes=1, max_tokens=1),
    ):
        raise ZeroDivisionError
    assert sum(spent for name, (spent, _) in _balances(ledger).items() if name.startswith("fleet")) == 3000 + 5


def test_a_task_an_agent_and_the_fleet_each_have_a_ceiling(guard):
    for _ in range(3):
        _call(guard)  # 3,000 micro-dollars each
    with pytest.raises(RefusedError, match=r"ceiling of task t planner is \$0\.01"):
        _call(guard)
    for number in range(13):
        _call(guard, task=f"t{number}")
    with pytest.raises(RefusedError, match="ceiling of agent planner"):
        _call(guard, task="another")
    guard.document = document.read(POLICY | {"agents": {"other": {}}}, "policy.yaml")
    for _ in range(17):
        _call(guard, agent="other")
    with pytest.raises(RefusedError, match="ceiling of fleet"):
        _call(guard, agent="other")
    with pytest.raises(RefusedError, match="ceiling of"):
        _call(guard, agent="planner")  # in no policy any more


@pytest.mark.parametrize(("model", "most"), [("unknown", 10), ("m", None)])
def test_what_has_no_price_or_no_end_is_refused_or_held_at_the_policy_s_price(guard, ledger, model, most):
    with pytest.raises(RefusedError, match=f"{model} has no (price|most)"):
        _call(guard, model=model, most=most)
    with emit.agent("guesser"), guard.model_call(model, "p", input_bytes=10, max_tokens=most):
        assert any(held == 20_000 for _, held in _balances(ledger).values())
    guard.output_limits = {"m": 100}
    _call(guard, most=None)


def test_the_worst_price_counts_what_is_written_to_a_cache(ledger):
    table = prices.load()
    guard = Guard(document.read(POLICY | {"agents": {"a": {}}}, "policy.yaml"), ledger, table)
    with emit.agent("a"), guard.model_call("claude-sonnet-4", "anthropic", input_bytes=1000, max_tokens=100):
        held = {held for _, held in _balances(ledger).values()}
    assert held == {round(1000 * 3.75 + 100 * 15)}


def test_a_stopped_agent_calls_no_model_and_a_stream_ends(guard):
    guard.switch = stopped = Stopped()
    with emit.agent("planner"), guard.model_call("m", "p", input_bytes=1, max_tokens=1) as call:
        call.check()
        guard.switch = Stopped(agents={"planner": Kill("loops", "ann", "10:00", "agent planner")})
        with pytest.raises(RefusedError, match="loops"):
            call.check()
        call.cost(0.0)
    with pytest.raises(RefusedError, match="agent planner is stopped"):
        _call(guard)
    assert stopped.killed("planner") is None


def test_a_tool_of_a_child_process_is_asked_about_and_a_refusal_is_told_once(guard, recorded):
    tools = {"kb/refund": {"timeout": "5s", "arguments": {"amount": {"maximum": 200}}}}
    guard.document = document.read(
        {"version": 1, "servers": {"kb": {"command": ["kb"]}}, "agents": {"planner": {"tools": tools}}}, "policy.yaml"
    )
    with emit.agent("planner"):
        assert guard.tool("kb", "refund", {"amount": 200}).timeout_s == 5.0
        for arguments, words in (({"amount": 201}, "at most 200"), ({"amount": "9"}, "must be a number")):
            with pytest.raises(RefusedError, match=words):
                guard.tool("kb", "refund", arguments)
        with pytest.raises(RefusedError, match="Unknown tool: other"):
            guard.tool("kb", "other", {})
        guard.switch = Stopped(servers={"kb": Kill("leaks", "ann", "10:00", "server kb", hidden=True)})
        with pytest.raises(RefusedError, match="server kb is stopped"):
            guard.tool("kb", "refund", {})
    with emit.agent("critic"), pytest.raises(RefusedError, match="Unknown tool"):
        guard.tool("kb", "refund", {})
    told = [log.log_record.attributes["agentic.policy.id"] for log in recorded.logs]
    assert sorted(told) == ["arguments", "kill", "permission", "permission"]


@pytest.mark.parametrize("closed", [True, False])
def test_without_a_ledger_what_costs_is_refused_or_passes_as_it_was_chosen(guard, ledger, closed):
    guard.closed = closed
    ledger._close()  # else it would write its good pages back
    ledger.path.write_bytes(b"gone wrong" * 1000)
    if closed:
        with pytest.raises(RefusedError, match="cannot be used"):
            _call(guard)
    else:
        _call(guard)


def test_a_tool_that_costs_is_paid_once_it_was_called(ledger):
    async def run():
        tools = {"echo": {"cost_usd": 0.4}, "broken": {"cost_usd": 0.4}, "meta": {}}
        agents = {
            "executor": {"tools": {f"bench/{name}": rule for name, rule in tools.items()}, "cost_usd": {"day": 1}}
        }
        async with world({}, agents=agents, gate={"ledger": ledger}) as here, here.client() as client:
            await client.call_tool("echo", {})
            await refused(client.call_tool("broken", {}))
            over = await refused(client.call_tool("echo", {}))
            await client.call_tool("meta", {})
            return over, here.servers["bench"].begun

    over, begun = asyncio.run(run())
    assert (code(over), over.error.data["scope"], over.error.data["limit"]) == (-32015, "agent executor", "$1.00")
    assert begun == ["echo", "broken", "meta"]
    assert {(spent, held) for spent, held in _balances(ledger).values()} == {(800_000, 0)}


def test_money_reads_as_money():
    assert [usd(micro) for micro in (0, 1, 500_000, 1_234_567, 40_000_000)] == [
        "$0.00", "$0.000001", "$0.50", "$1.234567", "$40.00",
    ]  # fmt: skip


def test_an_agent_without_an_entry_has_no_money():
    read = document.read(POLICY, "policy.yaml")
    assert {one.name: one.ceiling for one in accounts(read, "nobody", "t")} == {
        "task t nobody": 0, "agent nobody": 0, "fleet": 100_000,
    }  # fmt: skip
