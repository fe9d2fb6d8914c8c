"""The line that an alert carries: what Prometheus makes of a hostile name, a shell takes for one word."""

import subprocess
from pathlib import Path

import pytest
from support.promtool import AlertCase, Fired, title, verdicts

from alerts import rules
from alerts.alerting import command
from collector.quotes import quoted

NAMES = (
    "order_lookup", "$(touch ran)", "`touch ran`", "it's", "'; touch ran; '", "a b", "-e", "a\nb", "!!", "\\", '"',
    "x\x03y", "{{ 1 }}", "é ☃", "~", "a=b", "*", "&", "#x",
)  # fmt: skip
LEFT = {"a\nb": "a?b", "x\x03y": "x?y"}
"""A shell is never given a sign that ends a line or a paste."""
RULE = next(rule for group in rules.alert_groups() for rule in group["rules"] if rule.get("alert") == "ToolFailing")


def _case(name):
    labels = f'{{environment="prod",tool_name={quoted(name)}}}'
    shown = {"severity": "page", "owner": "agents", "family": "tools", "environment": "prod", "tool_name": name}
    return AlertCase(
        alert="ToolFailing",
        name=f"about {name!r}",
        series={f"kpi:tool_success:ratio5m{labels}": "0.5x9", f"kpi:tool_success:events5m{labels}": "100x9"},
        at="8m",
        expect=(Fired(labels=shown, annotations={}),),
    )


def test_prometheus_fills_in_what_the_text_of_it_says(tmp_path):
    """The case expects what `command.line` says of those labels, word for word."""
    annotations = {"command": RULE["annotations"]["command"], "runbook_url": "r", "dashboard_url": "d"}
    labels = {key: text for key, text in RULE["labels"].items() if key != "kpi"}
    groups = [{"name": "one", "rules": [{**RULE, "labels": labels, "annotations": annotations}]}]
    cases = [_case(name) for name in NAMES]
    said = verdicts(groups, cases, tmp_path)
    assert {title(case): "" for case in cases} == dict(said)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_takes_a_name_for_one_word_and_runs_nothing(tmp_path: Path, shell, name):
    (tmp_path / "agentobs").write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    (tmp_path / "agentobs").chmod(0o755)
    line = command.line("ToolFailing", {"tool_name": name, "environment": name})
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([shell, "-c", line], cwd=tmp_path, env=path, capture_output=True, check=True)
    kept = LEFT.get(name, name)
    assert done.stdout.decode().split("\0")[:-1] == ["runbooks", "run", "ToolFailing", "-e", kept, f"tool_name={kept}"]
    assert not (tmp_path / "ran").exists()
