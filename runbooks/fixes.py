"""What usually mends it, the first thing first. Sentences with the names filled in; the runbooks say how."""

from collections.abc import Mapping
from typing import Final

from runbooks.report import Culprit, Origin

_OF_DIMENSION: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": (
        "Compare a failing trace of {version} with a good one of {previous} before anybody edits the prompt again.",
        "Roll the prompt of {whose} back from {version} to {previous}.",
        "Mend the prompt against the golden dataset, not in production.",
    ),
    "tool": (
        "Roll the tool {whose} back from {version} to {previous}.",
        "If it cannot go back: let agents use another tool, or switch it off.",
        "Compare the schemas that both versions list; a changed argument breaks callers that were not changed.",
    ),
    "model": (
        "Put {whose} back on {previous}.",
        "If {previous} is gone: take the fallback model, and lower the limit of output tokens.",
        "Replay the golden dataset on {version} before it gets traffic again.",
    ),
    "graph": (
        "Roll the graph of {whose} back from {version} to {previous}.",
        "Lower the limit of rounds per task until it is back.",
        "Look in a failing trace for the edge that sends work back.",
    ),
}
_OF_ORIGIN: Final[Mapping[Origin, tuple[str, ...]]] = {
    Origin.DATA_DRIFT: (
        "Do not roll a version back: all versions got worse on the new inputs.",
        "Look at traces of the new kind of task, and route them to people until agents can handle them.",
        "Add such tasks to the golden dataset, then improve the prompts against it.",
    ),
    Origin.ENVIRONMENT: (
        "No version is to blame: look at what {whose} depends on (backend, provider, credentials, quota, network).",
        "Take load off it: fewer retries, the fallback tool or model, or switch it off.",
        "Compare a failing trace with a good one from before.",
    ),
}


def of(origin: Origin, culprit: Culprit | None, whose: str) -> list[str]:
    """Return the fixes for a cause."""
    if culprit is None:
        return [text.format(whose=whose) for text in _OF_ORIGIN[origin]]
    return [
        text.format(whose=whose, version=culprit.version, previous=culprit.previous)
        for text in _OF_DIMENSION[culprit.dimension]
    ]
