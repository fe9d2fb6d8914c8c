import json
from pathlib import Path

import pytest

from demo.scenarios import HEALTHY, SCENARIOS, Faults
from demo.servers import Launch, ToolServer
from demo.system import KNOWN_TYPES, UNKNOWN_TYPES, ServerName
from demo.tools.catalogue import functions_of, kb_search, order_lookup, refund_quote
from demo.tools.faults import FaultFile, write_faults
from demo.tools.tally import Call, Tally
from demo.workload import draws, request


def test_tools_answer_from_their_arguments_alone() -> None:
    assert kb_search("when does my parcel arrive") == kb_search("when does my parcel arrive")
    assert kb_search("reset the password").startswith("password:")
    assert order_lookup("A1") != order_lookup("A2")


def test_a_damaged_order_is_refunded_in_full() -> None:
    assert "(100 %)" in refund_quote("A1", "damaged")
    assert "(90 %)" in refund_quote("A1", "changed my mind")


def test_a_server_offers_its_own_tools_only() -> None:
    assert set(functions_of(ServerName.ORDERS)) == {"order_lookup", "order_refund"}


def test_faults_come_at_their_ratio_and_never_two_at_once(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    write_faults(path, Faults(fail_ratio=0.3, hang_ratio=0.2))
    faults = FaultFile(path, seed=1)
    seen = [faults.next_call() for _ in range(5000)]
    assert all(sum(call) <= 1 for call in seen)
    assert sum(fails for _, _, fails in seen) / 5000 == pytest.approx(0.3, abs=0.03)
    assert sum(hangs for _, hangs, _ in seen) / 5000 == pytest.approx(0.2, abs=0.03)


def test_faults_change_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    write_faults(path, Faults())
    faults = FaultFile(path, seed=1)
    assert [faults.next_call() for _ in range(50)] == [(False, False, False)] * 50
    write_faults(path, Faults(crash_after=3))
    assert [dies for dies, _, _ in (faults.next_call() for _ in range(3))] == [False, False, True]


def test_a_tally_adds_up_equal_calls_and_forgets_conversations(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally.json")
    for conversation in ("c1", "c2"):
        slices = {"gen_ai.agent.name": "executor", "gen_ai.conversation.id": conversation}
        tally.served(Call(method="tools/call", tool="kb_search", error="", slices=slices))
    tally.served(Call(method="tools/call", tool="kb_search", error="tool_error", slices={}))
    tally.write(telemetry_lost=2)
    written = json.loads(tally.path.read_text())
    assert written["telemetry_lost"] == 2
    assert [(row["error"], row["count"], row["slices"]) for row in written["calls"]] == [
        ("", 2, {"gen_ai.agent.name": "executor"}),
        ("tool_error", 1, {}),
    ]


def test_requests_repeat_with_the_seed_whatever_was_drawn_before() -> None:
    first = [request(7, number, HEALTHY) for number in range(20)]
    draws(7, 3, "something else").random()
    assert [request(7, number, HEALTHY) for number in reversed(range(20))] == first[::-1]
    assert request(8, 3, HEALTHY) != request(7, 3, HEALTHY)


def test_unknown_kinds_of_requests_come_only_when_the_data_drifts() -> None:
    drifted = SCENARIOS["data-drift"].after
    usual = {request(1, number, HEALTHY).type for number in range(200)}
    new = [request(1, number, drifted).type in UNKNOWN_TYPES for number in range(1000)]
    assert usual == set(KNOWN_TYPES)
    assert sum(new) / 1000 == pytest.approx(drifted.unknown_type_rate, abs=0.06)


def test_a_tool_server_shows_the_token_of_its_agents_to_the_collector(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20synthetic")
    launch = Launch(folder=tmp_path, environment="test", endpoint=None, seed=1, time_scale=0, on_start=lambda *_: None)
    server = ToolServer(ServerName.ORDERS, HEALTHY.servers[ServerName.ORDERS], launch)
    assert server._parameters().env["OTEL_EXPORTER_OTLP_HEADERS"] == "Authorization=Bearer%20synthetic"
