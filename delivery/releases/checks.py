"""What is allowed in a release and still deserves a second look."""

import json
from collections.abc import Iterator, Mapping

from delivery.releases.document import Release

_MOVING_MODEL = ("-latest", ":latest")
_LONGEST = 400_000  # characters of a prompt; about 100,000 tokens


def warnings(release: Release, texts: Mapping[str, str]) -> list[str]:
    """What a person should look at, a line each; `texts` are those of `build`, none for a release alone."""
    return [*_models(release), *_prompts(texts), *_tools(release, texts), *_limits(release)]


def _models(release: Release) -> Iterator[str]:
    for name, agent in sorted(release.agents.items()):
        if agent.model.id.endswith(_MOVING_MODEL):
            yield f"{name}: the model {agent.model.id} means another one tomorrow; pin a dated one"


def _prompts(texts: Mapping[str, str]) -> Iterator[str]:
    for what, text in texts.items():
        if what.startswith("prompt ") and len(text) > _LONGEST:
            yield f"{what} has {len(text):,} characters"


def _tools(release: Release, texts: Mapping[str, str]) -> Iterator[str]:
    """Definitions that a server may fill later: without a schema nothing is pinned."""
    used = {pin.schema_sha256 for agent in release.agents.values() for pin in agent.tools.values()}
    for what, text in texts.items():
        if what.startswith("tool ") and used and not json.loads(text).get("inputSchema"):
            yield f"{what} has no inputSchema: a change of its arguments would not be seen"


def _limits(release: Release) -> Iterator[str]:
    bare = sorted(name for name, agent in release.agents.items() if agent.limits is None)
    if bare:
        yield f"no limits of cost and calls: {', '.join(bare)}"
