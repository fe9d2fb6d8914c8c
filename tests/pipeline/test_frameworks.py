"""Real runs of agent frameworks through a real collector: what Prometheus holds is what happened.

The same runs are sent as their programs exported them, and as the SDK's span processor passes them on. What no span
tells is listed with its reason in `support.untold`; everything else must be right, value by value.
"""

import pytest
from support.accuracy import RUNS, WITH_EVENTS, Way, counted_by_a_collector, environment, expected, wrong
from support.untold import NAMELESS, UNTOLD, off


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """What was counted of each run, by way and name."""
    return counted_by_a_collector(tmp_path_factory.mktemp("frameworks"))


@pytest.mark.parametrize("name", RUNS)
def test_what_single_spans_tell_is_counted_right(counted, name):
    differing, told = off(counted, name, Way.PLAIN)
    assert differing == {}
    assert told or name in UNTOLD


@pytest.mark.parametrize("name", WITH_EVENTS)
def test_with_the_sdks_processor_everything_is_counted_right_per_agent_too(counted, name):
    differing, told = off(counted, name, Way.WITH_SDK)
    assert differing == {}
    assert told or name in UNTOLD


def test_few_values_are_untold_with_the_processor(counted):
    """Of all values of runs that name their agents: nearly all are told and right."""
    named = [name for name in WITH_EVENTS if not name.startswith(NAMELESS)]
    values = sum(len(expected(name)) for name in named)
    differing = sum(len(wrong(expected(name), counted[Way.WITH_SDK][name])) for name in named)
    assert differing / values < 0.08


def test_environments_of_runs_are_distinct():
    assert len({environment(name, way) for name in RUNS for way in Way}) == 2 * len(RUNS)
