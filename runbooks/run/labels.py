"""The labels of one alert, as a person types them, and the quick checks filled in with them.

Values come from telemetry or from whoever typed them: none of them becomes a part of a query's language.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from agentobs.contract import Label
from agentobs.errors import AgentobsError
from alerts import instances
from alerts.alerting import command
from alerts.evidence import QuickCheck
from collector.quotes import escaped
from collector.search import SpanSearch, Term
from collector.search.model import Search
from collector.search.model import filled as filled_search
from runbooks.book.kinds import Kind
from runbooks.book.library import expected

_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
_EXAMPLES: Final[Mapping[str, str]] = {
    Label.ENVIRONMENT: "prod", Label.TOOL: "order_lookup", Label.AGENT: "planner", Label.WORKFLOW: "support",
    Label.SERVICE: "support-desk", Label.MODEL: "my-model", Label.PROVIDER: "my-provider", "job": "prometheus",
    "instance": "127.0.0.1:9090", "kpi": "tool_success", "dimension": "tool", "version": "2.0.0", "previous": "1.0.0",
    "track": "canary",
}  # fmt: skip
_SOMETHING: Final = "VALUE"


class LabelError(AgentobsError, ValueError):
    """No such alert, or not its labels; the message names the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One alert that fires: which, and the value of each of its labels; empty where this instance has none."""

    alert: str
    labels: Mapping[str, str]

    @property
    def given(self) -> dict[str, str]:
        """Labels that have a value."""
        return {label: value for label, value in self.labels.items() if value}


def named(alert: str, environment: str, words: Iterable[str]) -> Named:
    """Read an alert's name and its `label=value` words. Raises LabelError."""
    name = _name(alert)
    own = instances.labels_of(name)
    given = _given(name, words)
    if environment and Label.ENVIRONMENT in own and given.setdefault(Label.ENVIRONMENT, environment) != environment:
        raise LabelError(f"{name}: -e {environment} and environment={given[Label.ENVIRONMENT]}; name one of them")
    if unknown := [label for label in given if label not in own]:
        identity = instances.identity_of(name)
        raise LabelError(
            f"{name} has no label {unknown[0]}; it has {', '.join(identity) or 'none'}. Try {_example(name, given)}"
        )
    missing = [label for label in instances.required_of(name) if label not in given]
    if missing:
        raise LabelError(
            f"{name} needs the label{'s' if len(missing) > 1 else ''} {', '.join(missing)}, which the alert's message"
            f" has; for example {_example(name, given)}"
        )
    return Named(alert=name, labels={label: given.get(label, "") for label in instances.identity_of(name)})


def _name(alert: str) -> str:
    if not alert:
        raise LabelError(f"name the alert that fires; for example {_example('ToolFailing', {})}")
    by_lower = {each.lower(): each for each in expected()[Kind.ALERT]}
    if alert.lower() in by_lower:
        return by_lower[alert.lower()]
    near = difflib.get_close_matches(alert.lower(), by_lower, n=3)
    hint = f"did you mean {' or '.join(by_lower[each] for each in near)}? " if near else ""
    raise LabelError(f"no alert is called {alert}; {hint}`agentobs runbooks list` shows all")


def _given(name: str, words: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in words:
        label, equals, value = each.partition("=")
        if not equals or not label:
            raise LabelError(f"{each!r} is no label=value; for example {_example(name, {})}")
        if found.setdefault(label, value) != value:
            raise LabelError(f"{label} is given twice, as {found[label]!r} and {value!r}; name one of them")
    return found


def _example(name: str, given: Mapping[str, str]) -> str:
    """A whole line that would be taken: what was given and is right, and examples for the rest."""
    values = {
        label: given.get(label) or _EXAMPLES.get(label, _SOMETHING)
        for label in instances.identity_of(name)
        if label in given or label in instances.required_of(name)
    }
    return command.line(name, values)


def filled(check: QuickCheck, labels: Mapping[str, str]) -> QuickCheck:
    """The check about this instance. What is asked about a label that it has not, is not asked of traces and lines."""
    if isinstance(check.query, str):
        query = _VARIABLE.sub(lambda found: escaped(labels[found[1]]) if found[1] in labels else found[0], check.query)
        return replace(check, query=query)
    if isinstance(check.query, SpanSearch):
        return replace(check, query=_search(check.query, labels))
    return replace(check, query=_search(check.query, labels))


def _search(search: Search, labels: Mapping[str, str]) -> Search:
    empty = {f"${label}" for label, value in labels.items() if not value}

    def kept(term: Term) -> bool:
        return term.value not in empty

    narrowed = replace(
        search,
        terms=tuple(filter(kept, search.terms)),
        any_of=tuple(group for group in (tuple(filter(kept, each)) for each in search.any_of) if group),
    )
    return filled_search(narrowed, labels)
