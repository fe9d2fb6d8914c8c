"""After a deployment: versions, money, reviews and the sample, each broken in its own way."""

import shlex
from datetime import UTC, datetime

import pytest
import yaml
from support.in_order import NOW, FakePlatform, Metrics, baseline, context

from agentobs.contract import Label
from alerts import probing, promql
from alerts.catalogue import DIMENSIONS, TASK_SUCCESS, Severity
from alerts.catalogue.counts import SPEND
from alerts.recording import rule
from alerts.source import Sample
from collector.search import Trace, jaeger, traceql
from runbooks import checklist
from runbooks.baseline import InUse
from runbooks.checklist import Status, sample
from runbooks.checklist.catalogue import ITEMS

ITEM = {item.key: item for item in ITEMS}
HERE = {Label.ENVIRONMENT: "prod"}
DAY_S = 86_400
NONE = checklist.no_evidence("no evidence file was named")
GRAPH = DIMENSIONS[-1]


def look(key, platform=None, evidence=NONE, **changed):
    return checklist.run([ITEM[key]], context(platform or FakePlatform(), evidence, **changed))[0]


def evidence(**sections):
    return checklist.parse_evidence(yaml.safe_dump({"release": "r1", "author": "ada", **sections}), "e.yaml", "r1")


def increase(of, by, value, **labels):
    """The answer to how much a counter grew in the window."""
    return {promql.increase(of, by, HERE, DAY_S): [Sample({"environment": "prod", **labels}, value)]}


def review(**changed):
    at = datetime.fromtimestamp(NOW - 60, UTC).isoformat()
    return evidence(review={"read": 10, "bad": 1, "by": ["grace"], "at": at, **changed})


REVIEWS = [
    (NONE, "no evidence file was named"),
    (review(read=1), "1 traces were read, at least 2 are wanted"),
    (review(bad=5), "5 of 10 were bad, at most 20% may be"),
    (review(bad=11), "11 of 10 cannot be bad"),
    (review(seed="other"), "the sample of seed other was read, this one has r1"),
    (review(at="2020-01-01T00:00:00Z"), "the review is older than the window"),
    (review(by=[]), "`review.by`"),
]


@pytest.mark.parametrize(("found", "said"), REVIEWS)
def test_a_review_that_does_not_count_fails(found, said):
    result = look("sample-reviewed", evidence=found)
    assert result.status is Status.FAIL
    assert said in result.message


def test_a_review_of_this_sample_passes():
    assert look("sample-reviewed", evidence=review(seed="r1")).message == "10 traces were read, 1 were bad"


def pins(version, previous="2"):
    pin = {"dimension": "graph", "name": "support", "version": version, "previous": previous}
    return evidence(versions=[pin])


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        ("3", Status.PASS, "1 pinned versions ran"),
        ("4", Status.FAIL, "graph support 4 never ran; graph support also ran as 3"),
    ],
)
def test_what_runs_is_compared_with_what_was_approved(version, status, said):
    running = increase(GRAPH.counted, GRAPH.labels, 80.0, workflow="support", graph_version="3")
    result = look("versions-running", FakePlatform(metrics=Metrics(running)), pins(version))
    assert result.status is status
    assert said in result.message


def test_a_page_in_the_window_is_named_and_the_query_shown():
    query = probing.fired(Severity.PAGE, "prod", DAY_S)
    result = look("alerts-fired", FakePlatform(metrics=Metrics({query: [Sample({"alertname": "ToolFailing"}, 9)]})))
    assert (result.status, result.message) == (Status.FAIL, "pages fired: ToolFailing")
    assert result.proofs[0].query == query


def test_an_environment_cannot_end_its_quotes():
    assert 'environment="a\\"b"' in probing.fired(Severity.PAGE, 'a"b', 60)


def test_spend_beyond_the_budget_fails_and_without_a_baseline_nobody_can_say():
    spent = increase(SPEND.of, SPEND.by, 30.0)
    over = Metrics({**spent, rule.DAILY_BUDGET: [Sample({}, 20.0)]})
    result = look("cost", FakePlatform(metrics=over))
    assert result.status is Status.FAIL
    assert "$30.00 a day are spent, the budget is $20.00" in result.message
    within = FakePlatform(metrics=Metrics({**spent, rule.DAILY_BUDGET: [Sample({}, 50.0)]}))
    assert look("cost", within, baseline="no baseline was named").status is Status.UNJUDGED
    assert look("cost", within).status is Status.PASS
    assert "no money was spent" in look("cost").message


def tasks(good: float, every: float) -> FakePlatform:
    answers = {}
    for selector, value in ((TASK_SUCCESS.numerator, good), (TASK_SUCCESS.denominator, every)):
        answers |= increase(selector, TASK_SUCCESS.by, value, workflow="support")
    return FakePlatform(metrics=Metrics(answers))


def test_an_objective_is_broken_only_beyond_chance():
    broken = look("objectives", tasks(700, 1000))
    assert broken.status is Status.FAIL
    assert "Task success support (TasksFailing): 0.7, promised 0.85, 1000 events" in broken.message
    # 94 of 100 against 95 % promised: chance.
    assert look("objectives", tasks(94, 100)).status is Status.PASS
    assert look("objectives", tasks(3, 3)).status is Status.UNJUDGED
    # Of ten tasks three fail by chance now and then, four hardly ever.
    assert look("objectives", tasks(7, 10)).status is Status.PASS
    assert look("objectives", tasks(6, 10)).status is Status.FAIL


def test_the_baseline_of_another_environment_or_none_fails():
    assert (
        "is of environment staging, not prod"
        in look("against-baseline", baseline=baseline(environment="staging")).message
    )
    assert look("against-baseline", baseline="no baseline was named").status is Status.FAIL


def test_too_few_tasks_are_not_judged_and_enough_are():
    assert look("against-baseline", tasks(19, 20)).status is Status.UNJUDGED
    assert look("against-baseline", tasks(480, 500)).status is Status.PASS
    worse = look("against-baseline", tasks(400, 500))
    assert worse.status is Status.FAIL
    assert "worse than baseline june: Task success support 0.96 -> 0.8" in worse.message


def test_a_canary_that_was_announced_and_is_not_marked_is_not_judged():
    announced = evidence(canary={"percent": 5, "hold": "1h", "aborts_when": ["x"]})
    assert look("canary", evidence=announced).status is Status.UNJUDGED
    assert look("canary").status is Status.NOT_APPLICABLE


def traces(count: int) -> list[Trace]:
    return [
        Trace(trace_id=f"{number:032x}", service="agents", name="task", start=NOW, duration_s=1.0)
        for number in range(count)
    ]


def test_a_sample_is_the_same_for_the_same_seed_and_draws_nothing_twice():
    platform = FakePlatform(traces_=traces(200))
    kinds = [*sample.strata(Metrics(), "prod", [], 0, 1)]
    assert [kind.key for kind in kinds] == ["failed", "random"]
    one, again, other = ([*sample.draw(platform, kinds, seed, 5)] for seed in ("a", "a", "b"))
    ids = [[trace.trace_id for drawn in each for trace in drawn.traces] for each in (one, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert len(set(ids[0])) == len(ids[0]) == 10
    # One more trace moves at most one out.
    more = [*sample.draw(FakePlatform(traces_=traces(201)), kinds, "a", 5)]
    assert len(set(ids[0]) - {trace.trace_id for drawn in more for trace in drawn.traces}) <= 2


def test_new_versions_are_searched_with_whose_they_are_and_quotes_are_closed():
    new = [InUse(dimension="tool", entity={"environment": "prod", "tool_name": 'a"b'}, version="4\\", calls=9)]
    kind = next(kind for kind in sample.strata(Metrics(), 'p"d', new, 0, 1) if kind.key == "new version")
    (search,) = kind.searches
    assert {(term.key, term.value) for term in search.terms} == {
        ("deployment.environment.name", 'p"d'),
        ("gen_ai.tool.name", 'a"b'),
        ("agentic.tool.version", "4\\"),
    }
    query = traceql.render(search)
    assert 'resource.deployment.environment.name = "p\\"d"' in query
    assert 'span.gen_ai.tool.name = "a\\"b" && span.agentic.tool.version = "4\\\\"' in query
    assert jaeger.asked(search).tags["agentic.tool.version"] == "4\\"
    assert shlex.split(kind.command)[2:6] == ["--environment", 'p"d', "--tool", 'a"b']


def test_without_a_trace_there_is_no_sample():
    assert look("sample-drawn").status is Status.UNJUDGED
