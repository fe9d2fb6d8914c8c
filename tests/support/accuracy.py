"""How right the counts of a framework's run are: what Prometheus holds, against what the model and the tools tell.

Each run of the corpus is sent twice, each time as an environment of its own: as its programs exported it, and as the
SDK's span processor would have passed it on. Values are compared one by one: per agent where agents are asked for, else
over all agents.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentobs.contract import Attr, ErrorClass, Label
from support.capture import capturing
from support.corpus import RECORDED, Recording
from support.otelcol import PROTOBUF
from support.profiles import collector_for
from support.prometheus import Prometheus, prometheus_at
from support.replayed import lines, replay

RUNS = sorted(folder.name for folder in RECORDED.iterdir())
WITH_EVENTS = [name for name in RUNS if any(True for _ in lines(name, "events"))]
"""Runs whose order of starts and ends is known, so that they can be played through the SDK's processor."""

_KEYS = (Label.ENVIRONMENT, Label.AGENT, Label.TOOL, Label.ERROR_CLASS, Label.IS_RETRY, Label.TOKEN_TYPE, Label.OUTCOME)
_SERIES = (
    "agentic_llm_calls_total",
    "agentic_tool_calls_total",
    "agentic_llm_tokens_total",
    "agentic_task_calls_total",
)
_ROUNDING = 1e-6
_SETTLED_S = 60


class Way(Enum):
    """As the programs exported it, or through the SDK's span processor."""

    PLAIN = "plain"
    WITH_SDK = "sdk"


@dataclass(frozen=True, order=True)
class Value:
    """One number that telemetry should tell of a run."""

    what: str
    agent: str = ""
    tool: str = ""


Counted = Mapping[Way, Mapping[str, Mapping[Value, float]]]
"""What was counted, by way and name of the run."""


def counted_by_a_collector(folder: Path) -> Counted:
    """Send every run both ways to a real collector, and ask a real Prometheus until nothing changes any more."""
    with prometheus_at(folder / "prometheus") as prometheus, capturing() as store:
        collector = collector_for(folder / "collector", prometheus.url, store, "collector-0").start()
        try:
            for name in RUNS:
                send(collector.url, name, Way.PLAIN)
            for name in WITH_EVENTS:
                send(collector.url, name, Way.WITH_SDK)
            return _settled(prometheus)
        finally:
            collector.kill()


def _settled(prometheus: Prometheus) -> Counted:
    deadline, before = time.time() + _SETTLED_S, {}
    while True:
        plain, with_sdk = measured(prometheus, RUNS, Way.PLAIN), measured(prometheus, WITH_EVENTS, Way.WITH_SDK)
        now = {Way.PLAIN: plain, Way.WITH_SDK: with_sdk}
        if (now == before and all(with_sdk.values())) or time.time() > deadline:
            return now
        before = now
        time.sleep(5)  # the collector sends what it has counted every second, and a queue may lie in between


def environment(name: str, way: Way) -> str:
    """The environment under which a run is sent."""
    return f"{name}.{way.value}".replace(".", "-")


def send(url: str, name: str, way: Way) -> None:
    """Send a run to a collector's OTLP/HTTP."""
    for request in _requests(name, way):
        for group in request.resource_spans:
            kept = [a for a in group.resource.attributes if a.key not in {Attr.ENVIRONMENT, "deployment.environment"}]
            del group.resource.attributes[:]
            group.resource.attributes.extend(kept)
            own = group.resource.attributes.add()
            own.key, own.value.string_value = Attr.ENVIRONMENT.value, environment(name, way)
        answer = requests.post(f"{url}/v1/traces", request.SerializeToString(), headers=PROTOBUF, timeout=30)
        assert answer.ok, answer.text


def _requests(name: str, way: Way) -> Iterable[ExportTraceServiceRequest]:
    if way is Way.WITH_SDK:
        yield encode_spans(replay(name))
        return
    for request in Recording(RECORDED / name).requests():
        if isinstance(request, ExportTraceServiceRequest):
            yield request


def expected(name: str) -> dict[Value, float]:
    """What happened. Values that are 0 count too: nothing may be made up."""
    document = json.loads((RECORDED / name / "truth.json").read_text())
    found: Counter[Value] = Counter()
    for agent, did in document["agents"].items():
        _add(found, agent, did)
    outcomes = Counter(task["outcome"] for task in document["tasks"].values())
    found.update({Value(f"tasks {outcome}"): count for outcome, count in outcomes.items()})
    return dict(found)


def _add(found: Counter[Value], agent: str, did: Mapping[str, Any]) -> None:
    numbers = {
        "model calls": did["model_calls"], "input tokens": did["input_tokens"], "output tokens": did["output_tokens"],
        "cached tokens": did["cached_tokens"],
    }  # fmt: skip
    for what, number in numbers.items():
        found[Value(what)] += number
        found[Value(what, agent)] += number
    for tool, calls in did["tools"].items():
        told = {
            "tool calls": calls["calls"], "tools failed": calls["failed"], "tools timed out": calls["timed_out"],
            "tools retried": calls["retries"],
        }  # fmt: skip
        for what, number in told.items():
            found[Value(what, tool=tool)] += number
            found[Value(what, agent, tool)] += number


def measured(prometheus: Prometheus, names: Iterable[str], way: Way) -> dict[str, dict[Value, float]]:
    """What was counted of each run."""
    by = ", ".join(_KEYS)
    rows = {series: prometheus.query(f"sum by ({by}) (last_over_time({series}[1h]))") for series in _SERIES}
    of = {environment(name, way): name for name in names}
    found: dict[str, Counter[Value]] = {name: Counter() for name in of.values()}
    for series, results in rows.items():
        for row in results:
            labels, count = row["metric"], float(row["value"][1])
            if labels.get(Label.ENVIRONMENT) in of:
                _count(found[of[labels[Label.ENVIRONMENT]]], series, labels, count)
    return {name: dict(values) for name, values in found.items()}


def _count(found: Counter[Value], series: str, labels: Mapping[str, str], count: float) -> None:
    agent, tool = labels.get(Label.AGENT, ""), labels.get(Label.TOOL, "").removeprefix("register-")
    error = labels.get(Label.ERROR_CLASS, "")
    if series == "agentic_task_calls_total":
        found[Value(f"tasks {labels.get(Label.OUTCOME)}")] += count
    elif series == "agentic_tool_calls_total":
        for told in (Value("tool calls", agent, tool), Value("tool calls", tool=tool)):
            found[told] += count
        failed = {ErrorClass.NONE: "", ErrorClass.TIMEOUT: "tools timed out"}.get(ErrorClass(error), "tools failed")
        for what in (failed, "tools retried" if labels.get(Label.IS_RETRY) == "true" else ""):
            if what:
                found[Value(what, agent, tool)] += count
                found[Value(what, tool=tool)] += count
    else:
        what = "model calls"
        if series == "agentic_llm_tokens_total":
            kinds = {"input": "input tokens", "output": "output tokens", "cache_read": "cached tokens"}
            what = kinds.get(labels.get(Label.TOKEN_TYPE, ""), "")
        if what:
            found[Value(what, agent)] += count
            found[Value(what)] += count


def wrong(want: Mapping[Value, float], got: Mapping[Value, float]) -> dict[Value, tuple[float, float]]:
    """Values that differ, with what happened and what was counted, also of what never happened."""
    both = {key: (want.get(key, 0.0), got.get(key, 0.0)) for key in {*want, *got}}
    return {key: pair for key, pair in both.items() if abs(pair[0] - pair[1]) > _ROUNDING}
