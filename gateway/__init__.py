"""The MCP gateway: who may call which tool, how often, how long, how large and for how much money.

What decides is the SDK's `agentobs.guard`, which also runs inside agents. Here is what only a process between agents
and tool servers needs: files (`policy`, `pins`), callers (`identity`), servers (`upstream`), one call (`calls`) and
the way in (`serve`). Names of tools stay as they are; each server has an address of its own, `/mcp/<server>`.
"""
