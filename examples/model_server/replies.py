"""A reply in the shape of each wire format, as one document or as a stream: chat completions, responses, messages."""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

TOO_MANY_REQUESTS = 429
ANSWERING_MODEL = "gpt-4.1-mini-2025-04-14"  # what the provider says it used: never what was asked for
Call = tuple[str, dict[str, Any]]
_IDS = count(1)


@dataclass
class Reply:
    """What the model says: text, or tool calls."""

    text: str | None
    calls: list[Call]
    usage: dict[str, int]
    number: int = field(default_factory=lambda: next(_IDS))

    def call_id(self, i: int) -> str:
        """The id of a tool call."""
        return f"call_{self.number:03d}{i}"


def failure(path: str, status: int) -> bytes:
    """An error in the words of the provider."""
    kind = "rate_limit_error" if status == TOO_MANY_REQUESTS else "server_error"
    message = "Rate limit reached, try again" if status == TOO_MANY_REQUESTS else "The server had an error"
    error = {"type": kind, "message": message}
    body = {"type": "error", "error": error} if path.endswith("/messages") else {"error": {**error, "code": kind}}
    return json.dumps(body).encode()


def render(path: str, body: dict[str, Any], reply: Reply) -> tuple[bytes, str]:
    """The reply in the format of the path, as one document or as a stream."""
    if path.endswith("/responses"):
        document, events = _responses(body, reply)
    elif path.endswith("/messages"):
        document, events = _messages(body, reply)
    else:
        document, events = _chat(body, reply)
    if not body.get("stream"):
        return json.dumps(document).encode(), "application/json"
    lines = []
    for event in events:
        if "type" in event:
            lines.append(f"event: {event['type']}\n")
        lines.append(f"data: {json.dumps(event)}\n\n")
    if "object" in document and document["object"] == "chat.completion":
        lines.append("data: [DONE]\n\n")
    return "".join(lines).encode(), "text/event-stream"


def _chat(body: dict[str, Any], reply: Reply) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    calls = [
        {"id": reply.call_id(i), "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for i, (name, given) in enumerate(reply.calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if calls:
        message["tool_calls"] = calls
    used = reply.usage
    usage = {
        "prompt_tokens": used["input"],
        "completion_tokens": used["output"],
        "total_tokens": used["input"] + used["output"],
        "prompt_tokens_details": {"cached_tokens": used.get("cached", 0)},
        "completion_tokens_details": {"reasoning_tokens": used.get("reasoning", 0)},
    }
    reason = "tool_calls" if calls else "stop"
    base = {"id": f"chatcmpl-{reply.number}", "created": 1, "model": ANSWERING_MODEL}
    document = {
        **base,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage,
    }
    delta = {**message, **({"tool_calls": [{"index": i, **call} for i, call in enumerate(calls)]} if calls else {})}
    chunk = {**base, "object": "chat.completion.chunk"}
    events = [
        {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
    ]
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append({**chunk, "choices": [], "usage": usage})
    return document, events


def _responses(body: dict[str, Any], reply: Reply) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if reply.calls:
        output: list[dict[str, Any]] = [
            {
                "type": "function_call",
                "id": f"fc_{reply.number}{i}",
                "call_id": reply.call_id(i),
                "name": name,
                "arguments": json.dumps(given),
                "status": "completed",
            }
            for i, (name, given) in enumerate(reply.calls)
        ]
    else:
        content: list[dict[str, Any]] = [{"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}]
        output = [
            {
                "type": "message",
                "id": f"msg_{reply.number}",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
        ]
    used = reply.usage
    document = {
        "id": f"resp_{reply.number}",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": ANSWERING_MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": used["input"],
            "input_tokens_details": {"cached_tokens": used.get("cached", 0), "cache_write_tokens": 0},
            "output_tokens": used["output"],
            "output_tokens_details": {"reasoning_tokens": used.get("reasoning", 0)},
            "total_tokens": used["input"] + used["output"],
        },
    }
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**document, "status": "in_progress", "output": [], "usage": None}}
    ]
    for i, item in enumerate(output):
        nothing: dict[str, Any] = {"arguments": ""} if "arguments" in item else {"content": []}
        empty = {**item, "status": "in_progress", **nothing}
        events.append({"type": "response.output_item.added", "output_index": i, "item": empty})
        if item["type"] == "function_call":
            at = {"item_id": item["id"], "output_index": i}
            events += [
                {"type": "response.function_call_arguments.delta", **at, "delta": item["arguments"]},
                {"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"]},
            ]
        else:
            at = {"item_id": item["id"], "output_index": i, "content_index": 0}
            part = item["content"][0]
            events += [
                {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
                {"type": "response.output_text.delta", **at, "delta": reply.text, "logprobs": []},
                {"type": "response.output_text.done", **at, "text": reply.text, "logprobs": []},
                {"type": "response.content_part.done", **at, "part": part},
            ]
        events.append({"type": "response.output_item.done", "output_index": i, "item": item})
    events.append({"type": "response.completed", "response": document})
    return document, [{**event, "sequence_number": i} for i, event in enumerate(events)]


def _messages(body: dict[str, Any], reply: Reply) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    content: list[dict[str, Any]] = [
        {"type": "tool_use", "id": reply.call_id(i), "name": name, "input": given}
        for i, (name, given) in enumerate(reply.calls)
    ] or [{"type": "text", "text": reply.text}]
    used = reply.usage
    # Anthropic's input does not hold what came from the cache.
    usage = {
        "input_tokens": used["input"] - used.get("cached", 0),
        "cache_read_input_tokens": used.get("cached", 0),
        "cache_creation_input_tokens": 0,
        "output_tokens": used["output"],
    }
    reason = "tool_use" if reply.calls else "end_turn"
    base = {"id": f"msg_{reply.number}", "type": "message", "role": "assistant", "model": body["model"]}
    document = {**base, "content": content, "stop_reason": reason, "stop_sequence": None, "usage": usage}
    start = {**base, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 0}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for i, block in enumerate(content):
        text = block["type"] == "text"
        empty = {**block, "text": ""} if text else {**block, "input": {}}
        delta = (
            {"type": "text_delta", "text": reply.text}
            if text
            else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        )
        events += [
            {"type": "content_block_start", "index": i, "content_block": empty},
            {"type": "content_block_delta", "index": i, "delta": delta},
            {"type": "content_block_stop", "index": i},
        ]
    ending = {"stop_reason": reason, "stop_sequence": None}
    events += [{"type": "message_delta", "delta": ending, "usage": usage}, {"type": "message_stop"}]
    return document, events
