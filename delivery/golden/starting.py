"""A first dataset to change, and what is worth saying of one that is not wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from delivery.golden import files
from delivery.golden.dataset import CASES, Dataset
from delivery.golden.errors import GoldenError

_ENOUGH: Final = 59
_FEW: Final = 10
SYSTEM: Final = "system.py"
_CASES: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": "greets",
        "input": {"text": "hello"},
        "expected_behavior": "Answers politely, without a tool.",
        "tools_allowed": [],
        "success_criteria": {"outcome": "success", "answer": {"contains": ["Hello"]}},
        "agent_path_expected": ["assistant"],
    },
    {
        "id": "says-what-it-cannot",
        "input": {"text": "cancel my order"},
        "expected_behavior": "Says that it cannot do this; calls nothing.",
        "tools_allowed": [],
        "success_criteria": {"outcome": "success", "answer": {"contains": ["cannot"], "absent": ["done"]}},
        "agent_path_expected": ["assistant"],
        "kind": "failure",
    },
)
_PROGRAM: Final = '''"""A system under test: `agentobs golden run system:answer .`, from this folder."""

from agentobs import emit


def answer(case):
    """Return the answer to one case; what it does is read from its spans."""
    with emit.task(workflow="desk", type="chat", graph_version="1"), emit.agent("assistant", emit.Prompt("desk", "1")):
        text = case.input["text"]
        return "Hello!" if text == "hello" else f"I cannot {text}."
'''


def write(folder: Path) -> list[Path]:
    """Write the files of a first dataset. Raises GoldenError where there is one."""
    if (folder / CASES).exists():
        raise GoldenError(f"{folder / CASES} exists; fix: another folder, or edit it")
    files.write(folder / CASES, "".join(json.dumps(case) + "\n" for case in _CASES).encode())
    if not (folder / SYSTEM).exists():
        files.write(folder / SYSTEM, _PROGRAM.encode())
    return [folder / CASES, folder / SYSTEM]


def warnings(dataset: Dataset) -> Iterator[str]:
    """What may be meant, and often is not."""
    yield from _rare_agents(dataset)
    if len(dataset.cases) < _ENOUGH:
        yield f"{len(dataset.cases)} cases: with fewer than {_ENOUGH} the gate cannot rule out a loss of 5 points"
    if dataset.lock is None:
        yield "not frozen: the gate takes frozen cases only (agentobs golden freeze)"
    surfaces = dataset.surfaces.values()
    offered = {str(tool.get("name")) for surface in surfaces for tool in surface.tools}
    for case in dataset.cases:
        if case.example.tape and (unknown := set(case.example.tools_allowed) - offered):
            yield f"{dataset.where(case)}: no server on tape offers {', '.join(sorted(unknown))}"


def _rare_agents(dataset: Dataset) -> Iterator[str]:
    """An agent that one case alone expects is often a slip of the pen; in few cases every agent is rare."""
    known = Counter(agent for case in dataset.cases for agent in set(case.example.agent_path_expected))
    for case in dataset.cases if len(dataset.cases) >= _FEW else ():
        for agent in sorted(set(case.example.agent_path_expected)):
            if known[agent] == 1:
                yield f"{dataset.where(case)}: no other case expects the agent {agent!r}; is the name right?"
