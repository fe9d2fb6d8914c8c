"""Options that several commands share, read and explained the same way everywhere."""

import json
import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentobs.contract import Label
from stacks.cli import safe
from stacks.environments import EnvName

if TYPE_CHECKING:
    from pydantic import BaseModel

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str) -> float:
    """Seconds of a duration such as 90s, 15m, 1h or 7d."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration; write for example 90s, 15m, 1h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def narrowed(environment: str) -> dict[Label, str]:
    """The labels that `Where` asks for."""
    return {Label.ENVIRONMENT: environment} if environment else {}


def print_schema(model: "type[BaseModel]") -> None:
    """What --schema does."""
    safe.document(json.dumps(model.model_json_schema(), indent=2))


Stack = Annotated[EnvName, typer.Option("--stack", "-s", help="Which stack.")]
Since = Annotated[float, typer.Option(parser=duration, metavar="DURATION", help="How far to look back: 90s, 15m, 1h.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document instead; --schema describes it.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of the --json document and exit.")]
Where = Annotated[str, typer.Option("--environment", "-e", help="Only this deployment.environment.name.")]
Store = Annotated[
    str,
    typer.Option("--prometheus", envvar="AGENTOBS_PROMETHEUS", help="Another Prometheus-compatible store than ours."),
]
LokiUrl = Annotated[
    str, typer.Option("--loki", envvar="AGENTOBS_LOKI", help="A Loki instead of the stack's store of logs.")
]
VictoriaLogsUrl = Annotated[
    str,
    typer.Option(
        "--victorialogs", envvar="AGENTOBS_VICTORIALOGS", help="A VictoriaLogs instead of the stack's store of logs."
    ),
]
TempoUrl = Annotated[
    str, typer.Option("--tempo", envvar="AGENTOBS_TEMPO", help="A Tempo instead of the stack's store of traces.")
]
JaegerUrl = Annotated[
    str, typer.Option("--jaeger", envvar="AGENTOBS_JAEGER", help="A Jaeger instead of the stack's store of traces.")
]
