"""What a quick check is."""

from dataclasses import dataclass
from enum import StrEnum

from collector.search import LineSearch, SpanSearch, words


class About(StrEnum):
    """What a quick check looks at, and so what its answer means."""

    RULE = "rule"
    """The whole condition: any result, and it holds."""
    VALUE = "value"
    """What the alert watches."""
    MISSING = "missing"
    """What the alert misses: any result, and it is there again."""
    THRESHOLD = "threshold"
    """What the value is compared with, where that is no number."""
    GUARD = "guard"
    """What has to hold too."""
    ENDS = "ends"
    """What must not hold."""
    REACH = "reach"
    """Every instance of the alert."""
    VERSIONS = "versions"
    """The KPI of each version."""
    CHANGES = "changes"
    """Versions that are new; the value is since when."""
    TRACES = "traces"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickCheck:
    """One question with one sentence on what it should show; `$label` in it stands for the alert's label.

    `query` is PromQL, or what is searched in traces or lines, which no store's language is needed for.
    `answers` is whether it returns something as long as the alert fires; else nothing is an answer too. `value` marks
    what the alert watches, `threshold` is the number it is compared with, `above` the side of trouble. `operator`
    is how it is compared, where it is.
    """

    title: str
    query: str | SpanSearch | LineSearch
    shows: str
    about: About
    answers: bool = True
    value: bool = False
    operator: str = ""
    threshold: float | None = None
    above: bool = True

    @property
    def language(self) -> str:
        """What its text is written in, as a fence of Markdown names it."""
        return "promql" if isinstance(self.query, str) else "bash"

    @property
    def text(self) -> str:
        """The question as a person asks it: a query of Prometheus, or a command."""
        return self.query if isinstance(self.query, str) else words.command(self.query)
