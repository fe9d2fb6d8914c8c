"""The contract in one place is complete: every attribute is described, every metric says what it is made of."""

import re
from itertools import pairwise

import pytest

from agentobs import contract
from agentobs.contract import (
    BAGGAGE_KEYS,
    COMMON_LABELS,
    DESCRIPTIONS,
    METRICS,
    Attr,
    ErrorClass,
    Family,
    Label,
    MetricKind,
    Need,
    Place,
    Source,
)
from collector.normalise import errors
from collector.readme import _ERRORS


def test_every_attribute_is_described_once():
    assert set(DESCRIPTIONS) == set(Attr)
    assert all(d.meaning and d.example and d.type and d.places for d in DESCRIPTIONS.values())


@pytest.mark.parametrize("attr", Attr)
def test_ours_are_named_agentic_and_no_others_are(attr: Attr):
    assert (DESCRIPTIONS[attr].source is Source.OWN) == attr.startswith("agentic.")
    genai = attr.startswith(("gen_ai.", "mcp."))
    assert not genai or DESCRIPTIONS[attr].source is Source.DEVELOPMENT


def test_a_meaning_that_names_a_label_names_one_that_exists():
    named = {name for d in DESCRIPTIONS.values() for name in re.findall(r"label `(\w+)`", d.meaning)}
    assert named <= set(Label)
    derived = {Label.TOKEN_TYPE, Label.STATE, Label.FAMILY, Label.SCOPE}
    assert named == set(Label) - derived, "every label says what it is made of"


def test_what_travels_as_baggage_belongs_on_more_than_one_span_and_is_no_content():
    for attr in BAGGAGE_KEYS:
        # Only those whose releases are managed have the id of one.
        assert DESCRIPTIONS[attr].need in {Need.REQUIRED, Need.RECOMMENDED} or attr is Attr.RELEASE, attr
        assert "content" not in DESCRIPTIONS[attr].meaning


def test_ids_never_become_labels():
    for attr in Attr:
        if attr.endswith(".id") and attr is not Attr.POLICY_ID and Place.RESOURCE not in DESCRIPTIONS[attr].places:
            assert "never a label" in DESCRIPTIONS[attr].meaning, attr


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_has_the_labels_of_its_family_and_says_what_it_is_made_of(metric):
    assert metric.labels[: len(metric.family.labels)] == metric.family.labels
    assert len(set(metric.labels)) == len(metric.labels)
    assert metric.meaning
    assert metric.source
    assert bool(metric.buckets) == (metric.kind is MetricKind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_names_of_metrics_are_distinct_and_every_family_has_a_counter():
    assert len({metric.series for metric in METRICS}) == len(METRICS)
    assert {metric.family for metric in METRICS if metric.kind is MetricKind.COUNTER} == set(Family)
    assert all(
        set(COMMON_LABELS) - set(family.labels) <= {Label.ERROR_CLASS}
        for family in Family
        if family is not Family.UNREAD
    )


def test_the_examples_of_error_classes_are_classed_so():
    examples = [
        (name, text) for name, texts in _ERRORS.items() for text in re.findall(r"`([^`]+)`", texts) if text != "isError"
    ]
    assert len(examples) > 10
    for name, text in examples:
        found = next((c for c, pattern in errors.ERROR_CLASSES if re.search(pattern, text)), ErrorClass.OTHER)
        assert found is name, text


@pytest.mark.parametrize(
    ("metric", "shortest_s", "longest_s"),
    [
        (contract.TASK_DURATION, 1, 3 * 3600),
        (contract.AGENT_DURATION, 0.1, 2 * 3600),
        (contract.LLM_DURATION, 0.1, 600),
        (contract.TOOL_DURATION, 0.001, 900),
        (contract.MCP_SERVER_DURATION, 0.001, 900),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_takes_a_millisecond_and_what_takes_hours_both_lie_between_two_bounds_near_each_other(
    metric, shortest_s, longest_s
):
    assert metric.buckets[0] <= shortest_s
    assert metric.buckets[-1] > longest_s
    steps = [after / before for before, after in pairwise(metric.buckets)]
    assert max(steps) <= 4
    assert max(after / before for before, after in pairwise([b for b in metric.buckets if b >= 0.025])) <= 10 / 3
