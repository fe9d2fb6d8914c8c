"""Annotations of alerts as committed text, so that a changed word shows in review: `rules.write_golden`.

The file is written from what promtool renders, and read by people before it is committed; the tests compare with it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from support.promtool import AlertCase, Fired, title, verdicts

GOLDEN = Path(__file__).parents[1] / "rules" / "golden"
_LINKS = {"command", "runbook_url", "dashboard_url"}
_GOT = re.compile(r"got:\[(.*)\]", re.DOTALL)
_ALERT = re.compile(r"Labels:\{(.*?)\}\s*Annotations:\{(.*?)\}(?=\s*(?:\d+:|$|\]))", re.DOTALL)
_PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def load(name: str) -> dict[str, list[dict[str, str]]]:
    """Annotations by title of the case, in the order in which promtool sorts the alerts."""
    return dict(yaml.safe_load((GOLDEN / f"{name}.yaml").read_text()))


def filled(cases: Iterable[AlertCase], name: str) -> tuple[AlertCase, ...]:
    """The cases with the committed annotations in place."""
    texts = load(name)
    return tuple(
        replace(
            case,
            expect=tuple(
                Fired(labels=fired.labels, annotations=annotations)
                for fired, annotations in zip(case.expect, texts[title(case)], strict=True)
            ),
        )
        if case.expect
        else case
        for case in cases
    )


def write(cases: Iterable[AlertCase], name: str, groups: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write what promtool renders for the cases that fire, matched to their labels."""
    firing = [case for case in cases if case.expect]
    empty = [replace(case, expect=()) for case in firing]
    said = verdicts(groups, empty, folder)
    texts = {
        title(case): [_annotations(said[title(case)], fired, title(case)) for fired in case.expect] for case in firing
    }
    GOLDEN.mkdir(exist_ok=True)
    text = yaml.safe_dump(texts, sort_keys=True, allow_unicode=True, width=120)
    (GOLDEN / f"{name}.yaml").write_text("# Written by rules.write_golden; read it before you commit it.\n" + text)


def _annotations(said: str, fired: Fired, where: str) -> dict[str, str]:
    got = _GOT.search(said)
    assert got, f"{where}: did not fire\n{said}"
    for labels, annotations in _ALERT.findall(got.group(1)):
        found = {key: _plain(value) for key, value in _PAIR.findall(labels)}
        if {**fired.labels, "alertname": found["alertname"]} == found:
            return {key: _plain(value) for key, value in _PAIR.findall(annotations) if key not in _LINKS}
    raise AssertionError(f"{where}: no alert with labels {dict(fired.labels)} in\n{said}")


def _plain(text: str) -> str:
    return text.encode().decode("unicode_escape").encode("latin-1", "ignore").decode() if "\\" in text else text
