"""Delivery: immutable releases of prompt, tool, model and graph, where each runs, and what moves it.

Above `runbooks` and `alerts`, below `gateway` and `stacks`. What runs inside an agent is in the SDK
(`agentobs.pins`, `agentobs.guard`).
"""
