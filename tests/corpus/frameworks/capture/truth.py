"""What really happened, from the model server's and the tools' own records, never from telemetry."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from scenario import AGENTS, GRAPH_VERSION, PROMPT_VERSIONS, TASKS, TOOLS, owners

Numbers = dict[str, int]
MODEL_KEYS = ("model_calls", "model_ok", "model_failed", "http_attempts", "throttled")
TOKEN_KEYS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
TOOL_KEYS = ("calls", "ok", "failed", "timed_out", "retries")


def _models(records: list[dict[str, Any]]) -> Numbers:
    """Calls as the program made them. What a client repeats by itself is an attempt, not a call."""
    numbers: Counter[str] = Counter(dict.fromkeys(MODEL_KEYS + TOKEN_KEYS, 0))
    for record in records:
        numbers["http_attempts"] += 1
        numbers["model_calls"] += not record["repeated"]
        numbers["model_ok"] += record["status"] == 200
        numbers["throttled"] += record["status"] == 429
        for key, value in record.get("usage", {}).items():
            numbers[f"{key}_tokens"] += value
    numbers["model_failed"] = numbers["model_calls"] - numbers["model_ok"]
    return dict(numbers)


def _tools(records: list[dict[str, Any]], *, waited_for: bool) -> dict[str, Numbers]:
    """Calls of each tool; a call after a failed one of the same tool and topic is a retry."""
    found: dict[str, Counter[str]] = defaultdict(lambda: Counter(dict.fromkeys(TOOL_KEYS, 0)))
    failed: set[tuple[str, str]] = set()
    for record in records:
        tool, outcome = record["tool"], record["outcome"]
        if outcome == "started":
            outcome = "ok" if waited_for else "timed_out"
        numbers = found[tool]
        numbers["calls"] += 1
        numbers[outcome] += 1
        numbers["retries"] += (tool, record["topic"]) in failed
        if outcome != "ok":
            failed.add((tool, record["topic"]))
    return {tool: dict(found[tool]) for tool in TOOLS if tool in found}


def _sum(parts: list[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = _sum([total.get(key, {}), value]) if isinstance(value, dict) else total.get(key, 0) + value
    return total


def build(
    models: list[dict[str, Any]], tool_log: Path, tasks: dict[str, dict[str, Any]], stated: dict[str, Any]
) -> dict[str, Any]:
    """The truth of one capture; `stated` are the versions that the program put into its telemetry."""
    owner = owners()
    tools = [json.loads(line) for line in tool_log.read_text().splitlines()]
    waited = {(r["task"], r["agent"]) for r in models if r["slow_answered"]}
    rows = {}
    for task in tasks:
        for agent in AGENTS:
            made = [r for r in models if (r["task"], r["agent"]) == (task, agent)]
            used = [r for r in tools if owner[r["topic"]] == (task, agent)]
            if made or used:
                rows[task, agent] = {**_models(made), "tools": _tools(used, waited_for=(task, agent) in waited)}
    handed = Counter(r["agent"] for r in models if r.get("handed_over"))
    return {
        "agents": {
            agent: {"handovers": handed[agent], **_sum([row for (_, name), row in rows.items() if name == agent])}
            for agent in AGENTS
            if any(name == agent for _, name in rows)
        },
        "tasks": {
            task: {
                "team": TASKS[task].team,
                **ending,
                "agents": {agent: row for (name, agent), row in rows.items() if name == task},
            }
            for task, ending in sorted(tasks.items())
        },
        "strangers": sum(r["agent"] is None or r["task"] is None for r in models),
        "stated": stated,
    }


def versions(*kinds: str) -> dict[str, Any]:
    """What a program may state: `prompt` (a version per agent) and `graph`."""
    known = {"prompt": PROMPT_VERSIONS, "graph": GRAPH_VERSION}
    return {kind: known[kind] for kind in kinds}
