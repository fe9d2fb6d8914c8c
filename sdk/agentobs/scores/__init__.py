"""Evaluations as Langfuse scores: which project, and what is posted.

Langfuse takes no log records, so a collector cannot bring it evaluations: the program that judges posts them itself,
beside the log record that the KPIs are made of. Not here: how a score is posted (`client`), and when
(`agentobs.emit.scores`).
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentobs.address import base_address
from agentobs.contract import Attr, Label
from agentobs.errors import AgentobsError

URL_VARIABLE: Final = "LANGFUSE_BASE_URL"
PUBLIC_KEY_VARIABLE: Final = "LANGFUSE_PUBLIC_KEY"
SECRET_KEY_VARIABLE: Final = "LANGFUSE_SECRET_KEY"  # noqa: S105 the name of a variable
# Any fixed value will do: it makes the ids of two programs equal for the same verdict.
_NAMESPACE: Final = uuid.UUID("5f0c9a3e-6f0b-4c53-8f5a-6d0f2b1c7e44")
_SLICES: Final[dict[Label, Attr]] = {
    Label.AGENT: Attr.AGENT_NAME,
    Label.PROMPT: Attr.PROMPT_NAME,
    Label.PROMPT_VERSION: Attr.PROMPT_VERSION,
    Label.GRAPH_VERSION: Attr.GRAPH_VERSION,
    Label.TOOL: Attr.TOOL_NAME,
    Label.TOOL_VERSION: Attr.TOOL_VERSION,
    Label.MODEL: Attr.REQUEST_MODEL,
    Label.TRACK: Attr.TRACK,
    Label.EVALUATION_SOURCE: Attr.EVALUATION_SOURCE,
    Label.EVALUATION_LABEL: Attr.EVALUATION_LABEL,
}


class ScoreError(AgentobsError):
    """A score that Langfuse did not take; the text names the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A Langfuse project: its base address and its API keys."""

    url: str
    public_key: str
    secret_key: str = field(repr=False)


def from_environment(environment: Mapping[str, str]) -> Credentials | None:
    """Read the project from `LANGFUSE_*`; None where no address is set. Raises ValueError naming what is missing."""
    url = environment.get(URL_VARIABLE, "")
    if not url.strip():
        return None
    address = base_address(url, URL_VARIABLE)
    public, secret = (environment.get(name, "").strip() for name in (PUBLIC_KEY_VARIABLE, SECRET_KEY_VARIABLE))
    for name, value in ((PUBLIC_KEY_VARIABLE, public), (SECRET_KEY_VARIABLE, secret)):
        if not value:
            raise ValueError(f"{URL_VARIABLE} is set but {name} is not; set it, or unset {URL_VARIABLE}")
    return Credentials(url=address, public_key=public, secret_key=secret)


def to_score(
    attributes: Mapping[str, Any], trace_id: str, span_id: str, *, environment: str = "", with_comment: bool = False
) -> dict[str, Any]:
    """Return the body of `POST /api/public/scores` for one evaluation event.

    Ids are lower-case hexadecimal and may be empty; without a trace the verdict is about the conversation. The score's
    id follows from target, name and source, so a repeated post changes nothing and a later verdict replaces the earlier
    one. The explanation may hold what users wrote and passes no redaction on this way: it goes only `with_comment`.
    Raises ValueError where the event names no evaluation, no verdict, or nothing it is about.
    """
    name = str(attributes.get(Attr.EVALUATION_NAME, ""))
    value, data_type = _verdict(name, attributes)
    target = _target(name, attributes, trace_id, span_id)
    source = str(attributes.get(Attr.EVALUATION_SOURCE, ""))
    score = {
        "id": str(uuid.uuid5(_NAMESPACE, "\n".join((*target.values(), name, source)))),
        "name": name,
        "value": value,
        "dataType": data_type,
        **target,
        "metadata": {str(entry): str(attributes[key]) for entry, key in _SLICES.items() if key in attributes},
    }
    if environment:
        score["environment"] = valid_environment(environment)
    if with_comment and (explanation := attributes.get(Attr.EVALUATION_EXPLANATION)):
        score["comment"] = str(explanation)
    return score


def valid_environment(name: str) -> str:
    """Return the environment's name as Langfuse stores it, as the spans' has it: [a-z0-9_-], at most 40 characters."""
    return re.sub("[^a-z0-9_-]+", "-", name.lower())[:40]


def _verdict(name: str, attributes: Mapping[str, Any]) -> tuple[float | str, str]:
    if not name:
        raise ValueError(f"the evaluation has no {Attr.EVALUATION_NAME}; set it")
    value, label = attributes.get(Attr.EVALUATION_SCORE), attributes.get(Attr.EVALUATION_LABEL)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value), "NUMERIC"
    if label:
        return str(label), "CATEGORICAL"
    raise ValueError(f"evaluation {name!r} has no verdict; set {Attr.EVALUATION_SCORE} or {Attr.EVALUATION_LABEL}")


def _target(name: str, attributes: Mapping[str, Any], trace_id: str, span_id: str) -> dict[str, str]:
    if trace_id.strip("0"):
        return {"traceId": trace_id, **({"observationId": span_id} if span_id.strip("0") else {})}
    if conversation := attributes.get(Attr.CONVERSATION_ID):
        return {"sessionId": str(conversation)}
    raise ValueError(
        f"evaluation {name!r} is about nothing that Langfuse knows; record it inside a span or a conversation"
    )
