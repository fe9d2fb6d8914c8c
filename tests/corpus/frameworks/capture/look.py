"""Look at a capture: `python look.py langgraph.openinference` prints its truth and its spans as trees."""

import json
import lzma
import sys
from collections import defaultdict
from typing import Any

from capture import RECORDED

SHOWN = (
    "openinference.span.kind",
    "gen_ai.operation.name",
    "agent.name",
    "gen_ai.agent.name",
    "graph.node.id",
    "tool.name",
    "gen_ai.tool.name",
    "llm.token_count.prompt",
    "gen_ai.usage.input_tokens",
    "error.type",
)


def spans(capture: str) -> dict[str, dict[str, Any]]:
    """Spans by id, from the log of starts and ends or, where there is none, from what was exported."""
    found: dict[str, dict[str, Any]] = {}
    with lzma.open(RECORDED / capture / "events.jsonl.xz", "rt") as lines:
        for line in map(json.loads, lines):
            found.setdefault(line["span"], {"status": "never ended"}).update(line)
    if found:
        return found
    with lzma.open(RECORDED / capture / "otlp.jsonl.xz", "rt") as lines:
        for line in map(json.loads, lines):
            for resource in line["request"].get("resourceSpans", []):
                for scope in resource["scopeSpans"]:
                    found |= {span["spanId"]: _exported(span) for span in scope["spans"]}
    return found


def _exported(span: dict[str, Any]) -> dict[str, Any]:
    attributes = {pair["key"]: next(iter(pair["value"].values()), None) for pair in span.get("attributes", [])}
    status = span.get("status", {}).get("code", "STATUS_CODE_UNSET").removeprefix("STATUS_CODE_")
    return {"name": span["name"], "parent": span.get("parentSpanId"), "attributes": attributes, "status": status}


def main(capture: str) -> None:
    """Print one capture."""
    truth = json.loads((RECORDED / capture / "truth.json").read_text())
    say = sys.stdout.write
    for agent, numbers in truth["agents"].items():
        say(f"{agent}: {numbers}\n")
    for task, numbers in truth["tasks"].items():
        say(f"{task}: {numbers['outcome']} {numbers.get('exception', '')}\n")
    found = spans(capture)
    children = defaultdict(list)
    for key, span in found.items():
        children[span["parent"] if span["parent"] in found else None].append(key)

    def show(key: str, depth: int) -> None:
        span = found[key]
        shown = {name: span["attributes"][name] for name in SHOWN if name in span["attributes"]}
        say(f"{'  ' * depth}{span['name'][:70]} | {span['status']} {shown}\n")
        for child in children[key]:
            show(child, depth + 1)

    for root in children[None]:
        show(root, 0)
    say(f"{len(children[None])} roots, {len(found)} spans\n")


if __name__ == "__main__":
    main(sys.argv[1])
