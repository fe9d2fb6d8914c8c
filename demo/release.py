"""Write what the sample system ships as a folder that `agentobs release build` takes: one scenario's versions."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml

from demo.scenarios import SCENARIOS, Conditions
from demo.servers import Launch, ToolServer
from demo.system import PROVIDER, TOOLS_OF, WORKFLOW, AgentName, ServerName, prompt_text

_CALLS: Final = {
    AgentName.ROUTER: [AgentName.PLANNER],
    AgentName.PLANNER: [AgentName.EXECUTOR],
    AgentName.EXECUTOR: [AgentName.CRITIC],
    AgentName.CRITIC: [AgentName.EXECUTOR],
}


def write(folder: Path, scenario: str) -> None:
    """Write release.yaml, graph.yaml, prompts/ and tools/; the tool lists are asked of the real servers."""
    conditions = SCENARIOS[scenario].after
    name = WORKFLOW if scenario == "healthy" else f"{WORKFLOW}-{scenario}"
    _yaml(folder / "release.yaml", _versions(name, conditions))
    graph = {"workflow": WORKFLOW, "version": conditions.graph_version, "max_rounds": conditions.max_rounds}
    _yaml(folder / "graph.yaml", {**graph, "calls": {str(a): [*map(str, to)] for a, to in _CALLS.items()}})
    for agent, version in conditions.prompts.items():
        file = folder / "prompts" / agent / f"{version}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(prompt_text(agent, version), encoding="utf-8")
    (folder / "tools").mkdir(exist_ok=True)
    for server, listed in asyncio.run(_tool_lists(conditions)).items():
        text = json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
        (folder / "tools" / f"{server}.json").write_text(text, encoding="utf-8")


def _versions(name: str, conditions: Conditions) -> dict[str, Any]:
    tools = {
        f"{server}/{tool}": spec.version
        for server, spec in conditions.servers.items()
        for tool in TOOLS_OF[ServerName(server)]
    }
    agents = {
        str(agent): {
            "prompt_version": conditions.prompts[agent],
            "model": conditions.models[agent].name,
            **({"tools": tools} if agent is AgentName.EXECUTOR else {}),
        }
        for agent in AgentName
    }
    return {"name": name, "author": "support", "provider": PROVIDER, "agent": agents}


async def _tool_lists(conditions: Conditions) -> dict[str, Any]:
    """What each server answers, by its name."""
    with tempfile.TemporaryDirectory(prefix="agentobs-demo-") as scratch:
        launch = Launch(
            folder=Path(scratch), environment="local", endpoint=None, seed=1, time_scale=0.0, on_start=lambda *_: None
        )
        servers = [ToolServer(name, spec, launch) for name, spec in conditions.servers.items()]
        await asyncio.gather(*(server.start() for server in servers))
        lists = {str(server.name): _listed(server) for server in servers}
        await asyncio.gather(*(server.stop() for server in servers))
    return lists


def _listed(server: ToolServer) -> dict[str, Any]:
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in server.tools]
    return {"server": {"name": str(server.name), "version": server.version}, "tools": tools}


def _yaml(file: Path, document: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
