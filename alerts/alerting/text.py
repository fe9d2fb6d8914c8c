"""Pieces of annotation text: who is meant, a value in its unit, and the versions in use when the alert fires."""

from collections.abc import Iterable
from typing import Final

from agentobs.contract import Label
from alerts.catalogue import Kpi, Unit
from alerts.recording.versions import CURRENT

_WORDS: Final[dict[str, str]] = {
    Label.AGENT: "agent",
    Label.TOOL: "tool",
    Label.WORKFLOW: "workflow",
    Label.PROVIDER: "provider",
    Label.MODEL: "model",
    Label.SERVICE: "service",
    Label.EVALUATION: "evaluation",
    Label.POLICY: "policy",
}
_OWNERS: Final = (Label.TOOL, Label.AGENT, Label.WORKFLOW)  # whose versions there are


def label(name: str) -> str:
    """The value of a label in a template."""
    return f"{{{{ $labels.{name} }}}}"


def who(by: Iterable[str]) -> str:
    """`tool x of agent y in prod`, as a template."""
    by = tuple(by)
    parts = [f"{_WORDS[name]} {label(name)}" for name in by if name in _WORDS]
    return (", ".join(parts) or "everything") + place(by)


def place(by: Iterable[str]) -> str:
    """` in prod`, as a template, where the alert is about an environment."""
    return f" in {label(Label.ENVIRONMENT)}" if Label.ENVIRONMENT in by else ""


def shown(kpi_unit: Unit, value: str = "$value") -> str:
    """A value of that unit, as a template."""
    match kpi_unit:
        case Unit.RATIO:
            return f"{{{{ {value} | humanizePercentage }}}}"
        case Unit.SECONDS:
            return f"{{{{ {value} | humanizeDuration }}}}"
        case Unit.USD:
            return f'{{{{ printf "$%.4f" {value} }}}}'
        case _:
            return f'{{{{ printf "%.2f" {value} }}}}'


def number(kpi: Kpi, target: float) -> str:
    """A target in the KPI's unit, as plain text."""
    match kpi.unit:
        case Unit.RATIO:
            return f"{target * 100:g} %"
        case Unit.SECONDS:
            return f"{target:g} s"
        case Unit.USD:
            return f"${target:g}"
        case _:
            return f"{target:g}"


def versions(by: Iterable[str]) -> str:
    """The versions in use of whoever is meant, each with when it was first seen; else what changed in the last day."""
    by = tuple(by)
    owner = next((name for name in _OWNERS if name in by), None)
    names = [name for name in (Label.ENVIRONMENT, owner) if name is not None and name in by]
    matchers = ",".join(f"{name}=%q" for name in names)
    arguments = " ".join(f"$labels.{name}" for name in names)
    recent = "" if owner else " > (time() - 86400)"
    asked = f"query (printf `{CURRENT}{{{matchers}}}{recent}` {arguments})" if names else f"query `{CURRENT}{recent}`"
    each = (
        "{{ .Labels.dimension }} {{ with .Labels.agent_name }}of {{ . }} {{ end }}"
        "{{ with .Labels.tool_name }}of {{ . }} {{ end }}"
        "{{ .Labels.version }}, first seen {{ .Value | humanizeTimestamp }}"
    )
    title = "Versions in use" if owner else "Versions first seen within a day"
    return f"{title}: {{{{ range {asked} }}}}{each}; {{{{ else }}}}none known{{{{ end }}}}"
