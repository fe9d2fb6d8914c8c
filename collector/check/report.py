"""The document that a check returns: findings, and what was looked at to find them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from collector.check.findings import Finding, Severity
from collector.check.spans import Trace


class Service(BaseModel):
    """How much of one service was looked at."""

    name: str
    spans: int
    agents: list[str]


class Report(BaseModel):
    """Everything that one check found."""

    window_start: float
    window_end: float
    environment: str = ""
    traces: int
    spans: int
    services: list[Service]
    findings: list[Finding]

    @property
    def is_empty(self) -> bool:
        """Nothing was there to look at."""
        return not self.spans and not self.findings

    @property
    def lacks_required(self) -> bool:
        """Whether something is missing that KPIs depend on."""
        return any(finding.severity is Severity.REQUIRED for finding in self.findings)


def build(
    traces: Sequence[Trace], findings: Iterable[Finding], window: tuple[float, float], environment: str = ""
) -> Report:
    """Put findings in reading order, beside what they rest on."""
    spans = [span for trace in traces for span in trace]
    number = Counter(span.service for span in spans)
    agents = {name: sorted({span.agent for span in spans if span.service == name} - {""}) for name in number}
    return Report(
        window_start=window[0],
        window_end=window[1],
        environment=environment,
        traces=len(traces),
        spans=len(spans),
        services=[Service(name=name, spans=number[name], agents=agents[name]) for name in sorted(number)],
        findings=sorted(findings, key=lambda finding: finding.order),
    )
