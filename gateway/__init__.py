"""The MCP gateway: who may call which tool, how often, how long, how large and for how much money.

One pure policy core (`gateway.policy`) and three places where it is mounted. What runs inside an agent is in the SDK
(`agentobs.guard`).
"""
