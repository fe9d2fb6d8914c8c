"""The line that is typed when an alert fires: it asks all quick checks of the alert's page, then for the diagnosis.

As text, and as a template that Prometheus fills in. Values of labels come from telemetry, and whoever reads a message
at night pastes the line into a shell: nothing in a value may run there.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from agentobs.contract import Label
from collector.quotes import CONTROL, PLAIN, QUOTE, shell

VERB: Final = "agentobs runbooks run"
_WORD: Final = (
    f'{{{{ define "word" }}}}{{{{ if match `{PLAIN}` . }}}}{{{{ . }}}}{{{{ else }}}}'
    f"'{{{{ reReplaceAll `'` `{QUOTE}` (reReplaceAll `{CONTROL}` `?` .) }}}}'{{{{ end }}}}{{{{ end }}}}"
)


def line(name: str, labels: Mapping[str, str], stack: str = "") -> str:
    """The line for one alert that fires; a label without a value is left out."""
    given = [_given(label, shell(value)) for label, value in _in_order(labels).items() if value]
    return " ".join([_start(name, stack), *given])


def template(name: str, labels: Iterable[str], stack: str = "") -> str:
    """The same for whatever instance of the alert fires: Prometheus fills in its labels."""
    filled = '{{ template "word" . }}'
    given = [
        f"{{{{ with $labels.{label} }}}} {_given(label, filled)}{{{{ end }}}}"
        for label in _in_order(dict.fromkeys(labels, ""))
    ]
    return "".join([_WORD if given else "", _start(name, stack), *given])


def in_page(name: str, labels: Iterable[str]) -> str:
    """The same with variables of a shell for the values."""
    return " ".join(
        [_start(name, ""), *(_given(label, f'"${label}"') for label in _in_order(dict.fromkeys(labels, "")))]
    )


def _start(name: str, stack: str) -> str:
    return f"{VERB} {name}" + (f" -s {stack}" if stack else "")


def _given(label: str, value: str) -> str:
    return f"-e {value}" if label == Label.ENVIRONMENT else f"{label}={value}"


def _in_order(labels: Mapping[str, str]) -> dict[str, str]:
    """The environment first, as it is an option."""
    return {str(label): labels[label] for label in sorted(labels, key=lambda each: each != Label.ENVIRONMENT)}
