"""Which of several findings comes first: harm now, failures, and what can be rolled back."""

from types import SimpleNamespace

import pytest

from runbooks.why import urgency
from runbooks.why.document import Origin, Status

HERE, THERE = (SimpleNamespace(span=SimpleNamespace(end=1000.0)) for _ in range(2))


def finding(name, kpi, *, since=500.0, tasks=0.0, version=False, sure=0.99, z=5.0, status=Status.OPEN, where=HERE):
    return SimpleNamespace(
        name=name,
        examination=where,
        incident=SimpleNamespace(symptoms=[SimpleNamespace(comparison=SimpleNamespace(z=z))]),
        document=SimpleNamespace(
            origin=Origin.VERSION if version else Origin.UNVERSIONED,
            status=status,
            since=since,
            confidence=sure,
            harm=SimpleNamespace(tasks=tasks, kpi=kpi),
        ),
    )


LOOPS = finding("loops", "agent_runs_per_task", version=True)


@pytest.mark.parametrize(
    ("others", "order"),
    [
        # A version that only costs, and an agent that fails by itself.
        ([finding("failing", "agent_success", tasks=30, since=507)], ["failing", "loops"]),
        # All is slow since the loops crowd the machine, and tasks fail for that: take back what looped.
        ([finding("slow", "agent_latency", tasks=30, since=507, z=9)], ["loops", "slow"]),
        ([finding("slow", "agent_latency", tasks=30, since=495, z=9)], ["loops", "slow"]),
        # Slow long before or long after: another story.
        ([finding("slow", "agent_latency", tasks=30, since=300)], ["slow", "loops"]),
        ([finding("slow", "agent_latency", tasks=30, since=600)], ["slow", "loops"]),
        # Of another environment, or over.
        ([finding("slow", "agent_latency", tasks=30, since=507, where=THERE)], ["slow", "loops"]),
        ([finding("slow", "agent_latency", tasks=30, since=507, status=Status.OVER)], ["loops", "slow"]),
    ],
)
def test_what_can_be_rolled_back_comes_before_the_slowness_that_came_with_it(others, order):
    assert [each.name for each in urgency.ordered([*others, LOOPS], 1000.0)] == order


def test_a_version_that_is_not_sure_takes_no_harm_of_others():
    unsure = finding("unsure", "agent_runs_per_task", version=True, sure=0.4)
    slow = finding("slow", "agent_latency", tasks=30, since=507)
    assert [each.name for each in urgency.ordered([unsure, slow], 1000.0)] == ["slow", "unsure"]
