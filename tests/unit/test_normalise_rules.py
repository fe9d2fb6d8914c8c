"""Rules of the normaliser that need no collector: patterns, guards, order."""

import re

import pytest

from agentobs.contract import Attr, Label
from collector import normalise
from collector.normalise import calls, errors


@pytest.fixture(scope="module")
def groups():
    return normalise.processor([{"statements": ["a price"]}])["trace_statements"]


@pytest.mark.parametrize(
    ("error_type", "expected"),
    [
        ("TimeoutError", "timeout"),
        ("httpx.ReadTimeout", "timeout"),
        ("openai.APITimeoutError", "timeout"),
        ("-32001", "timeout"),
        ("504", "timeout"),
        ("-32012", "timeout"),
        ("-32011", "rate_limited"),
        ("-32016", "blocked"),
        ("-32018", "blocked"),
        ("-32010", "blocked"),
        ("agentobs.guard.codes.RefusedError", "blocked"),
        ("agentobs.pins.pins.KilledError", "blocked"),
        ("-32013", None),
        ("-32014", None),
        ("-320161", None),
        ("DEADLINE_EXCEEDED", "timeout"),
        ("openai.RateLimitError", "rate_limited"),
        ("429", "rate_limited"),
        ("asyncio.CancelledError", "cancelled"),
        ("builtins.ValueError", "invalid_input"),
        ("-32602", "invalid_input"),
        ("tool_error", "tool_error"),
        ("MCP_TOOL_ERROR", "tool_error"),
        ("ToolExecutionError", "tool_error"),
        ("pydantic_ai.exceptions.ToolRetryError", "tool_error"),
        ("KeyError", None),
        ("1504", None),
    ],
)
def test_error_types_fall_into_the_first_class_that_matches(error_type, expected):
    matched = [name for name, pattern in errors.ERROR_CLASSES if re.search(pattern, error_type)]
    assert (matched[0] if matched else None) == expected


@pytest.mark.parametrize(
    "kind", ["_OTHER", "McpError", "mcp.shared.exceptions.McpError", "MCPError", "a.ToolRetryError"]
)
def test_a_vague_type_says_nothing(kind):
    assert re.search(errors.VAGUE_TYPE, kind)


@pytest.mark.parametrize("kind", ["KeyError", "TimeoutError", "openai.RateLimitError", "OtherError"])
def test_a_telling_type_is_not_vague(kind):
    assert not re.search(errors.VAGUE_TYPE, kind)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("Error executing tool lookup: boom", True),
        ('{"content": "Error executing tool lookup", "type": "tool"}', True),
        ("[{'type': 'text', 'text': 'Error executing tool lookup'}]", True),
        ('{"type": "tool", "data": {"content": "Error executing tool lookup: no"}}', True),
        (
            '{"output": {"lc": 1, "id": ["ToolMessage"], "kwargs": {"content": "Error executing tool lookup: no"}}}',
            True,
        ),
        ('{"orders": [{"error": "an order may have one"}]}', False),
        ("Error from MCP tool 'lookup': no", True),
        ("Tool execution failed: no", True),
        ('{"error": "no such order"}', True),
        ('{"error": null, "order": 7}', False),
        ('{"error": ""}', False),
        ("The runbook says: Error executing tool means a restart", False),
        ('{"order": 7, "note": "no error"}', False),
    ],
)
def test_a_failed_result_is_told_by_its_beginning(text, failed):
    assert bool(re.search(errors.FAILED_RESULT, text)) is failed


@pytest.mark.parametrize(
    ("model", "route"),
    [("openai/gpt-4.1", "openai"), ("vertex_ai/gemini-3", "vertex_ai"), ("meta-llama/Llama-4", None)],
)
def test_only_a_known_route_is_taken_off_a_model_s_name(model, route):
    found = re.match(calls.ROUTE, model)
    assert (found["route"] if found else None) == route


def test_every_copy_of_an_attribute_is_guarded_against_writing_nothing(groups):
    statements = [statement for group in groups for statement in group["statements"]]
    copies = [s for s in statements if re.match(r"set\([a-z]+\.attributes\[[^\]]+\], [a-z]+\.(attributes|cache)\[", s)]
    assert len(copies) > 40
    for statement in copies:
        source = re.match(r"set\([^,]+, ([a-z]+\.[a-z]+\[[^\]]+\](?:\[[^\]]+\])*)", statement)[1]
        assert f"{source} != nil" in statement or f"IsInt({source})" in statement, statement


def test_every_group_of_spans_has_a_condition(groups):
    free = [group["statements"] for group in groups if "conditions" not in group]
    assert [len(statements) for statements in free] == [1, 1]
    assert free[0][0].startswith("set(resource.attributes"), "runs once per resource, not per span"
    assert free[1] == ["a price"]


def test_prices_come_after_names_and_before_error_classes(groups):
    price = next(i for i, group in enumerate(groups) if group["statements"] == ["a price"])
    touching = {
        key: [
            i for i, group in enumerate(groups) if any(f'"{key}"' in s.split(" where ")[0] for s in group["statements"])
        ]
        for key in (Attr.REQUEST_MODEL, Attr.INPUT_TOKENS, Label.ERROR_CLASS)
    }
    assert max(touching[Attr.REQUEST_MODEL] + touching[Attr.INPUT_TOKENS]) < price < min(touching[Label.ERROR_CLASS])
