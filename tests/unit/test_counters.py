"""A query of recorded series asks the counters behind them the same, and leaves alone what only rules can know."""

import pytest

from alerts.evidence import of_counters
from alerts.promql import tree
from dashboards.boards import BOARDS
from dashboards.lib.model import Prom
from dashboards.lint.model import Target

# What a gateway refused is no call of the tool.
CALLS = 'agentic_tool_calls_total{error_class!="blocked",environment=~"$environment"}'
EVENTS = f"sum by (environment, tool_name) (increase({CALLS}[1h] anchored))"


def test_a_kpi_is_what_its_rule_would_record_narrowed_as_the_query_is():
    asked = 'sum by (tool_name) (last_over_time(kpi:tool_success:events1h{environment=~"$environment"}[$__range]))'
    assert of_counters(asked) == f"sum by (tool_name) (({EVENTS} > 0))"


def test_a_rule_that_reads_another_is_followed_down_to_counters():
    found = of_counters('kpi:tool_success:ratio1h{environment=~"$environment"}')
    assert "kpi:" not in found
    assert f"0 * ({EVENTS} > 0)" in found


@pytest.mark.parametrize(
    "expr",
    [
        "kpi:task_cost:mean1h offset 10m",
        "max_over_time(kpi:task_success:events1h[1d])",
        'ALERTS{alertname="kpi:task_success:events1h"}',
        "version:worsening1h",
        "kpi:tolerance",
        "kpi:task_success:objective",
        "up",
    ],
)
def test_what_was_recorded_before_and_what_only_labels_tell_apart_is_left_alone(expr):
    assert of_counters(expr) == expr


def test_a_version_in_use_is_read_only_of_owners_of_whom_none_is_recorded():
    found = of_counters('last_over_time(version:current{dimension=~"tool",environment=~"$environment"}[$__range])')
    assert "agentic_tool_calls_total" in found
    assert "agentic_llm_calls_total" not in found
    assert "unless on (dimension, environment, agent_name, prompt_name, tool_name, workflow) last_over_time" in found


def test_what_boards_ask_can_be_asked_of_counters():
    queries = [q for board in BOARDS for panel in board.panels() for q in panel.queries if isinstance(q, Prom)]
    changed = [of_counters(query.expr) for query in queries if of_counters(query.expr) != query.expr]
    assert len(changed) > 50
    for expr in changed:
        tree.parse(Target({}, {"expr": expr}).filled)
