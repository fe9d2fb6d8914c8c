"""Normaliser: one vocabulary for names, kinds, tokens, versions and error classes before anything is counted or stored.

Runs first in every pipeline. What it knows: the GenAI names of the last two years (`renames`), operations by other
names (`operations`), the dialects of instrumentations (`openinference`, `openllmetry`, `langfuse_sdk`, `ai_sdk`, `mcp`,
`frameworks`), tool calls that are none and model names with a route (`calls`), how a sender counts tokens (`usage`),
versions and their fallback (`versions`), failures (`errors`), tasks (`tasks`).
Not here: prices (handed in), labels, what is counted. The collector sees one span at a time and never its parents, so
scope, kind, operation and marker attributes decide; a span that needs no group pays one cheap condition for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.normalise import (
    ai_sdk,
    calls,
    errors,
    frameworks,
    langfuse_sdk,
    mcp,
    openinference,
    openllmetry,
    operations,
    records,
    renames,
    tasks,
    versions,
)


def processor(cost_groups: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Configuration of the `transform/normalise` processor.

    `cost_groups` are statement groups that price model calls: they run when names and tokens are canonical.
    """
    return {
        "error_mode": "ignore",
        "trace_statements": [
            *operations.groups(),
            *renames.groups(),
            *openinference.groups(),
            *openllmetry.groups(),
            *langfuse_sdk.groups(),
            *ai_sdk.groups(),
            *mcp.groups(),
            *frameworks.groups(),
            *calls.groups(),
            *versions.groups(),
            *(dict(group) for group in cost_groups),
            *errors.groups(),
            *tasks.groups(),
        ],
        "log_statements": records.groups(),
    }
