"""PromQL that the product asks: it parses, it is escaped, it is exact."""

import re

import promql_parser
import pytest

from agentobs.contract import METRICS, Label
from alerts import promql
from alerts.catalogue import CATALOGUE, DIMENSIONS, Kpi
from alerts.catalogue.wanted import Like, Not, Unlike


def _portable(query: str) -> str:
    """The parser does not know `anchored` yet."""
    return query.replace(" anchored", "")


@pytest.mark.parametrize("kpi", CATALOGUE, ids=lambda kpi: kpi.key)
def test_every_kpi_asks_queries_that_parse(kpi: Kpi):
    for selector in (kpi.numerator, kpi.denominator):
        query = promql.increase(selector, (Label.AGENT,), {Label.ENVIRONMENT: "local"}, 61.5)
        promql_parser.parse(_portable(query))
        assert "[61500ms] anchored" in query


def test_keys_of_kpis_are_distinct_and_snake_case():
    keys = [kpi.key for kpi in CATALOGUE]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z][a-z_]*", key) for key in keys)


@pytest.mark.parametrize("kpi", CATALOGUE, ids=lambda kpi: kpi.key)
def test_every_kpi_selects_only_labels_its_series_have(kpi: Kpi):
    for selector in (kpi.numerator, kpi.denominator):
        assert set(selector.where) <= set(selector.labels)


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.key)
def test_every_dimension_is_visible_in_its_activity_and_in_at_least_two_kpis(dimension):
    assert set(dimension.labels) <= set(dimension.activity.labels)
    assert sum(kpi.sliced_by(dimension.labels) for kpi in CATALOGUE) >= 2


def test_every_series_a_kpi_reads_is_one_the_collector_makes():
    made = {name for metric in METRICS for name in (metric.series, metric.sum, metric.count)}
    assert {side.series for kpi in CATALOGUE for side in (kpi.numerator, kpi.denominator)} <= made


def test_label_values_are_escaped():
    nasty = 'a"b\\c\nd'
    query = f"x{promql.matchers({Label.AGENT: nasty})}"
    parsed = promql_parser.parse(query)
    assert parsed.matchers.matchers[0].value == nasty


@pytest.mark.parametrize(
    ("wanted", "matcher"),
    [
        ("!none", '{error_class="!none"}'),
        ("~(", '{error_class="~("}'),
        ("!~x", '{error_class="!~x"}'),
        (Not("none"), '{error_class!="none"}'),
        (Like("a|b"), '{error_class=~"a|b"}'),
        (Unlike("|none"), '{error_class!~"|none"}'),
    ],
)
def test_a_text_is_that_text_and_another_comparison_another_type(wanted, matcher):
    assert promql.matchers({Label.ERROR_CLASS: wanted}) == matcher


def test_series_of_several_names_are_counted_by_the_values_they_have_had():
    names = [METRICS[0].series, METRICS[1].series]
    query = promql.series_per_value(names, (Label.SERVICE, Label.AGENT), {Label.ENVIRONMENT: 'a"b'}, 60)
    promql_parser.parse(query)
    assert query.startswith("count by (service, agent_name) (last_over_time(")
    assert f'__name__=~"{names[0]}|{names[1]}",environment="a\\"b"' in query
