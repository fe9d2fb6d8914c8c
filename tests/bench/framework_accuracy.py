"""How right the counts of every recorded framework are, value by value: a table of frameworks and values.

    make bench-frameworks

Each cell says how many values of the run are right of those that its truth has: as exported / with the SDK's processor.
A value that no span tells (`support.untold`) counts as wrong in a cell; the last lines say how many those are.
"""

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from support.accuracy import RUNS, WITH_EVENTS, Counted, Value, Way, counted_by_a_collector, expected, wrong
from support.untold import off

COLUMNS = ("tasks", "model calls", "input tokens", "output tokens", "cached tokens", "tool calls", "tools failed",
           "tools timed out", "tools retried", "of agents")  # fmt: skip
_WAYS = {Way.PLAIN: "as exported", Way.WITH_SDK: "with the SDK's processor"}


def column(value: Value) -> str:
    """The column of a value: per agent apart, for that is another question."""
    return "of agents" if value.agent else "tasks" if value.what.startswith("tasks") else value.what


def cells(counted: Mapping[str, Mapping[Value, float]], name: str) -> dict[str, str]:
    """Right and all values of a run by column."""
    want = expected(name)
    differing = wrong(want, counted[name])
    right: dict[str, int] = defaultdict(int)
    every: dict[str, int] = defaultdict(int)
    for value in {*want, *differing}:
        every[column(value)] += 1
        right[column(value)] += value not in differing
    return {one: f"{right[one]}/{every[one]}" for one in every}


def row(counted: Counted, name: str) -> str:
    """One line of the table; a dash where the run was not played that way."""
    both = [cells(counted[way], name) if name in counted[way] else {} for way in Way]
    shown = (" · ".join(dict.fromkeys(found.get(one, "-") for found in both)) for one in COLUMNS)
    return f"| {name} | {' | '.join(shown)} |"


def told(counted: Counted, way: Way, names: list[str]) -> str:
    """How many values that spans tell are right, and how many no span tells."""
    found = {name: off(counted, name, way) for name in names}
    tells = sum(len(values) for _, values in found.values())
    wrongly = sum(len(differing) for differing, _ in found.values())
    every = sum(len(expected(name)) for name in names)
    return f"{_WAYS[way]}: {tells - wrongly} of {tells} values that spans tell are right; {every - tells} are not told"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        counted = counted_by_a_collector(Path(folder))
    print(f"| run | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for name in RUNS:
        print(row(counted, name))
    print()
    print(told(counted, Way.PLAIN, RUNS))
    print(told(counted, Way.WITH_SDK, WITH_EVENTS))


if __name__ == "__main__":
    main()
