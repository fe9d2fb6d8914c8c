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
from pathlib import Path
from typing import Any

import promql_parser as pq
from rules.mutants import Document, Mutant, of
from support import promtool
from support.promtool import AlertCase, Case, RecordCase
from support.rule_graph import meets, needed, read

import toolchain
from alerts import rules

BATCH = 40
PROCESSES = 2
WAVE = 120
EVALUATED_EVERY = "15s"
# Cases that look at a day take their time; where such a case passes with fewer evaluations, these are enough. Steps
# are those of EVALUATED_EVERY.
_SELDOM = ((4000, "5m"), (400, "1m"))
# What a rule breaks in series that build on its own, it breaks in its own first.
_MOST_CASES = 24
# Members of a family that are tried, those with the most cases first.
_MOST_MEMBERS = 6
# So many evaluations make a case that kills for certain no better than a short one that never did.
_DEAR_STEPS = 5000


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


Place = tuple[str, int]
"""A rule by the name of its group and its place in it."""


def _name(series: str) -> str:
    return series.split("{", 1)[0].strip()


def _labels(series: str) -> dict[str, str]:
    return {matcher.name: matcher.value for matcher in pq.parse(series).matchers.matchers}


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
        self.recording = [group for group in self.groups if "record" in group["rules"][0]]
        self.alerting = [group for group in self.groups if group not in self.recording]
        self.loads = {id(case): self._loads(case) for case in every}
        self.needs = {id(case): self._live(case, exact=True) for case in every}
        self.may_need = {id(case): self._live(case, exact=False) for case in every}
        self.seldom = {id(case): _seldom(case) for case in every}
        self.sound: set[int] = set()
        self.broken: list[Case] = []
        self.every = every

    def cases_for(self, mutant: Mutant) -> list[Case]:
        """Cases that the mutated rule concerns, its own first."""
        place = mutant.group, mutant.index
        found = [case for case in self.every if place in self._needed(mutant, case)]
        found.sort(key=lambda case: (_subject(case) != mutant.name, place not in self.needs[id(case)]))
        return found[:_MOST_CASES]

    def document(self, mutant: Mutant | None, case: Case) -> list[Document]:
        """The groups that a case needs, with the mutant in its place."""
        kept: dict[str, list[Document]] = defaultdict(list)
        for group, index in sorted(self._needed(mutant, case), key=self._order):
            mine = mutant is not None and (group, index) == (mutant.group, mutant.index)
            kept[group].append(mutant.rule if mine else self._rule(group, index))
        return [{"name": name, "interval": self.interval(case), "rules": chosen} for name, chosen in kept.items()]

    def interval(self, case: Case) -> str:
        """How often rules are evaluated in a case."""
        return next(iter(self.seldom[id(case)]), _interval(case))

    def judge(self, case: Case, *, failed: bool) -> None:
        """What a case said of the rules as they are. One that fails proves nothing about mutants."""
        if not failed:
            self.sound.add(id(case))
        elif self.seldom[id(case)]:
            self.seldom[id(case)].pop(0)
        else:
            self.broken.append(case)

    def _needed(self, mutant: Mutant | None, case: Case) -> frozenset[Place]:
        # Without a matcher a rule may read what its case feeds to another.
        return (self.may_need if mutant is not None and mutant.kind == "matcher" else self.needs)[id(case)]

    def _loads(self, case: Case) -> frozenset[Place]:
        """Rules that the tests load for a case: where they stand."""
        if isinstance(case, AlertCase):
            return self._places(promtool._only(self.alerting, "alert", {case.alert}))
        fed = {_name(series) for series in case.series}
        return self._places(needed(self.recording, case.record, fed, exact=False))

    def _places(self, kept: Sequence[Document]) -> frozenset[Place]:
        chosen = {id(rule) for group in kept for rule in group["rules"]}
        return frozenset(
            (group["name"], index)
            for group in self.groups
            for index, rule in enumerate(group["rules"])
            if id(rule) in chosen
        )

    def _live(self, case: Case, *, exact: bool) -> frozenset[Place]:
        """Without what reads only series that are not there: it gives nothing, and takes time."""
        reads = {place: read(self._rule(*place)["expr"]) for place in self.loads[id(case)]}
        there = [(_name(series), _labels(series) if exact else {}) for series in case.series]
        live = {place for place in reads if not reads[place] or "absent" in self._rule(*place)["expr"]}
        todo = set(reads) - live
        new = there + [self._gives(place, exact=exact) for place in live]
        while new:
            found = {place for place in todo if any(meets(each, *given) for each in reads[place] for given in new)}
            new = [self._gives(place, exact=exact) for place in found]
            live |= found
            todo -= found
        return frozenset(live)

    def _gives(self, place: Place, *, exact: bool) -> tuple[str, Mapping[str, str]]:
        rule = self._rule(*place)
        return rule.get("record", ""), rule.get("labels", {}) if exact else {}

    def _rule(self, group: str, index: int) -> Document:
        return next(each for each in self.groups if each["name"] == group)["rules"][index]

    def _order(self, place: Place) -> tuple[int, int]:
        return next(number for number, each in enumerate(self.groups) if each["name"] == place[0]), place[1]


def _steps(case: Case) -> float:
    """How often rules are evaluated in a case: what it costs."""
    # The parser has no duration of nothing.
    return pq.parse_duration(case.at) / pq.parse_duration(_interval(case)) if case.at.lstrip("0")[0].isdigit() else 0


def _seldom(case: Case) -> list[str]:
    """Intervals of evaluation to try before the real one, the longest first."""
    return [interval for steps, interval in _SELDOM if isinstance(case, AlertCase) and _steps(case) > steps]


def _subject(case: Case) -> str:
    return case.alert if isinstance(case, AlertCase) else case.record


def _interval(case: Case) -> str:
    """How often rules are evaluated in a case."""
    return case.interval if isinstance(case, RecordCase) else EVALUATED_EVERY


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file of tests: cases with the same rules. `key` is the mutant's place in its wave, -1 for none."""

    key: int
    rules: Sequence[Document]
    cases: Sequence[Case]

    @property
    def label(self) -> int:
        return id(self)


def run_families(every: Sequence[Mutant], folder: Path, bench: Workbench) -> list[Result]:
    """What became of each family: killed if the cases of one member notice the change that made them all."""
    families: dict[tuple[str, ...], list[Mutant]] = defaultdict(list)
    for mutant in every:
        families[mutant.family].append(mutant)
    for members in families.values():
        members.sort(key=lambda mutant: -len(bench.cases_for(mutant)))
    results: dict[tuple[str, ...], Result] = {}
    for turn in range(_MOST_MEMBERS):
        alive = [key for key in families if key not in results or not results[key].killed]
        todo = [families[key][turn] for key in alive if turn < len(families[key])]
        for result in run(todo, folder / f"turn-{turn}", bench):
            if result.killed or turn == 0:
                results[result.mutant.family] = result
    return list(results.values())


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
    left = {key: list(concerned) for key, concerned in enumerate(met)}
    killed: set[int] = set()
    count = 0
    while any(left.values()):
        jobs: list[Job] = []
        for key, concerned in left.items():
            concerned.sort(key=lambda case, mutant=every[key]: skill.rank(mutant, case))
            chosen = concerned[: max(1, 2 ** (count - 1))]
            jobs += _jobs(key, every[key], chosen, bench)
        failed = _failed([*jobs, *_unmutated(jobs, bench)], folder / f"round-{count}", bench)
        for job in jobs:
            # Those that turned out to fail anyway, or to need more evaluations, are not done.
            done = [case for case in job.cases if id(case) in bench.sound]
            if len(done) == len(job.cases):
                skill.learn(every[job.key], done, killed=job.label in failed)
                killed |= {job.key} if job.label in failed else set()
                left[job.key] = [case for case in left[job.key] if case not in done]
        left = {
            key: [case for case in concerned if case not in bench.broken]
            for key, concerned in left.items()
            if key not in killed
        }
        count += 1
    return [
        Result(mutant=mutant, cases=len(concerned), killed=key in killed)
        for key, (mutant, concerned) in enumerate(zip(every, met, strict=True))
    ]


def _unmutated(jobs: Sequence[Job], bench: Workbench) -> list[Job]:
    """A job for every case that has not been tried on the rules as they are."""
    new = {id(case): case for job in jobs for case in job.cases if id(case) not in bench.sound}
    return [Job(key=-1, rules=bench.document(None, case), cases=[case]) for case in new.values()]


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
        return _steps(case) / _DEAR_STEPS - (self.killed[key] + prior) / (self.tried[key] + 1)

    @staticmethod
    def _key(mutant: Mutant, case: Case) -> tuple[str, str]:
        what = mutant.what.split(" in ")[0].split(":")[0] if mutant.kind in {"comparator", "operand"} else ""
        return mutant.kind + what, case.name


def _jobs(key: int, mutant: Mutant, concerned: Sequence[Case], bench: Workbench) -> Iterator[Job]:
    """Cases that need the same rules share a file."""
    shared: dict[str, tuple[list[Document], list[Case]]] = {}
    for case in concerned:
        needed = bench.document(mutant, case)
        shared.setdefault(json.dumps(needed), (needed, []))[1].append(case)
    yield from (Job(key=key, rules=needed, cases=together) for needed, together in shared.values())


def _failed(jobs: Sequence[Job], folder: Path, bench: Workbench) -> set[int]:
    """Labels of the jobs of which a case failed; what the unmutated ones say is noted at the bench."""
    batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = pool.map(lambda numbered: _batch(numbered[1], folder / f"{numbered[0]}", bench), enumerate(batches))
        failed = {label for labels in found for label in labels}
    for job in jobs:
        if job.key < 0:
            bench.judge(job.cases[0], failed=job.label in failed)
    return failed


def _batch(jobs: Sequence[Job], folder: Path, bench: Workbench) -> set[int]:
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, job in enumerate(jobs):
        (folder / f"rules-{number}.yml").write_text(json.dumps({"groups": job.rules}))
        tests = {
            "rule_files": [f"rules-{number}.yml"],
            "evaluation_interval": bench.interval(job.cases[0]),
            "fuzzy_compare": True,
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
    return {job.label for job, name in zip(jobs, names, strict=True) if verdicts[name]}


def _verdicts(report: Path) -> Mapping[str, bool]:
    """By file: whether anything failed in it, a rule that does not load included."""
    found: dict[str, Any] = {}
    for suite in ET.fromstring(report.read_text()).iter("testsuite"):  # noqa: S314 our own report
        name = Path(str(suite.get("name"))).name
        found[name] = any(True for kind in ("failure", "error") for _ in suite.iter(kind))
    return found
