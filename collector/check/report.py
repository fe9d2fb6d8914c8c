"""The document that a check returns: what arrived, which KPIs it feeds, what to mend, and what was looked at."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, Field

from collector.check import feeding
from collector.check.feeding import Fed, Gap
from collector.check.findings import Finding, Group, Kind, Severity, grouped
from collector.check.labels import folded
from collector.check.spans import Trace


class Service(BaseModel):
    """One service: how many of its spans were looked at, and what its series counted in the window."""

    name: str
    spans: int
    agents: list[str]
    tasks: int = 0
    agent_runs: int = 0
    model_calls: int = 0
    tool_calls: int = 0
    served: int = Field(default=0, description="Requests that it served as an MCP server.")
    verdicts: int = Field(default=0, description="Evaluations of its work.")
    unread: int = Field(default=0, description="Spans that promise a call and that no KPI reads.")


class Report(BaseModel):
    """Everything that one check found."""

    window_start: float
    window_end: float
    environment: str = ""
    traces: int
    spans: int
    services: list[Service]
    score: int | None = Field(default=None, description="0 to 100: how much of what the KPIs need is there.")
    fed: list[Fed] = []
    gaps: list[Gap] = []
    groups: list[Group] = []
    findings: list[Finding]

    @property
    def is_empty(self) -> bool:
        """Nothing was there to look at."""
        return not self.services and not self.findings

    @property
    def lacks_required(self) -> bool:
        """Whether something is missing that KPIs depend on."""
        return any(finding.severity is Severity.REQUIRED for finding in self.findings)


def _with_kpis(group: Group) -> Group:
    """A missing attribute breaks the KPIs that need it."""
    broken = feeding.broken(group.subject) if group.kind is Kind.MISSING else ""
    return group.model_copy(update={"breaks": broken}) if broken else group


def with_aliases(traces: Iterable[Trace]) -> list[Trace]:
    """The same traces; agents of one service whose names differ in an id only have one name between them."""
    traces = list(traces)
    names: defaultdict[str, set[str]] = defaultdict(set)
    for span in (span for trace in traces for span in trace):
        names[span.service].add(span.agent)
    aliases = {service: folded(found - {""}) for service, found in names.items()}
    return [
        [
            replace(span, alias=aliases[span.service][span.agent]) if span.agent in aliases[span.service] else span
            for span in trace
        ]
        for trace in traces
    ]


def build(
    traces: Sequence[Trace],
    findings: Iterable[Finding],
    window: tuple[float, float],
    environment: str = "",
    counted: Mapping[str, Mapping[str, int]] | None = None,
) -> Report:
    """Put findings in reading order, beside what they rest on; `counted` is by service and field of `Service`."""
    spans = [span for trace in traces for span in trace]
    number, counted = Counter(span.service for span in spans), counted or {}
    agents = {name: sorted({span.agent for span in spans if span.service == name} - {""}) for name in number}
    rows, ordered = feeding.fed(traces), sorted(findings, key=lambda finding: finding.order)
    return Report(
        window_start=window[0],
        window_end=window[1],
        environment=environment,
        traces=len(traces),
        spans=len(spans),
        services=[
            Service(name=name, spans=number[name], agents=agents.get(name, []), **counted.get(name, {}))
            for name in sorted({*number, *counted})
        ],
        score=feeding.score(rows),
        fed=rows,
        gaps=feeding.gaps(rows, ordered),
        groups=[_with_kpis(group) for group in grouped(ordered)],
        findings=ordered,
    )
