"""The MCP servers' tools as a pydantic-ai toolset: schemas from `tools/list`, one span per attempt.

Own toolset because the framework's adds a second client library between agent and MCP SDK, with spans of its own.
"""

import asyncio
from typing import Any

from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from agentobs import emit
from demo.servers import ToolCallError
from demo.state import TaskRun
from demo.system import MAX_TOOL_ATTEMPTS, AgentName, ToolName
from demo.truth import ToolAttempt

# The server validates arguments by its own schema; doing it twice would hide what the server says.
_ANY_ARGUMENTS = SchemaValidator(core_schema.dict_schema())


class McpToolset(AbstractToolset[TaskRun]):
    """The tools of all servers in the task's world."""

    @property
    def id(self) -> str:
        """Name of this toolset."""
        return "mcp"

    async def get_tools(self, ctx: RunContext[TaskRun]) -> dict[str, ToolsetTool[TaskRun]]:
        """Return what the servers listed when they started."""
        return {
            tool.name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=tool.name, description=tool.description, parameters_json_schema=tool.input_schema
                ),
                # The agent's own policy decides when to stop; the framework's limit is only a backstop.
                max_retries=2 * MAX_TOOL_ATTEMPTS,
                args_validator=_ANY_ARGUMENTS,
            )
            for server in ctx.deps.world.servers.values()
            for tool in server.tools
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[TaskRun], tool: ToolsetTool[TaskRun]
    ) -> str:
        """Make one attempt. A failed one goes back to the model as ModelRetry."""
        del tool
        run, called = ctx.deps, ToolName(name)
        run.world.require_alive(AgentName.EXECUTOR, called)
        server = run.server_of(called)
        attempt = run.attempts(called)
        fallback_from = run.fallback_from.get(called)
        reason = run.last_error if attempt else None
        emit.annotate_tool(version=server.version, attempt=attempt, fallback_from=fallback_from, reason=reason)
        run.tried(called)
        run.task.retries += attempt > 0
        error = ""
        try:
            result = await server.call(name, tool_args)
        except ToolCallError as failure:
            error = failure.error_type
            raise ModelRetry(f"{name} failed: {failure}") from failure
        except asyncio.CancelledError:
            error = "cancelled"
            raise
        finally:
            if error:
                emit.annotate_error(error)
                run.last_error = error
            made = ToolAttempt(
                tool=name,
                version=server.version,
                error=error,
                is_retry=attempt > 0,
                is_fallback=fallback_from is not None,
            )
            run.truth.tool(run.slices(AgentName.EXECUTOR), made)
        run.step_done(result)
        return result
