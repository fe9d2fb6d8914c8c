"""Rule tests as data: cases in Python, run by the real promtool, one verdict per case.

A case of an alert feeds the series that the alert reads (recorded series for most), a case of a recording rule feeds
raw series. promtool runs all cases of a file at once; its JUnit report says which failed.
"""

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import toolchain
from alerts.alerting import command
from alerts.evidence import rules_of
from collector.document import to_yaml
from support.rule_graph import needed


@dataclass(frozen=True, kw_only=True)
class Fired:
    """An alert that is expected, by its labels (without alertname) and its annotations (without links and command)."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class AlertCase:
    """Whether `alert` fires `at` a time after the start, given `series` in promtool's notation, one value a minute.

    `expect` is empty for a case in which it must not fire.
    """

    alert: str
    name: str
    series: Mapping[str, str]
    at: str
    expect: Sequence[Fired] = ()


@dataclass(frozen=True, kw_only=True)
class RecordCase:
    """The samples `record` has `at` a time, by labels, given `series`, a value and an evaluation every `interval`."""

    record: str
    name: str
    series: Mapping[str, str]
    at: str
    expect: Mapping[str, float] = field(default_factory=dict)
    interval: str = "1m"
    select: str = ""  # matchers: which of the record's samples are meant


@dataclass(frozen=True, kw_only=True)
class Question:
    """Queries that must each return something `at` a time, given `series` and the rules of `alert`."""

    alert: str
    name: str
    series: Mapping[str, str]
    at: str
    queries: Sequence[str]


Case = AlertCase | RecordCase
_VARIABLE = re.compile(r"\{\{ with \$labels\.(\w+) \}\}&var-(\w+)=\{\{ \. \| urlquery \}\}\{\{ end \}\}")


def title(case: Case) -> str:
    return f"{case.alert if isinstance(case, AlertCase) else case.record}: {case.name}"


def _document(case: Case, links: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    series = [{"series": name, "values": values} for name, values in case.series.items()]
    if isinstance(case, RecordCase):
        samples = [{"labels": f"{case.record}{labels}", "value": value} for labels, value in case.expect.items()]
        return {
            "name": title(case),
            "interval": case.interval,
            "input_series": series,
            "promql_expr_test": [{"expr": f"{case.record}{case.select}", "eval_time": case.at, "exp_samples": samples}],
        }
    alerts = [
        {"exp_labels": dict(fired.labels), "exp_annotations": {**fired.annotations, **_links(case, fired, links)}}
        for fired in case.expect
    ]
    return {
        "name": title(case),
        "interval": "1m",
        "input_series": series,
        "alert_rule_test": [{"alertname": case.alert, "eval_time": case.at, "exp_alerts": alerts}],
    }


def _links(case: AlertCase, fired: Fired, links: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The links of the alert with the labels filled in; that they are right is a test of its own. And its command."""

    def fill(found: re.Match[str]) -> str:
        value = fired.labels.get(found[1])
        return f"&var-{found[2]}={value}" if value else ""

    (also,) = {(*each.by, *each.also) for each in rules_of(case.alert)}
    said = command.line(case.alert, {label: fired.labels.get(label, "") for label in also})
    return {"command": said, **{key: _VARIABLE.sub(fill, text) for key, text in links[case.alert].items()}}


def verdicts(
    groups: Sequence[Mapping[str, Any]], cases: Iterable[Case], folder: Path, interval: str = "15s"
) -> dict[str, str]:
    """What promtool says of every case, by `title`: empty where it passed, else the difference.

    Cases run with the rules that concern them alone, as promtool would evaluate all rules for every case. A recording
    rule brings those it reads along, unless the case feeds what they record.
    """
    parts: dict[tuple[str, str, frozenset[str], str], list[Case]] = {}
    for case in cases:
        if isinstance(case, AlertCase):
            parts.setdefault((case.alert, interval, frozenset(), ""), []).append(case)
        else:
            fed = frozenset(name.split("{")[0] for name in case.series)
            parts.setdefault((case.record, case.interval, fed, case.select), []).append(case)
    for number, ((name, every, fed, select), mine) in enumerate(parts.items()):
        if isinstance(mine[0], AlertCase):
            kept = _only(groups, "alert", {name})
        else:
            kept = [{**group, "interval": every} for group in needed(groups, name, fed, select=select)]
        _write(kept, mine, folder / str(number), every)
    return _report(folder, len(parts))


def unanswered(groups: Sequence[Mapping[str, Any]], questions: Iterable[Question], folder: Path) -> dict[str, str]:
    """What promtool says of questions that nothing was returned for, or that it refused, by their names."""
    parts: dict[str, list[Question]] = {}
    for question in questions:
        parts.setdefault(question.alert, []).append(question)
    for number, (name, mine) in enumerate(parts.items()):
        _put(_only(groups, "alert", {name}), [_asked(each) for each in mine], folder / str(number), "15s")
    return {name: said for name, said in _report(folder, len(parts)).items() if said}


def _asked(question: Question) -> dict[str, Any]:
    """How many samples there are differs; that there is any counts."""
    yes = [{"labels": "{}", "value": 1}]
    return {
        "name": question.name,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in question.series.items()],
        "promql_expr_test": [
            {"expr": f"count({query}) > bool 0", "eval_time": question.at, "exp_samples": yes}
            for query in question.queries
        ],
    }


def _only(groups: Sequence[Mapping[str, Any]], kind: str, names: Collection[str]) -> list[dict[str, Any]]:
    kept = [{**group, "rules": [rule for rule in group["rules"] if rule.get(kind) in names]} for group in groups]
    return [group for group in kept if group["rules"]]


def _write(groups: Sequence[Mapping[str, Any]], cases: Sequence[Case], folder: Path, interval: str) -> None:
    links = {
        rule["alert"]: {key: rule["annotations"][key] for key in ("runbook_url", "dashboard_url")}
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    }
    _put(groups, [_document(case, links) for case in cases], folder, interval)


def _put(
    groups: Sequence[Mapping[str, Any]], documents: Sequence[Mapping[str, Any]], folder: Path, interval: str
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yml").write_text(to_yaml({"groups": [dict(group) for group in groups]}))
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": interval,
        "fuzzy_compare": True,
        "tests": [dict(document) for document in documents],
    }
    (folder / "tests.yml").write_text(to_yaml(tests))


def _report(folder: Path, parts: int) -> dict[str, str]:
    """One promtool for all parts: its start costs more than most of them."""
    binary = toolchain.require(["promtool"])["promtool"]
    files = [f"{number}/tests.yml" for number in range(parts)]
    command = [str(binary), "test", "rules", "--junit=report.xml", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = folder / "report.xml"
    assert report.exists(), f"promtool made no report:\n{done.stdout}{done.stderr}"
    found = {}
    for case in ET.fromstring(report.read_text()).iter("testcase"):  # noqa: S314 promtool wrote it
        failure = case.find("failure")
        found[str(case.get("name"))] = "" if failure is None else (failure.get("message") or "") + (failure.text or "")
    return found
