"""What a quick check is."""

from dataclasses import dataclass
from enum import StrEnum


class QueryLanguage(StrEnum):
    """Whom a query is for: Prometheus, Loki or Tempo."""

    PROMQL = "promql"
    LOGQL = "logql"
    TRACEQL = "traceql"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickCheck:
    """One query with one sentence on what it should show; `$label` in it stands for the alert's label.

    `answers` is whether it returns something as long as the alert fires; else nothing is an answer too. `value` marks
    what the alert watches, and `border` is the number it is compared with, `above` the side of trouble.
    """

    title: str
    language: QueryLanguage
    query: str
    shows: str
    answers: bool = True
    value: bool = False
    border: float | None = None
    above: bool = True
