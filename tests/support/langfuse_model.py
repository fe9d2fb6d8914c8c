"""What Langfuse 4.16 makes of one captured span: its documented mapping, reduced to what the tests ask.

Written down from outcomes of running Langfuse's own ingestion code; not its code. Scope-specific paths and pricing are
left out: a price from its table is the word "table", tokens it counts itself are "tokenised".
"""

import json
import math
import re
from typing import Any

PRICED = {"gpt-4o", "gpt-4o-2024-11-20"}
TYPES = ["span", "generation", "event", "embedding", "agent", "tool", "chain", "retriever", "guardrail", "evaluator"]
OPERATIONS = {
    **dict.fromkeys(("chat", "completion", "text_completion", "generate_content"), "GENERATION"),
    "embeddings": "EMBEDDING",
    "invoke_agent": "AGENT",
    "create_agent": "AGENT",
    "execute_tool": "TOOL",
}
MODEL_KEYS = ("langfuse.observation.model.name", "gen_ai.response.model", "gen_ai.request.model", "model")
USAGE = {
    "input_tokens": "input",
    "output_tokens": "output",
    "prompt": "input",
    "completion": "output",
    "cache_read.input_tokens": "input_cached_tokens",
    "cache_creation.input_tokens": "input_cache_creation",
    "reasoning.output_tokens": "output_reasoning_tokens",
}
RIVALS = (
    ("prompt", "all_messages_events"),
    ("events", "events"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("input.value", "output.value"),
    ("input", "output"),
    ("tool_arguments", "tool_response"),
)


class PoisonError(Exception):
    """Langfuse cannot write this row, nor any row of the same insert."""


def text(value: Any) -> Any:
    """A structured attribute is stored as raw protobuf text."""
    if isinstance(value, dict):
        return json.dumps({"kvlistValue": value})
    if isinstance(value, list) and not value:
        return '{"arrayValue":{}}'
    if isinstance(value, list):
        return json.dumps([text(item) for item in value])
    return value


def kind(a: dict[str, Any]) -> str:
    given = a.get("langfuse.observation.type")
    if given in TYPES:
        return str(given).upper()
    if found := {"LLM": "GENERATION", "CHAIN": "CHAIN", "AGENT": "AGENT", "TOOL": "TOOL"}.get(
        a.get("openinference.span.kind", "")
    ):
        return found
    if found := OPERATIONS.get(a.get("gen_ai.operation.name", "")):
        return found
    if a.get("gen_ai.tool.name") or a.get("gen_ai.tool.call.id"):
        return "TOOL"
    return "GENERATION" if any(a.get(key) for key in MODEL_KEYS) else "SPAN"


def sides(a: dict[str, Any]) -> tuple[Any, Any]:
    def pair(first: str, second: str) -> tuple[Any, Any] | None:
        return (text(a.get(first)), text(a.get(second))) if a.get(first) or a.get(second) else None

    if found := pair("langfuse.observation.input", "langfuse.observation.output"):
        return found
    for rivals in RIVALS:
        if found := pair(*rivals):
            return found
    for old_input, old_output in (
        ("gen_ai.prompt", "gen_ai.completion"),
        ("llm.input_messages", "llm.output_messages"),
    ):
        rebuilt = [{k[len(p) :]: v for k, v in a.items() if k.startswith(p)} for p in (old_input, old_output)]
        if any(rebuilt):
            return rebuilt[0], rebuilt[1]
    if found := pair("gen_ai.input.messages", "gen_ai.output.messages"):
        source, result = found
        system, tools = a.get("gen_ai.system_instructions"), a.get("gen_ai.tool.definitions")
        if source and system and '"system"' not in source:
            source = json.dumps([{"role": "system", "content": text(system)}, *json.loads(source)])
        return (json.dumps({"messages": json.loads(source), "tools": text(tools)}) if tools else source), result
    return pair("gen_ai.tool.call.arguments", "gen_ai.tool.call.result") or (None, None)


def from_event(events: list[dict[str, Any]]) -> tuple[Any, Any] | None:
    """The event with a model call's messages wins (over Langfuse's own keys too, as far as the tests go)."""
    for event in events:
        if event["name"] == "gen_ai.client.inference.operation.details":
            found = event["attributes"]
            return text(found.get("gen_ai.input.messages")), text(found.get("gen_ai.output.messages"))
    return None


def tokens(a: dict[str, Any]) -> dict[str, int]:
    if a.get("gen_ai.operation.name") == "invoke_agent":
        return {}
    if details := a.get("langfuse.observation.usage_details"):
        usage = {key: int(value) for key, value in json.loads(text(details)).items() if isinstance(value, int)}
    else:
        usage = {}
        for key, value in a.items():
            found = re.match(r"(?:gen_ai\.usage\.|llm\.token_count\.)(?!cost$)(.+)", key)
            if not found or isinstance(value, bool):
                continue
            number = 0.0 if math.isnan(float(value)) else float(value)
            if number == int(number):
                usage[USAGE.get(found[1], found[1])] = int(number)
        parts = usage.get("input_cached_tokens", 0) + usage.get("input_cache_creation", 0)
        if "input" in usage:
            usage["input"] = max(usage["input"] - parts, 0)
        if "output" in usage:
            usage["output"] = max(usage["output"] - usage.get("output_reasoning_tokens", 0), 0)
    return usage if "total" in usage or not usage else {**usage, "total": sum(usage.values())}


def money(a: dict[str, Any], usage: dict[str, int], model: str | None) -> Any:
    if a.get("gen_ai.operation.name") == "invoke_agent":
        return None
    details, cost = a.get("langfuse.observation.cost_details"), a.get("gen_ai.usage.cost")
    if isinstance(details, dict):
        raise PoisonError
    if isinstance(details, str) and details.startswith("{"):
        parsed = json.loads(details)
        if any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in parsed.values()):
            raise PoisonError
        known = parsed.keys() <= {"input", "output"}
        return parsed.get("total", sum(parsed.values()) if known else 0)
    if cost is not None:
        if isinstance(cost, bool) or not re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", str(cost)):
            raise PoisonError
        return float(cost)
    if model in PRICED:
        return "table" if usage else "tokenised"
    return None


def environment(a: dict[str, Any], r: dict[str, Any]) -> str:
    for key in ("langfuse.environment", "deployment.environment.name", "deployment.environment"):
        if value := a.get(key) or r.get(key):
            name = value.lower() if isinstance(value, str) else ""
            return name[:40] if re.fullmatch(r"[a-z0-9_-]+", name[:40]) else "default"
    return "default"


def prompt(a: dict[str, Any], observation: str) -> tuple[str | None, int | None]:
    if observation != "GENERATION":
        return None, None
    number = re.match(r"\d+", str(a.get("langfuse.observation.prompt.version", "")))
    version = int(number[0]) if number and int(number[0]) < 65536 else None
    return a.get("langfuse.observation.prompt.name"), version


def observe(span: dict[str, Any]) -> dict[str, Any]:
    """The row that Langfuse writes for a span, as far as the tests look. PoisonError: the insert is lost."""
    a, r = span["attributes"], span["resource"]
    observation, (source, result) = kind(a), from_event(span["events"]) or sides(a)
    is_agent = a.get("gen_ai.operation.name") == "invoke_agent"
    model = next((a[key] for key in MODEL_KEYS if a.get(key)), None) if not is_agent else None
    usage = tokens(a)
    tags = a.get("langfuse.trace.tags", a.get("langfuse.tags"))
    prefix = re.compile(r"langfuse\.(?:observation\.|trace\.)?metadata\.(.+)")
    found = {m[1]: v for k, v in a.items() if (m := prefix.match(k))}
    level = str(a.get("langfuse.observation.level", "")).upper()
    return {
        "type": observation,
        "name": a.get("gen_ai.tool.name") or a.get("logfire.msg") or span["name"],
        "input": source,
        "output": result,
        "usage": usage,
        "cost": money(a, usage, model),
        "model": model,
        "prompt": prompt(a, observation),
        "environment": environment(a, r),
        "version": a.get("langfuse.version") or r.get("service.version"),
        "release": a.get("langfuse.release") or r.get("langfuse.release"),
        "session": a.get("langfuse.session.id") or a.get("session.id") or a.get("gen_ai.conversation.id"),
        "user": a.get("langfuse.user.id") or a.get("user.id"),
        "tags": [text([])] if tags == [] else tags or [],
        "trace_name": a.get("langfuse.trace.name") or (span["name"] if not span["parent"] else None),
        "root": not span["parent"],
        "level": level or ("ERROR" if span["status"] == "error" else "DEFAULT"),
        "status_message": a.get("langfuse.observation.status_message") or span["message"] or None,
        "wiped": bool({"attributes", "scope"} & found.keys()),
        "metadata": found,
        "first_chunk": a.get("langfuse.observation.completion_start_time"),
    }
