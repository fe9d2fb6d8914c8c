"""What the examples share: the scripted model as a client sees it, its complaints, their pages and their locks."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest
import requests
from support import examples
from support.example_truth import GRAPH, PROMPTS, TOOLS
from support.examples import EXAMPLES, model_at
from support.wheel import ROOT

from dashboards.boards import BOARDS

FOLDERS = (*examples.PYTHON, *examples.NODE)
SYSTEM = {"planner": "You are the planner of a support desk.", "executor": "You are the executor of a support desk."}
ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with model_at(tmp_path_factory.mktemp("model")) as started:
        yield started


def _chat(model, agent, tools, *turns, **more):
    offered = [{"type": "function", "function": {"name": name, "parameters": ORDER}} for name in tools]
    said = [{"role": "system", "content": SYSTEM[agent]}, {"role": "user", "content": "order 7 is broken"}, *turns]
    body = {"model": "gpt-4.1-mini", "messages": said, "tools": offered, **more}
    answer = requests.post(f"{model.url}/chat/completions", json=body, timeout=10)
    assert answer.ok, answer.text
    return answer


def _called(name, result):
    call = {"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}}
    return (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": name, "content": result},
    )


def _asks_for(answer):
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in answer.json()["choices"][0]["message"].get("tool_calls", [])
    ]


def test_a_planner_looks_up_then_hands_over_then_ends(model):
    tools = ("order_lookup", "transfer_to_executor")
    looked_up = _called("order_lookup", "order 7: a kettle")
    assert _asks_for(_chat(model, "planner", tools)) == [("order_lookup", {"order": "7"})]
    assert _asks_for(_chat(model, "planner", tools, *looked_up)) == [
        ("transfer_to_executor", {"order": "Refund order 7."})
    ]
    handed_over = (*looked_up, *_called("transfer_to_executor", "order 7: refunded"))
    answer = _chat(model, "planner", tools, *handed_over)
    assert not _asks_for(answer)
    assert answer.json()["choices"][0]["message"]["content"] == "Done: order 7: refunded"


def test_an_executor_tries_a_refund_again_until_it_succeeds_but_not_for_ever(model):
    failed, refunded = _called("order_refund", "busy"), _called("order_refund", "order 7: refunded")
    refund = [("order_refund", {"order": "7"})]
    assert _asks_for(_chat(model, "executor", ["order_refund"])) == refund
    assert _asks_for(_chat(model, "executor", ["order_refund"], *failed)) == refund
    assert not _asks_for(_chat(model, "executor", ["order_refund"], *failed, *refunded))
    assert not _asks_for(_chat(model, "executor", ["order_refund"], *failed, *failed, *failed))


def test_it_says_the_same_as_a_stream(model):
    lines = _chat(model, "executor", ["order_refund"], stream=True, stream_options={"include_usage": True}).text
    events = [json.loads(line.removeprefix("data: ")) for line in lines.splitlines() if line.startswith("data: {")]
    assert events[0]["choices"][0]["delta"]["tool_calls"][0]["function"]["name"] == "order_refund"
    assert events[-1]["usage"]["prompt_tokens"] == 2200
    assert lines.strip().endswith("data: [DONE]")


def test_it_speaks_responses_too_and_writes_down_what_it_answered(model):
    body = {
        "model": "m",
        "instructions": SYSTEM["executor"],
        "tools": [{"type": "function", "name": "order_refund", "parameters": ORDER}],
        "input": [
            {"role": "user", "content": "Refund order 9."},
            {"type": "function_call", "call_id": "1", "name": "order_refund", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "busy"},
        ],
    }
    document = requests.post(f"{model.url}/responses", json=body, timeout=10).json()
    assert [(item["name"], item["arguments"]) for item in document["output"]] == [("order_refund", '{"order": "9"}')]
    assert document["usage"]["input_tokens"] == 2300
    assert model.answers[-1] == {
        "agent": "executor", "model": document["model"], "asks_for": ["order_refund"], "input": 2300, "output": 52,
    }  # fmt: skip


def test_a_stranger_is_told_where_to_read(model):
    body = {"messages": [{"role": "system", "content": "You are a poet."}]}
    answer = requests.post(f"{model.url}/chat/completions", json=body, timeout=10).json()
    assert "examples/README.md" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/embeddings", b"{}", 404, "expected a path"),
        ("/chat/completions", b"{", 400, "no request of a model"),
        ("/chat/completions", b"[1]", 400, "no request of a model"),
        ("/chat/completions", b'{"messages": [{"tool_calls": [1]}]}', 400, "no request of a model"),
        ("/chat/completions", b'{"tools": 1}', 400, "no request of a model"),
        ("/responses", b"\xff", 400, "no request of a model"),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_answered(model, path, body, status, says):
    answer = requests.post(model.url + path, body, timeout=10)
    assert (answer.status_code, says in answer.json()["error"]["message"]) == (status, True), answer.text
    assert _chat(model, "planner", []).ok


def test_a_port_that_is_taken_is_named_with_a_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, str(examples.MODEL_SERVER), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port 8643" in done.stderr


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "https://127.0.0.1:1/v1", "http://127.0.0.1:many/v1", "nonsense"]
)
def test_an_example_without_a_model_says_how_to_get_one(url):
    env = {**os.environ, "OPENAI_BASE_URL": url, "PYTHONPATH": f"{EXAMPLES}:{ROOT / 'sdk'}"}
    command = [sys.executable, "-c", "import support_desk; support_desk.use_model()"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert url in done.stderr
    assert "python3 examples/model_server" in done.stderr


def test_every_folder_is_an_example_with_its_page():
    found = {path.parent.name for path in EXAMPLES.glob("*/README.md")}
    assert found == set(FOLDERS)
    page = (EXAMPLES / "README.md").read_text()
    assert set(re.findall(r"^\| \[([a-z-]+)\]\(", page, re.MULTILINE)) == set(FOLDERS)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_page_says_how_to_run_it_and_names_boards_that_exist(name):
    page = (EXAMPLES / name / "README.md").read_text()
    assert f"agentobs telemetry check --environment dev --service refunds-{name}\n" in page
    titles = {board.title for board in BOARDS}
    assert set(re.findall(r"^\| \*(.+?)\* \|", page, re.MULTILINE)) <= titles
    for version in (*PROMPTS.values(), *(version for _, version in TOOLS.values()), GRAPH):
        assert version in page
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (EXAMPLES / name / link).exists(), link


def test_all_pages_promise_the_same_of_the_same_story():
    table = re.compile(r"^\| board \|.*?\n\n", re.MULTILINE | re.DOTALL)
    pages = {name: (EXAMPLES / name / "README.md").read_text() for name in FOLDERS}
    assert len({table.search(page)[0].replace(name, "NAME") for name, page in pages.items()}) == 1


@pytest.mark.parametrize("name", examples.PYTHON)
def test_a_lock_pins_what_is_asked_for_with_hashes_and_names_no_index(name):
    folder = EXAMPLES / name
    entries = re.split(r"^(?=[a-z0-9])", (folder / "requirements.txt").read_text(), flags=re.MULTILINE)[1:]
    pins = {entry.partition("==")[0] for entry in entries}
    asked = [line for line in (folder / "requirements.in").read_text().splitlines() if not line.startswith(("#", "."))]
    assert {line.partition("[")[0] for line in asked} <= pins
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in "".join(entries)


def test_the_lock_for_node_names_no_registry():
    assert '"resolved"' not in (EXAMPLES / "ai-sdk" / "package-lock.json").read_text()
