"""Which KPIs are fed, per agent: what its spans carry of what the KPIs need, and the score that follows from it.

A `Need` is one column: some KPIs, the spans that they read, and what these must carry. The share of spans that carry it
is how well it is fed; an unread span is one that carries nothing, and a call without an agent is half a call, because
its KPIs cannot be told by agent. The score is the mean of a service's columns, then of the services, from 0 to 100 and
rounded down. Not here: numbers that are wrong although they are there (counted twice, exploding names); these are
findings.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

from pydantic import BaseModel, Field

from agentobs.contract import Attr, Place
from collector.check.findings import Finding, Kind, Severity
from collector.check.fixes import fix
from collector.check.spans import Span, Trace

_TOKENS: Final = frozenset({Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One column: `of_service` where it belongs to the whole program and not to one agent."""

    key: str
    heading: str
    kpis: str
    places: tuple[Place, ...]
    attributes: tuple[Attr, ...] = ()
    of_service: bool = False

    @property
    def fix(self) -> str:
        """The line that mends it."""
        return _FIXES.get(self.key) or fix(self.attributes[0], self.places[0])

    def concerns(self, span: Span) -> bool:
        """Whether the KPIs read it, or should."""
        if span.failed and set(self.attributes) & _TOKENS:
            return False
        return bool(span.places & set(self.places)) or (span.is_unread and promised(span) in self.places)

    def is_met(self, span: Span) -> bool:
        """Whether the span carries all of it."""
        if span.is_unread and self.key != "program":
            return False
        if self.key == "cost":
            return not span.attributes.get(Attr.COST_UNPRICED)
        return all(span.has(attr, Place.RESOURCE) or span.has(attr, self.places[0]) for attr in self.attributes)


_FIXES: Final = {
    "runs": "wrap the agent's work in emit.agent(name); frameworks with a span per agent need nothing",
    "models": "see the finding about unread spans",
    "tools": "see the finding about unread spans",
    "cost": f"call.usage(...) on each model call, and a price for the model; or set {Attr.COST} on the span",
    "named": "agentobs.context.adopt() for a framework, emit.agent(name) in code of your own",
    "tasks": "wrap the request in emit.task(workflow=..., type=...)",
}
NEEDS: Final = (
    Need(
        key="tasks", heading="tasks", of_service=True, places=(Place.TASK,),
        attributes=(Attr.WORKFLOW_NAME, Attr.TASK_OUTCOME), kpis="Task success, Task timeouts, Time per task",
    ),
    Need(
        key="graph", heading="graph\nversion", of_service=True, places=(Place.TASK,), attributes=(Attr.GRAPH_VERSION,),
        kpis="tasks by version of the graph",
    ),
    Need(
        key="named", heading="agent\nnamed", of_service=True, places=(Place.MODEL, Place.TOOL),
        attributes=(Attr.AGENT_NAME,), kpis="Tool call success per agent, every KPI and alert that says which agent",
    ),
    Need(
        key="program", heading="program", of_service=True,
        places=(Place.TASK, Place.AGENT, Place.MODEL, Place.TOOL, Place.MCP),
        attributes=(Attr.SERVICE_NAME, Attr.SERVICE_VERSION, Attr.ENVIRONMENT),
        kpis="MCP server request success, every KPI by service, its version and environment",
    ),
    Need(
        key="runs", heading="runs", places=(Place.AGENT,),
        kpis="Agent run success, Agent runs per task, Time per agent run",
    ),
    Need(
        key="models", heading="models", places=(Place.MODEL,), attributes=(Attr.REQUEST_MODEL,),
        kpis="Model call success, Model calls refused for their rate, Time per model call",
    ),
    Need(
        key="tokens", heading="tokens", places=(Place.MODEL,), attributes=(Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS),
        kpis="Tokens per model call, Input tokens from the cache",
    ),
    Need(key="cost", heading="cost", places=(Place.MODEL,), kpis="Cost per model call, Model calls without a price"),
    Need(
        key="tools", heading="tools", places=(Place.TOOL,), attributes=(Attr.TOOL_NAME,),
        kpis="Tool call success, Tool timeouts, Time per tool call",
    ),
    Need(
        key="prompt", heading="prompt\nversion", places=(Place.AGENT, Place.MODEL), attributes=(Attr.PROMPT_VERSION,),
        kpis="agents and models by version of the prompt",
    ),
    Need(
        key="tool_version", heading="tool\nversion", places=(Place.TOOL,), attributes=(Attr.TOOL_VERSION,),
        kpis="tools by version",
    ),
)  # fmt: skip

_OF_SERVICE: Final = frozenset(need.key for need in NEEDS if need.of_service)
_NAMELESS: Final = 0.5
# What is lacking without these is no KPI as a whole.
_FURTHER: Final = {
    Attr.ERROR_TYPE: "timeouts, throttling and bad input cannot be told apart; failures are of class other",
}
OPTIONAL: Final[Mapping[Attr, str]] = {
    Attr.TASK_COST: "Cost per task",
    Attr.TASK_TOKENS: "tokens per task",
    Attr.PLAN_PLANNED: "Plan completion",
    Attr.PLAN_COMPLETED: "Plan completion",
    Attr.RETRY_ATTEMPT: "Tool calls that are retries, Agent runs that are retries",
    Attr.TRACK: "Canary against stable",
    Attr.TASK_TYPE: "tasks by type",
    Attr.PROMPT_NAME: "prompts by name",
    Attr.PROVIDER: "models by provider",
}
"""What an application may send on top, and the KPIs that only this feeds. None of it is in the score."""

VERDICTS: Final = "Evaluations passed, Hallucination rate, Judge score, Human score"
"""The KPIs that only verdicts feed."""


def broken(attribute: str) -> str:
    """What a missing attribute breaks: KPIs that it keeps from being fed; empty where nothing more is known."""
    kpis = "; ".join(need.kpis for need in NEEDS if attribute in need.attributes)
    return f"not fed: {kpis}" if kpis else _FURTHER.get(Attr(attribute), "") if attribute in set(Attr) else ""


def promised(span: Span) -> Place:
    """What an unread span seems to be."""
    keys = {str(key) for key in span.attributes}
    is_model = keys & {Attr.REQUEST_MODEL, Attr.INPUT_TOKENS, "llm.model_name"}
    return Place.MODEL if is_model else Place.TOOL if any("tool" in key for key in keys) else Place.AGENT


class Fed(BaseModel):
    """One row: an agent, or a service as a whole where `agent` is empty. `fed` is by key of the need, from 0 to 1."""

    service: str
    agent: str
    names: int = Field(default=1, description="How many names of agents it stands for, where they differ in ids only.")
    fed: dict[str, float]
    spans: dict[str, int] = Field(description="Spans behind each share.")


class Gap(BaseModel):
    """What is not fed whole: the KPIs concerned, whom it concerns, and the line that mends it."""

    need: str
    attributes: list[str]
    heading: str
    kpis: str
    share: float
    services: list[str]
    agents: list[str]
    fix: str


@dataclass(slots=True)
class _Counts:
    met: int = 0
    of: int = 0

    def add(self, *, is_met: bool) -> None:
        self.of += 1
        self.met += is_met

    @property
    def share(self) -> float:
        return self.met / self.of


@dataclass(slots=True)
class _Row:
    counts: defaultdict[str, _Counts] = field(default_factory=lambda: defaultdict(_Counts))
    names: set[str] = field(default_factory=set)


def fed(traces: Iterable[Trace]) -> list[Fed]:
    """A row for each service and each of its agents, in the order of their names, the service first."""
    rows: defaultdict[tuple[str, str], _Row] = defaultdict(_Row)
    for span in (span for trace in traces for span in trace):
        for need in NEEDS:
            if need.concerns(span):
                row = rows[span.service, "" if need.of_service else span.agent]
                row.counts[need.key].add(is_met=need.is_met(span))
                row.names.add(str(span.attributes.get(Attr.AGENT_NAME, "")))
    for (_, agent), row in rows.items():
        # An agent that works and has no run of its own is not counted as one that ran.
        if agent and "runs" not in row.counts:
            row.counts["runs"].add(is_met=False)
    return [
        Fed(
            service=service,
            agent=agent,
            names=max(1, len(row.names)) if agent else 1,
            fed={need.key: row.counts[need.key].share for need in NEEDS if need.key in row.counts},
            spans={need.key: row.counts[need.key].of for need in NEEDS if need.key in row.counts},
        )
        for (service, agent), row in sorted(rows.items())
    ]


def score(rows: Sequence[Fed]) -> int | None:
    """From 0 to 100; None where there is nothing to judge."""
    columns: defaultdict[str, defaultdict[str, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for key, share in row.fed.items():
            nameless = not row.agent and key not in _OF_SERVICE
            columns[row.service][key].append((share * _NAMELESS if nameless else share, row.spans[key]))
    services = [fmean(map(_mean, found.values())) for found in columns.values()]
    return math.floor(100 * fmean(services) + 1e-9) if services else None


def _mean(weighted: Sequence[tuple[float, int]]) -> float:
    return sum(value * weight for value, weight in weighted) / sum(weight for _, weight in weighted)


def gaps(rows: Sequence[Fed], findings: Iterable[Finding]) -> list[Gap]:
    """What is not fed whole, by need. Where a finding knows the fix for this program, its line is the one."""
    known: Mapping[str, str] = {
        finding.subject: finding.fix
        for finding in findings
        if finding.kind in {Kind.MISSING, Kind.UNNAMED} and finding.severity is Severity.REQUIRED
    }
    found = []
    for need in NEEDS:
        lacking = [row for row in rows if row.fed.get(need.key, 1.0) < 1.0]
        if not lacking:
            continue
        of_need: Callable[[Attr], str | None] = known.get
        mend = next((line for line in map(of_need, need.attributes) if line), "") if need.key not in _FIXES else ""
        found.append(
            Gap(
                need=need.key,
                attributes=[*need.attributes],
                heading=need.heading.replace("\n", " "),
                kpis=need.kpis,
                share=fmean(row.fed[need.key] for row in lacking),
                services=list(dict.fromkeys(row.service for row in lacking)),
                agents=list(dict.fromkeys(row.agent for row in lacking if row.agent)),
                fix=mend or need.fix,
            )
        )
    return found
