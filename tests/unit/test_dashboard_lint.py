"""All boards keep the seventeen rules, and each rule notices a board that does not."""

import copy
import re

import pytest

from dashboards import documents
from dashboards.documents import Sites
from dashboards.lint import ALERTS_OWN, EXCLUDED, RULES, check, lint

BOARDS = documents.provisioned(Sites(), editable=False)


def panel(board, kind="timeseries"):
    return next(each for each in board["panels"] if each["type"] == kind)


def put(expr):
    def change(board):
        panel(board)["targets"][0]["expr"] = expr

    return change


def logs(expr):
    def change(board):
        source = {"type": "loki", "uid": "${loki}"}
        panel(board)["targets"] = [{"refId": "A", "datasource": source, "expr": expr}]

    return change


def variable(name, **changes):
    def change(board):
        next(each for each in board["templating"]["list"] if each["name"] == name).update(changes)

    return change


def without_variables(kind):
    def change(board):
        kept = [each for each in board["templating"]["list"] if each["type"] != kind]
        board["templating"]["list"] = kept

    return change


def set_panel(**changes):
    return lambda board: panel(board).update(changes)


BREAKS = {
    "template-datasource-rule": [without_variables("datasource"), variable("datasource", label="")],
    "template-job-rule": [lambda _: None],
    "template-instance-rule": [lambda _: None],
    "template-label-promql-rule": [
        variable("environment", query={"query": "label_values(x{, environment)"}),
        variable("environment", query={"query": "query_result(up)"}),
    ],
    "template-on-time-change-reload-rule": [variable("environment", refresh=1)],
    "panel-datasource-rule": [
        set_panel(datasource={"type": "prometheus", "uid": "prom"}),
        lambda board: panel(board)["targets"][0].update(datasource={"type": "prometheus", "uid": "prom"}),
    ],
    "panel-title-description-rule": [set_panel(title=""), set_panel(description="")],
    "panel-units-rule": [lambda board: panel(board)["fieldConfig"]["defaults"].update(unit="percents")],
    "panel-no-targets-rule": [set_panel(targets=[])],
    "target-logql-rule": [logs("level=error"), logs('{app="x" | json')],
    "target-logql-auto-rule": [logs('{app="x"} |= "[5m]"')],
    "target-promql-rule": [put("sum(up"), put("up{environment=$environment}")],
    "target-rate-interval-rule": [put("sum(rate(agentic_task_calls_total[5m]))")],
    "target-job-rule": [put("up")],
    "target-instance-rule": [put("up")],
    "target-counter-agg-rule": [put("sum(agentic_task_calls_total)")],
    "uneditable-dashboard-rule": [lambda board: board.update(editable=True)],
}


def test_there_are_seventeen_rules_and_four_are_excluded_with_a_reason():
    assert len(RULES) == 17
    assert BREAKS.keys() == RULES.keys()
    assert EXCLUDED.keys() == {rule for rule in RULES if re.search("job|instance", rule)}
    assert all(len(reason) > 40 for reason in (*EXCLUDED.values(), *ALERTS_OWN.values()))


@pytest.mark.parametrize("slug", BOARDS)
def test_a_board_keeps_the_rules(slug):
    assert lint(BOARDS[slug]) == []


@pytest.mark.parametrize(("rule", "change"), [(rule, each) for rule, changes in BREAKS.items() for each in changes])
def test_a_rule_notices(rule, change):
    board = copy.deepcopy(BOARDS["agent"])
    change(board)
    found = check(rule, board)
    assert found
    assert {each.rule for each in found} == {rule}
    assert all(each.message and each.board == "agentobs-agent" for each in found)


@pytest.mark.parametrize("rule", ALERTS_OWN)
def test_an_alerts_own_expression_is_let_pass_where_others_are_not(rule):
    assert check(rule, BOARDS["platform"]) == []
    assert [*RULES[rule](BOARDS["platform"])] != []
