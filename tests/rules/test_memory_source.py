"""Series in memory answer like a real Prometheus that holds the same series."""

import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.canaries import plan
from support.memory_source import MemorySource
from support.prometheus import prometheus_at
from support.worlds.kinds import draw
from support.worlds.model import Restart, World
from support.worlds.openmetrics import memory, text
from support.worlds.sampled import sampled

import toolchain
from agentobs import contract
from agentobs.contract import Label
from alerts import promql
from alerts.catalogue import AGENT_SUCCESS, EVALUATION_PASS, MODEL_COST, TASK_LATENCY, TASK_SUCCESS, TOOL_SUCCESS
from alerts.catalogue.model import Selector
from alerts.catalogue.wanted import Like, Not
from alerts.prometheus import Prometheus
from alerts.source import MetricsSource
from delivery.rollout import TASKS
from delivery.rollout.query import CanaryReader, prove

if TYPE_CHECKING:
    from pathlib import Path

AGE_S = 900.0
Both = tuple[MemorySource, MetricsSource, World, float]


def _world() -> World:
    """Two restarts, with and without a new name; versions that begin and end; a canary that is seldom used."""
    world = draw(11, 2, "rollback of a canary")
    return replace(world, restarts=(Restart(90.0, 3.0, renamed=False), Restart(171.3, 6.0, renamed=True)))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    world, start = _world(), float(round(time.time() - AGE_S))
    folder: Path = tmp_path_factory.mktemp("worlds")
    file = folder / "series.om"
    file.write_text("\n".join([*text(sampled(world), start), ""]))
    promtool = str(toolchain.require(["promtool"])["promtool"])
    load = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(file), str(folder / "prometheus" / "data")]
    done = subprocess.run(load, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with prometheus_at(folder / "prometheus") as prometheus:
        yield memory(sampled(world), start), Prometheus(prometheus.url), world, start


QUERIES = {
    "tool calls": (TOOL_SUCCESS.denominator, (Label.TOOL, Label.TOOL_VERSION, Label.TRACK), {}),
    "failed first calls of tools": (
        TOOL_SUCCESS.denominator,
        (Label.TOOL, Label.AGENT),
        {Label.ERROR_CLASS: Not("none"), Label.IS_RETRY: Not("true")},
    ),
    "agents by prompt": (AGENT_SUCCESS.denominator, (Label.AGENT, Label.PROMPT, Label.PROMPT_VERSION), {}),
    "tasks": (TASK_SUCCESS.numerator, (Label.WORKFLOW, Label.TASK_TYPE), {}),
    "everything in one": (TASK_SUCCESS.denominator, (), {}),
    "seconds of tasks": (TASK_LATENCY.numerator, (Label.WORKFLOW,), {}),
    "money": (MODEL_COST.numerator, (Label.AGENT, Label.MODEL), {}),
    "evaluations": (EVALUATION_PASS.denominator, (Label.AGENT, Label.EVALUATION_LABEL), {}),
    "buckets": (Selector(series=contract.TOOL_DURATION.bucket, labels=()), (Label.TOOL, "le"), {}),
    "those of an agent by pattern": (
        TOOL_SUCCESS.denominator,
        (Label.TOOL,),
        {Label.AGENT: Like(".*-(planner|agent|critic)")},
    ),
    "nobody's": (TOOL_SUCCESS.denominator, (Label.TOOL,), {Label.AGENT: "nobody"}),
}


def _answers(source: MetricsSource, query: str, start: float, end: float, step: float):
    return {
        tuple(sorted(series.labels.items())): {
            round(at, 3): pytest.approx(value, abs=1e-6) for at, value in series.points
        }
        for series in source.range(query, start, end, step)
    }


@pytest.mark.parametrize("window_s", [1.0, 5.0, 6.317, 200.0])
@pytest.mark.parametrize("name", QUERIES)
def test_increases_are_those_of_prometheus(both: Both, name, window_s):
    in_memory, real, world, start = both
    selector, by, where = QUERIES[name]
    query = promql.increase(selector, by, {**where, Label.ENVIRONMENT: world.environment}, window_s)
    span = (start - 10, start + world.seconds + 20, min(max(window_s, 2.5), 20.0))
    wanted = _answers(real, query, *span)
    assert _answers(in_memory, query, *span) == wanted
    assert bool(wanted) == (name != "nobody's")


@pytest.mark.parametrize("name", QUERIES)
def test_totals_are_those_of_prometheus(both: Both, name):
    in_memory, real, world, start = both
    selector, by, where = QUERIES[name]
    query = promql.total(selector, by, {**where, Label.ENVIRONMENT: world.environment})
    span = (start - 10, start + world.seconds + 20, 3.7)
    assert _answers(in_memory, query, *span) == _answers(real, query, *span)


def test_a_canary_reads_the_same_of_both(both: Both):
    in_memory, real, world, start = both
    began, end = start + world.seconds / 3, start + world.seconds
    proofs = [prove(source, world.environment, end) for source in (in_memory, real)]
    assert {*proofs[0].watched} == {*proofs[1].watched} >= {TASKS, "agent_success", "tool_latency", "violations_passed"}
    canary = plan(began=began, environment=world.environment, watched=proofs[1].watched, changes=())
    counts = [CanaryReader(source, canary).read(end).counts for source in (in_memory, real)]
    assert all(sides.stable.events > 0 for sides in counts[1].values())
    assert counts[1][TASKS].canary.events > 0
    for key, sides in counts[1].items():
        found = counts[0][key]
        for known, other in ((found.stable, sides.stable), (found.canary, sides.canary)):
            assert (known.bad, known.events) == (pytest.approx(other.bad), pytest.approx(other.events)), key
