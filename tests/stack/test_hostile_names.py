"""Names that want to be more than text, sent to a real stack and asked for with real commands."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from support.hostile import KINDS
from support.otlp import span, traces

from agentobs.contract import Attr, Label
from collector.search import Op, SpanSearch, Term
from runbooks.status import collect
from runbooks.why.diagnosis import Window, diagnose

HOUR_S = 3600
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^;]*;[^\x1b]*\x1b\\")
"""Colours and links, which only we may ask for."""
ENVIRONMENT = "hostile"
# As environments: `why` asks about each of them with its name in a query.
ENVIRONMENTS = ("~(", "!x", "=~.*", '"} or vector(1) #', "a\nb", "\ufffd", "[/]", "$(touch ran)", "x\x03y")
NAMES = [name for name in KINDS if name.strip() and name != "none"]


def sent(name: str, environment: str):
    """One agent that calls a tool of that name."""
    resource = {"service.name": "names", "deployment.environment.name": environment}
    agent = span("invoke_agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name})
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.agent.name": name}
    call = span("execute_tool", tool, trace_id=agent.trace_id, parent=agent.span_id, status="error", message=name)
    return traces([agent, call], resource)


@pytest.fixture(scope="module")
def hostile(stack, eventually):
    for name in NAMES:
        post(stack, sent(name, ENVIRONMENT))
    for name in ENVIRONMENTS:
        post(stack, sent("planner", name))
    counted = 'count(sum by (environment, agent_name) (agentic_agent_calls_total{service="names"}))'
    wanted = len(NAMES) + len(ENVIRONMENTS)
    assert eventually(lambda: stack.value(counted), lambda value: value >= wanted, 90) >= wanted
    return stack


def post(stack, request):
    headers = {"Content-Type": "application/x-protobuf"}
    answer = requests.post(
        f"{stack.url('otlp-http')}/v1/traces", request.SerializeToString(), headers=headers, timeout=10
    )
    assert answer.status_code == 200, answer.text


def asked(stack, folder, *words):
    """What a verb prints on a terminal with colours and links; in a folder that a name could write to."""
    env = {**stack.env(), "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "600"}
    env.pop("NO_COLOR")
    command = [str(Path(sys.executable).parent / "agentobs"), *words]
    env["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    for said in (done.stdout, done.stderr):
        assert "Traceback" not in said, said
        assert not STEERS.search(OURS.sub("", said)), words
        links = re.findall(r"\x1b\]8;[^;]*;([^\x1b]*)", said)
        assert all(link == "" or link.startswith("http://127.0.0.1:") for link in links), links
    assert not [*folder.iterdir()]
    return done


@pytest.mark.parametrize(
    "verb", [["status"], ["why"], ["why", "--text"], ["traces"], ["telemetry", "check"], ["logs"]], ids=str
)
def test_a_verb_shows_names_and_does_nothing_for_them(hostile, tmp_path, verb):
    done = asked(hostile, tmp_path, *verb, "--since", "1h")
    # The check ends with 1 where other tests of this stack have sent what it finds amiss.
    assert done.returncode in ({0, 1} if verb[-1] == "check" else {0}), done.stderr


def test_status_shows_every_name_as_it_is(hostile, tmp_path):
    said = OURS.sub("", asked(hostile, tmp_path, "status", "--since", "1h", "-e", ENVIRONMENT).stdout)
    for name in NAMES:
        if name.isprintable() and len(name) < 100:
            assert name.strip() in said, name
    document = json.loads(hostile.agentobs("status", "--since", "1h", "-e", ENVIRONMENT, "--json").stdout)
    agents = {row["labels"].get("agent_name") for table in document["tables"] for row in table["rows"]}
    assert {name for name in NAMES if name.isprintable()} <= agents


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=ascii)
def test_an_environment_is_judged_under_its_name(hostile, environment):
    where, now = {Label.ENVIRONMENT: environment}, time.time()
    metrics = hostile.endpoints.metrics
    tables = collect(metrics, now - HOUR_S, now, where).tables
    (agents,) = [table.rows for table in tables if table.key == "agents"]
    assert {row.labels["agent_name"] for row in agents} == {"planner"}, "it selects that environment and no other"
    assert diagnose(metrics, Window(start=now - HOUR_S, end=now, where=where)).verdict


def test_the_environment_of_a_pattern_is_asked_about_by_a_real_command(hostile, tmp_path):
    assert asked(hostile, tmp_path, "why", "--since", "1h", "-e", "~(").returncode == 0
    shown = asked(hostile, tmp_path, "status", "--since", "1h", "-e", "~(").stdout
    assert "planner" in shown
    assert "$(touch ran)" not in shown, "that is of another environment"


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_trace_of_a_name_is_found_by_it(hostile, eventually, name):
    terms = (Term(Attr.ENVIRONMENT, Op.EQUAL, ENVIRONMENT), Term(Attr.AGENT_NAME, Op.EQUAL, name))
    now = time.time()
    found = eventually(lambda: hostile.traces.find(SpanSearch(terms=terms), now - HOUR_S, now + 60, 10), bool)
    assert len(found) == 1
