"""Runs mutants of rules against the cases of the rule tests: a mutant that changes no verdict shows a missing case.

Cases are the `CASES` of the modules beside this one. A mutant meets those cases that its rule can influence. promtool
gets many small files at once, each with the few rules that its cases need.
"""

import importlib
import json
import subprocess
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rules.mutants import Document, Mutant, of
from support import promtool
from support.promtool import AlertCase, Case, RecordCase

import toolchain
from alerts import rules
from alerts.lint.tree import parse, selectors

BATCH = 40
PROCESSES = 2
WAVE = 120
# Cases of recording rules that are near in the chain; what a rule breaks further away, it breaks here first.
_MOST_CASES = 12


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a mutant: how many cases it met, and whether one of them noticed."""

    mutant: Mutant
    cases: int
    killed: bool


def cases() -> tuple[Case, ...]:
    """The cases of all modules of rule tests that are there; other modules have tables of other things."""
    modules = sorted(path for path in Path(__file__).parent.glob("test_*.py") if "\nCASES" in path.read_text())
    found = (case for path in modules for case in importlib.import_module(f"rules.{path.stem}").CASES)
    return tuple(case for case in found if isinstance(case, AlertCase | RecordCase))


def groups() -> list[Document]:
    """All rule groups of production."""
    return [*rules.recording_groups(), *rules.alert_groups()]


def mutants() -> list[Mutant]:
    """All mutants of production rules, in the order of the rules."""
    return [mutant for group in groups() for mutant in of(group)]


@cache
def _read(expr: str) -> frozenset[str]:
    return frozenset(selector.name or "" for selector in selectors(parse(expr)))


def _name(series: str) -> str:
    return series.split("{", 1)[0].strip()


class Workbench:
    """The rules and cases at hand, and which of them belong together."""

    def __init__(self, every: Sequence[Case]) -> None:
        self.groups = groups()
        self.links = {
            rule["alert"]: {key: rule["annotations"][key] for key in ("runbook_url", "dashboard_url")}
            for group in self.groups
            for rule in group["rules"]
            if "alert" in rule
        }
        self.recording: dict[str, list[Document]] = defaultdict(list)
        for rule in (rule for group in self.groups for rule in group["rules"] if "record" in rule):
            self.recording[rule["record"]].append(rule)
        self.by_rule: dict[str, list[Case]] = defaultdict(list)
        for case in every:
            for name in self._influences(case):
                self.by_rule[name].append(case)

    def _influences(self, case: Case) -> list[str]:
        """Rules that can change what a case sees: its own, and for a recorded series all that it is made from."""
        if isinstance(case, AlertCase):
            return [case.alert]
        return list(self._chain(case))

    def _chain(self, case: Case) -> dict[str, None]:
        """Recorded series behind the one of a case, itself first; those that the case gives are not made."""
        given = {_name(series) for series in case.series}
        chain: dict[str, None] = {}
        todo = [case.record]
        while todo:
            name = todo.pop(0)
            if name in chain:
                continue
            chain[name] = None
            read = [other for rule in self.recording[name] for other in sorted(_read(rule["expr"]))]
            todo += [other for other in read if other in self.recording and other not in given]
        return chain

    def cases_for(self, mutant: Mutant) -> list[Case]:
        """Cases that the mutated rule concerns, its own first."""
        found = self.by_rule[mutant.name]
        own = [case for case in found if getattr(case, "record", mutant.name) == mutant.name]
        return [*own, *(case for case in found if case not in own)][: max(_MOST_CASES, len(own))]

    def document(self, mutant: Mutant | None, case: Case) -> list[Document]:
        """The groups that a case needs, with the mutant in its place."""
        alerts = isinstance(case, AlertCase)
        live = frozenset() if alerts else self._live(case)
        kept = []
        for group in self.groups:
            chosen = []
            for index, rule in enumerate(group["rules"]):
                wanted = rule.get("alert") == case.alert if alerts else (rule.get("record") and rule["expr"] in live)
                if wanted:
                    mine = mutant is not None and (group["name"], index) == (mutant.group, mutant.index)
                    chosen.append(mutant.rule if mine else rule)
            if chosen:
                kept.append({**group, "rules": chosen})
        return kept

    def _live(self, case: Case) -> frozenset[str]:
        """Expressions that the case's record is made from and that have something to read."""
        chain, there = self._chain(case), {_name(series) for series in case.series}
        rules_ = [rule for name in chain for rule in self.recording[name]]
        live: set[str] = set()
        while True:
            found = {rule["expr"] for rule in rules_ if not _read(rule["expr"]) or _read(rule["expr"]) & there}
            there |= {rule["record"] for rule in rules_ if rule["expr"] in found}
            if found == live:
                return frozenset(live)
            live = found


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file of tests: cases with the same rules."""

    key: int
    rules: Sequence[Document]
    cases: Sequence[Case]


def run(every: Sequence[Mutant], folder: Path, bench: Workbench) -> list[Result]:
    """What became of each mutant.

    Most mutants fall to the first case or two, if these are well chosen. So a wave of mutants meets one case each, the
    one whose like has killed most so far; those alive meet the next, then two, then four.
    """
    skill = _Skill()
    results: list[Result] = []
    for start in range(0, len(every), WAVE):
        results += _wave(every[start : start + WAVE], folder / f"{start}", bench, skill)
    return results


def _wave(every: Sequence[Mutant], folder: Path, bench: Workbench, skill: "_Skill") -> list[Result]:
    met = [bench.cases_for(mutant) for mutant in every]
    left = {key: list(concerned) for key, concerned in enumerate(met) if concerned}
    killed: set[int] = set()
    count = 0
    while left:
        jobs: list[Job] = []
        for key, concerned in left.items():
            concerned.sort(key=lambda case, mutant=every[key]: skill.rank(mutant, case))
            chosen = concerned[: max(1, 2 ** (count - 1))]
            del concerned[: len(chosen)]
            jobs += _jobs(key, every[key], chosen, bench)
        failed = _failed(jobs, folder / f"round-{count}", bench)
        for job in jobs:
            skill.learn(every[job.key], job.cases, killed=job.key in failed)
        killed |= failed
        left = {key: concerned for key, concerned in left.items() if concerned and key not in failed}
        count += 1
    return [
        Result(mutant=mutant, cases=len(concerned), killed=key in killed)
        for key, (mutant, concerned) in enumerate(zip(every, met, strict=True))
    ]


class _Skill:
    """How often cases of a name have killed mutants of a kind: cases of one name are alike for all rules."""

    def __init__(self) -> None:
        self.tried: dict[tuple[str, str], float] = defaultdict(float)
        self.killed: dict[tuple[str, str], float] = defaultdict(float)

    def learn(self, mutant: Mutant, met: Sequence[Case], *, killed: bool) -> None:
        for case in met:
            self.tried[self._key(mutant, case)] += 1 / len(met)
            self.killed[self._key(mutant, case)] += killed / len(met)

    def rank(self, mutant: Mutant, case: Case) -> float:
        key = self._key(mutant, case)
        # Unknown: a case that expects something sees more than one that expects nothing.
        prior = 0.6 if case.expect else 0.4
        return -(self.killed[key] + prior) / (self.tried[key] + 1)

    @staticmethod
    def _key(mutant: Mutant, case: Case) -> tuple[str, str]:
        what = mutant.what.split(" in ")[0].split(":")[0] if mutant.kind in {"comparator", "operand"} else ""
        return mutant.kind + what, case.name


def broken(every: Sequence[Case], folder: Path, bench: Workbench) -> list[Case]:
    """Cases that fail on the rules as they are: they would kill every mutant and prove nothing."""
    jobs = [Job(key=key, rules=bench.document(None, case), cases=[case]) for key, case in enumerate(every)]
    return [every[key] for key in sorted(_failed(jobs, folder, bench))]


def _jobs(key: int, mutant: Mutant, concerned: Sequence[Case], bench: Workbench) -> Iterator[Job]:
    """Cases that need the same rules share a file."""
    shared: dict[str, tuple[list[Document], list[Case]]] = {}
    for case in concerned:
        needed = bench.document(mutant, case)
        shared.setdefault(json.dumps(needed), (needed, []))[1].append(case)
    yield from (Job(key=key, rules=needed, cases=together) for needed, together in shared.values())


def _failed(jobs: Sequence[Job], folder: Path, bench: Workbench) -> set[int]:
    """Keys of the jobs of which a case failed."""
    batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = pool.map(lambda numbered: _batch(numbered[1], folder / f"{numbered[0]}", bench), enumerate(batches))
        return {key for keys in found for key in keys}


def _batch(jobs: Sequence[Job], folder: Path, bench: Workbench) -> set[int]:
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, job in enumerate(jobs):
        (folder / f"rules-{number}.yml").write_text(json.dumps({"groups": job.rules}))
        tests = {
            "rule_files": [f"rules-{number}.yml"],
            "evaluation_interval": "15s",
            "tests": [promtool._document(case, bench.links) for case in job.cases],
        }
        names.append(f"tests-{number}.yml")
        (folder / names[-1]).write_text(json.dumps(tests))
    binary = toolchain.require(["promtool"])["promtool"]
    command = [str(binary), "test", "rules", "--junit=report.xml", *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    verdicts = _verdicts(folder / "report.xml")
    missing = [name for name in names if name not in verdicts]
    assert not missing, f"promtool said nothing of {missing}:\n{done.stdout}{done.stderr}"
    return {job.key for job, name in zip(jobs, names, strict=True) if verdicts[name]}


def _verdicts(report: Path) -> Mapping[str, bool]:
    """By file: whether anything failed in it, a rule that does not load included."""
    found: dict[str, Any] = {}
    for suite in ET.fromstring(report.read_text()).iter("testsuite"):  # noqa: S314 our own report
        name = Path(str(suite.get("name"))).name
        found[name] = any(True for kind in ("failure", "error") for _ in suite.iter(kind))
    return found
