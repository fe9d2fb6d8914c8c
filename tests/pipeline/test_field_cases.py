"""What users met in public is counted as it happened: model calls, tokens, money, tools, failures, outcomes.

One real collector with the built-in prices; the cases are in `support/field_cases.py`.
"""

from collections import Counter

import pytest
from support.families import families
from support.field_cases import CASES, requests

from agentobs.contract import Attr, Label
from collector import check, cost, normalise, prices
from collector.cost import Authority


@pytest.fixture(scope="module")
def collected(through):
    collector, capture = through({"transform/normalise": normalise.processor(cost.cost_groups(prices.load()))})
    sent = 0
    for case in CASES:
        for request in requests(case):
            assert collector.send(request).ok
            sent += 1
    capture.wait(lambda c: len(c.spans), sent)
    assert "failed to" not in collector.log
    found = {}
    for span in capture.spans:
        found.setdefault(span["resource"]["deployment.environment.name"], []).append(span)
    return found


def of_family(spans, family):
    return [span["attributes"] for span in spans if family in families(span)]


def total(spans, key):
    return sum(attributes.get(key, 0) for attributes in spans)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_model_calls_tokens_and_money(collected, case):
    calls = of_family(collected[case.id], "llm")
    assert len(calls) == case.calls
    assert (total(calls, Attr.INPUT_TOKENS), total(calls, Attr.OUTPUT_TOKENS)) == case.tokens
    assert total(calls, Attr.COST) == pytest.approx(case.usd, rel=1e-9)
    assert sum(Attr.COST_UNPRICED in call for call in calls) == case.unpriced
    assert sum(Attr.USAGE_DOUBTFUL in call for call in calls) == case.doubtful
    assert sum(Attr.COST_DIFFERS in call for call in calls) == case.differs
    assert Counter(call[Label.ERROR_CLASS] for call in calls) == case.classes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_tools_and_outcomes(collected, case):
    tools, tasks = (of_family(collected[case.id], family) for family in ("tool", "task"))
    assert Counter((tool[Attr.TOOL_NAME], tool[Label.ERROR_CLASS]) for tool in tools) == case.tools
    assert Counter(task[Attr.TASK_OUTCOME] for task in tasks) == case.outcomes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_counting_cannot_make_right_is_told_and_nothing_else(collected, case):
    traces = {}
    for span in collected[case.id]:
        traces.setdefault(span["trace"], []).append(read(span))
    looks = (check.twice, check.scattered, check.beyond, check.unread)
    found = Counter()
    for finding in (finding for look in looks for finding in look(traces.values())):
        found[finding.kind] += finding.count
    assert found == case.told


def read(span):
    return check.Span(
        trace_id=span["trace"],
        span_id=span["id"],
        parent_id=span["parent"],
        kind=span["kind"],
        failed=span["status"] == "error",
        start=span["start"] / 1e9,
        end=span["end"] / 1e9,
        attributes=span["attributes"],
        resource=span["resource"],
        name=span["name"],
        scope=span["scope"],
    )


def test_the_sender_is_the_authority_where_a_setting_says_so(through):
    groups = cost.cost_groups(prices.load(), Authority.SENDER)
    collector, capture = through({"transform/normalise": normalise.processor(groups)})
    (case,) = (each for each in CASES if each.differs)
    sent = requests(case)
    for request in sent:
        assert collector.send(request).ok
    capture.wait(lambda c: len(c.spans), len(sent))
    assert [span["attributes"][Attr.COST] for span in capture.spans] == [0.02] * len(sent)
    assert all(span["attributes"][Attr.COST_DIFFERS] for span in capture.spans), "and the difference is told"
