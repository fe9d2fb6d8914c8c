"""Sampling settings: what they refuse and what they bound."""

from dataclasses import replace

import pytest

from collector import sampling
from collector.sampling import PROD, STAGING, Sampling, Watched


def test_everything_kept_needs_no_processor():
    assert sampling.processor(Sampling(base_percent=100)) is None


@pytest.mark.parametrize(("settings", "percent"), [(STAGING, 50), (PROD, 10)])
def test_the_base_rate_of_an_environment(settings, percent):
    base = sampling.processor(settings)["policies"][-1]
    assert base == {"name": "base", "type": "probabilistic", "probabilistic": {"sampling_percentage": percent}}


def test_the_memory_budget_bounds_the_traces():
    assert replace(PROD, undecided_mib=300, trace_kib=100).max_traces == 3072


def test_kept_ids_are_remembered_for_all_traffic():
    assert replace(PROD, traces_per_s=100, remember_s=60).remembered == 6000


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_percent": -1},
        {"base_percent": 101},
        {"after_root_s": 0},
        {"after_root_s": 301},
        {"slow_task_s": 0},
        {"undecided_mib": 0},
        {"shards": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected|positive"):
        replace(PROD, **wrong)


@pytest.mark.parametrize("version", ["", "4,2", 'a"b', "a b", "${env:HOME}", "a\\b"])
def test_a_watched_version_that_would_break_the_rule_is_refused(version):
    with pytest.raises(ValueError, match="watched version"):
        Watched(prompt=(version,))
