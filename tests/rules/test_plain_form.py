"""The form of the rules for stores that do not know `anchored`: what is left of it, and what precision it costs."""

import subprocess

import pytest
import yaml

import toolchain
from alerts import promql, rules
from collector.document import to_yaml

_EXACT = "sum(increase(c_total[5m] anchored))"


def test_every_rule_has_a_plain_form_that_promtool_accepts(tmp_path):
    groups = [*rules.recording_groups(), *rules.alert_groups()]
    file = tmp_path / "rules.yaml"
    file.write_text(to_yaml({"groups": [rules.in_plain_form(group) for group in groups]}))
    assert "anchored" not in file.read_text()
    assert len(yaml.safe_load(file.read_text())["groups"]) == len(groups)
    promtool = toolchain.require(["promtool"])["promtool"]
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Step between samples in seconds, values, and what 100 events count as: exactly, and in the plain form.
PRECISION = {
    "a burst inside the window, a sample a second: 0.3 % too many": (1, "1000x400 1100x200", 100, 100 * 300 / 299),
    "a burst inside the window, a sample each 15 s: 5 % too many": (15, "1000x30 1100x20", 100, 100 * 300 / 285),
    "a burst in the step at the border of the window: none": (15, "1000x20 1100x30", 100, 0),
    "a steady stream: the same": (15, "0+5x60", 100, 100),
}


@pytest.mark.parametrize("case", PRECISION)
def test_the_plain_form_guesses_at_the_borders_of_a_window(tmp_path, case):
    step, values, exact, plain = PRECISION[case]
    expected = {_EXACT: exact, promql.plain(_EXACT): plain}
    document = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": f"{step}s",
                "input_series": [{"series": "c_total", "values": values}],
                "promql_expr_test": [
                    {"expr": f"round({expr}, 0.001)", "eval_time": "10m", "exp_samples": [_sample(value)]}
                    for expr, value in expected.items()
                ],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(to_yaml(document))
    promtool = toolchain.require(["promtool"])["promtool"]
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _sample(value: float) -> dict[str, object]:
    return {"labels": "{}", "value": round(value, 3)}
