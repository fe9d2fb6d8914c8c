"""A bad prompt enters as a canary of running agents, is taken back by its counts, and a kill stops the next step."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from support.waiting import eventually

from demo import release as releasing

ENVIRONMENT = "released"
BEFORE = 80
"""Tasks before the canary: what it is compared with."""


@dataclass
class Managed:
    """Sample agents that run what the stack's releases say."""

    stack: object
    good: str
    bad: str

    def release(self, *words: str) -> str:
        """Run a verb of `agentobs release`."""
        return self.stack.agentobs("release", *words, "-e", ENVIRONMENT).stdout

    @property
    def head(self) -> dict:
        """The newest revision."""
        return json.loads(self.release("status", "--json"))

    def calls(self, series: str = "agentic_task_calls_total", **labels: str) -> float:
        """What was counted so far."""
        wanted = ",".join(f'{key}="{value}"' for key, value in {"environment": ENVIRONMENT, **labels}.items())
        return self.stack.value(f"sum({series}{{{wanted}}})")


@pytest.fixture(scope="module")
def managed(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases")
    for scenario in ("healthy", "prompt-regression"):
        releasing.write(folder / scenario, scenario)
        stack.agentobs("release", "build", str(folder / scenario))
    # By name: the healthy one comes first.
    made = Managed(stack, *stack.agentobs("release", "list", "--ids").stdout.split())
    made.release("promote", made.good)
    address, otlp = stack.url("release-controller"), stack.url("otlp-http")
    agents = [sys.executable, "-m", "demo", "run", "--managed", address, "--environment", ENVIRONMENT]
    agents += ["--endpoint", otlp, "--tasks", "6000", "--rate", "8"]
    with (
        (folder / "agents.txt").open("w") as output,
        subprocess.Popen(agents, env=stack.env(), stdout=output, stderr=output) as running,
    ):
        eventually(lambda: made.calls() >= BEFORE, 120)
        yield made
        running.terminate()
        running.wait(30)


def test_a_bad_prompt_is_taken_back_by_its_counts_and_locked(managed):
    managed.release("canary", managed.bad, "--share", "50%")
    eventually(lambda: "canary" not in managed.head, 240)
    head = managed.head
    done = head["operation"]
    assert (done["kind"], done["automatic"], done["by"]) == ("end", True, "release controller")
    assert "canary" in done["reason"]
    assert [(lock["agent"], lock["version"]) for lock in head["locked"]] == [("executor", "13")]
    assert head["stable"]["release"] == managed.good
    # What agents really ran says the same: both versions, each under its track.
    runs = "agentic_agent_calls_total"
    assert managed.calls(runs, agent_name="executor", prompt_version="13", track="canary") > 0
    assert managed.calls(runs, agent_name="executor", prompt_version="13", track="stable") == 0
    assert managed.calls(runs, agent_name="executor", prompt_version="12", track="canary") == 0


def test_the_controller_is_watched_and_says_what_agents_hold(managed):
    revision = managed.head["revision"]
    wanted = f'agentobs_release_agents{{environment="{ENVIRONMENT}",revision="{revision}"}}'
    assert eventually(lambda: managed.stack.value(wanted), 60) == 1
    assert managed.stack.value('up{job="release-controller"}') == 1


def test_a_kill_stops_running_agents_and_a_resume_lets_them_go_on(managed):
    executor = {"series": "agentic_agent_calls_total", "agent_name": "executor"}
    managed.release("kill", "executor", "--reason", "it leaks")
    # What ran when it was killed still comes in.
    assert eventually(lambda: _still(managed, executor), 90)
    assert managed.calls(outcome="cancelled") > 0
    managed.release("resume", "executor")
    before = managed.calls(**executor)
    assert eventually(lambda: managed.calls(**executor) > before, 60)


def _still(managed, counted) -> bool:
    """Whether nothing more was counted within two exports of the collector, while tasks go on."""
    before, tasks = managed.calls(**counted), managed.calls()
    eventually(lambda: managed.calls() >= tasks + 60, 60)
    return managed.calls(**counted) == before


def test_the_console_shows_what_runs_to_who_has_the_token_and_to_nobody_else(managed):
    address = managed.stack.url("release-controller")
    assert "Carry out" not in requests.get(address, timeout=10).text
    assert requests.get(f"{address}/v1/environments/{ENVIRONMENT}/status", timeout=10).status_code == 401
    home = Path(managed.stack.home) / "stacks" / "local" / "data" / "release-controller-state"
    token = (home / "console-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    said = requests.get(f"{address}/v1/environments/{ENVIRONMENT}/status", headers=headers, timeout=10).json()
    assert (said["revision"], said["agents"]["deaf"]) == (managed.head["revision"], [])
