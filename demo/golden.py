"""The support desk as a system under test: one case at a time, its tools as MCP servers that somebody hands it.

`agentobs golden run demo.golden:healthy examples/golden/support-desk`; any scenario goes by its name, with underscores:
`demo.golden:prompt_regression`. Models are simulated, so a change of prompt, model or graph shows without a live one.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import mcp_types
from mcp import MCPError
from mcp.client import Client
from mcp.server import Server

from demo import agents
from demo.scenarios import HEALTHY, SCENARIOS, Conditions
from demo.servers import ToolCallError, text_of
from demo.state import World
from demo.system import SERVICE, ServerName, TaskType
from demo.truth import Truth
from demo.workflow import Desk, handle
from demo.workload import Request


class Case(Protocol):
    """What a case gives."""

    input: Any
    seed: int
    servers: Mapping[str, Server[Any]]


@dataclass(slots=True)
class Given:
    """A tool server that was handed over."""

    client: Client
    version: str = ""
    tools: list[mcp_types.Tool] = field(default_factory=list)

    async def list(self) -> None:
        """Ask for its version and tools."""
        self.tools = (await self.client.list_tools()).tools
        self.version = self.client.server_info.version if self.client.server_info else ""

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """Call a tool and return its text. Raises ToolCallError for every way this can fail."""
        try:
            return await text_of(self.client, tool, arguments)
        except MCPError as error:
            raise ToolCallError(str(error.error.code), error.error.message) from error


class SupportDesk:
    """The desk under some conditions; called with a case, it returns the answer to the customer."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._agents = agents.build(content=True)

    async def __call__(self, case: Case) -> str:
        """Handle one request."""
        asked = Request(**{**case.input, "type": TaskType(case.input["type"])})
        desk = Desk(
            agents=self._agents,
            truth=Truth(environment="golden", service=SERVICE),
            seed=case.seed,
            time_scale=0.0,
        )
        async with AsyncExitStack() as open_ones:
            servers = {}
            for name, server in case.servers.items():
                given = Given(await open_ones.enter_async_context(Client(server)))
                await given.list()
                servers[ServerName(name)] = given
            return (await handle(desk, asked, World(self._conditions, servers))).answer


healthy: Final = SupportDesk(HEALTHY)


def __getattr__(name: str) -> SupportDesk:
    """The desk after the change of a scenario."""
    scenario = SCENARIOS.get(name.replace("_", "-"))
    if scenario is None:
        raise AttributeError(f"no scenario {name!r}; expected one of {', '.join(SCENARIOS)}")
    return SupportDesk(scenario.after)
