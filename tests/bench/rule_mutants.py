"""Changes every rule in every way a careless edit could, and prints which changes no rule test notices.

Recording rules are counted by the functions that write them: a change there changes the rules of all KPIs, and is
noticed if it is noticed in one of them.

`PYTHONPATH=tests python tests/bench/rule_mutants.py [--kind comparator] [--rule ToolIdle] [--alerts]`; some minutes.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from rules import kills
from rules.kills import Result, Workbench
from support import promtool

# What a case must look like to notice a change.
HINTS = {
    "comparator": "values on the other side, and exactly on the threshold",
    "threshold": "a value between the threshold and half or double of it",
    "window": "an increment between the window and half or double of it ago",
    "offset": "a past value that differs from that at half and double the offset",
    "for": "looks shortly before and shortly after `for` is over",
    "keep_firing_for": "recovers, and looks shortly before and after",
    "operand": "only this operand false, the others true",
    "swap": "sides of different values",
    "severity": "fires, with exact labels",
    "grouping": "two series that differ in this label only",
    "matcher": "a series that the matcher leaves out",
}


def main() -> None:
    options = _options()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        cases = kills.cases()
        bench = Workbench(cases)
        wanted = [
            each
            for each in kills.mutants()
            if options.kind in {"", each.kind}
            and options.rule in each.name
            and not (options.alerts and "record" in each.rule)
        ]
        results = kills.run_families(wanted, Path(folder), bench)
    for case in bench.broken:
        print(f"fails on the rules as they are, left out: {promtool.title(case)}")
    _survivors(results)
    _table(results)
    print(f"{len(cases)} cases, {len(bench.broken)} of them failing, {time.monotonic() - started:.0f} s")
    sys.exit(bool(bench.broken))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="", choices=["", *HINTS])
    parser.add_argument("--rule", default="", help="part of the name of the rules to change")
    parser.add_argument("--alerts", action="store_true", help="change alerts only")
    return parser.parse_args()


def _survivors(results: Iterable[Result]) -> None:
    for result in results:
        if not result.killed:
            mutant = result.mutant
            needed = HINTS[mutant.kind] if result.cases else "any case at all"
            print(f"ALIVE {mutant}\n      {mutant.rule['expr']}\n      needs a case: {needed}")


def _table(results: Iterable[Result]) -> None:
    by_kind: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        what = "alerts" if "alert" in result.mutant.rule else "recording"
        by_kind[what, result.mutant.kind].append(result)
        by_kind[what, "all"].append(result)
    print(f"{'rules':10} {'change':16} {'changes':>8} {'killed':>8} {'share':>7} {'untested':>9}")
    for (what, kind), found in sorted(by_kind.items()):
        killed = sum(result.killed for result in found)
        untested = sum(not result.cases for result in found)
        share = killed / len(found)
        print(f"{what:10} {kind:16} {len(found):8} {killed:8} {share:7.1%} {untested:9}")


if __name__ == "__main__":
    main()
