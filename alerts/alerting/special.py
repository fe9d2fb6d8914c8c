"""Alerts about agents that no objective expresses: what should happen and does not, loops, spend, safety."""

from collections.abc import Iterator
from typing import Final

from alerts.alerting import text
from alerts.alerting.condition import Comparison, Condition
from alerts.alerting.model import Alert
from alerts.catalogue import CACHE_HITS, MIN_EVENTS, REQUEST_TOKENS, TASK_COST, Group, Kpi, Owner, Severity
from alerts.catalogue import counts as c
from alerts.catalogue.counts import Count
from alerts.catalogue.dimensions import DIMENSIONS
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.recording import rule, versions
from alerts.timing import Timing

_USD: Final = '{{ printf "$%.2f" $value }}'
_TIMES: Final = '{{ printf "%.1f" $value }} times'
_JUMP: Final = 3  # so many times the value of before is no longer chance
_MANY_STARTS: Final = 4
BUDGET_SHARES: Final = {0.5: Severity.TICKET, 0.8: Severity.TICKET, 1.0: Severity.PAGE}
_MANY_TOKENS: Final = 10_000  # fewer say nothing about a cache


def alerts(timing: Timing) -> Iterator[Alert]:
    """All of them; `timing` is for the comparisons with an earlier time that stand inside expressions."""
    yield from _work(timing)
    yield from _spend(timing)
    yield from _tokens(timing)
    yield from _quality(timing)


def _series(count: Count, window_s: int) -> str:
    return rule.increase(count, window_s)


def _jump(kpi: Kpi, timing: Timing) -> Condition:
    """The last 5 minutes against the hour before; both need their events, as one cheap call at night proves nothing."""
    offset = f"offset {timing.of(10 * MINUTE)}"
    # A mean of nothing, as before a model had a price, would make anything infinitely more.
    before = f"({rule.value(kpi, HOUR)} {offset} > 0)"
    return (
        Comparison(f"{rule.value(kpi, 5 * MINUTE)} / {before}", ">", _JUMP)
        & Comparison(rule.events(kpi, 5 * MINUTE), ">=", MIN_EVENTS)
        & Comparison(f"{rule.events(kpi, HOUR)} {offset}", ">=", MIN_EVENTS)
    )


def _work(timing: Timing) -> Iterator[Alert]:
    starts = _series(c.PROCESS_STARTS, 10 * MINUTE)
    yield Alert(
        name="ProcessCrashLoop",
        group=Group.AGENTS,
        condition=Comparison(starts, ">=", _MANY_STARTS),
        hold_s=0,
        # A deployment of as many replicas looks the same; what a crash loop breaks has pages of its own.
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=c.PROCESS_STARTS.by,
        board="agent",
        summary=f"A process of {text.who(c.PROCESS_STARTS.by)} started {{{{ $value }}}} times in 10 minutes.",
        description=(
            "Unless it was just deployed, it ends and is started again, and what it was doing is lost. See its"
            f" last log lines before each start. {text.versions(('environment',))}"
        ),
        value="{{ $value | humanize }} starts",
        objective=f"fewer than {_MANY_STARTS} in 10 minutes",
        keep_firing_s=5 * MINUTE,
    )
    tasks, calls = _series(c.TASKS, 15 * MINUTE), _series(c.MODEL_CALLS, 15 * MINUTE)
    yield Alert(
        name="TasksStuck",
        group=Group.TASKS,
        # Where a task ends every half hour, 15 minutes without one are no news.
        condition=Comparison(calls, ">", 0).unless(Comparison(tasks, ">", 0))
        & Comparison(f"{_series(c.TASKS, HOUR)} offset {timing.of(15 * MINUTE)}", ">=", MIN_EVENTS),
        hold_s=5 * MINUTE,
        severity=Severity.PAGE,
        owner=Owner.AGENTS,
        by=c.TASKS.by,
        board="fleet",
        summary=f"No task has ended for 15 minutes{text.place(c.TASKS.by)}, and agents go on calling models.",
        description=(
            "{{ $value | humanize }} model calls were made in that time, and tasks ended in the hour before. Tasks hang"
            f" or loop; every minute costs money. {text.versions(('environment',))}"
        ),
        value="{{ $value | humanize }} model calls",
    )
    tools, tasks = _series(c.TOOL_CALLS, HOUR), _series(c.TASKS, HOUR)
    yield Alert(
        name="ToolIdle",
        group=Group.TOOLS,
        condition=Comparison(f"{tools} offset {timing.of(DAY)}", ">=", MIN_EVENTS)
        .unless(Comparison(tools, ">", 0))
        # With a tenth of the tasks, as on a Sunday, a tool may well be left out.
        .and_on("environment", Comparison(tasks, ">", f"0.5 * ({tasks} offset {timing.of(DAY)})")),
        hold_s=15 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=c.TOOL_CALLS.by,
        board="tool",
        summary=f"No agent has called {text.who(c.TOOL_CALLS.by)} for an hour; a day ago they did.",
        description=(
            "A day ago there were {{ $value | humanize }} calls in the same hour, and tasks still run. The tool is"
            f" missing, its description changed, or agents gave it up. {text.versions(c.TOOL_CALLS.by)}"
        ),
        value="{{ $value | humanize }} calls a day ago",
    )
    (tool,) = (dimension for dimension in DIMENSIONS if dimension.key == "tool")
    yield Alert(
        name="ToolSchemaChanged",
        group=Group.TOOLS,
        # A version that is a hash was made from the schema: nobody announced the change.
        condition=Comparison(
            f'{versions.CURRENT}{{dimension="{tool.key}",version=~"sha-.+"}}',
            ">",
            f"time() - {timing.seconds(HOUR):g}",
        ).and_on(versions.WHOSE, Comparison(versions.PREVIOUS)),
        hold_s=0,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=tool.entity,
        also=("dimension", "version"),
        board="versions",
        summary=f"The schema of {text.who(tool.entity)} changed without a new version.",
        description=(
            "First seen {{ $value | humanizeTimestamp }}: {{ $labels.version }}. Prompts were written for the schema"
            " before; a renamed argument breaks calls without an error in the tool."
        ),
        value="{{ $value | humanizeTimestamp }}",
    )


def _spend(timing: Timing) -> Iterator[Alert]:
    spent = _series(c.SPEND, DAY)
    for share, severity in BUDGET_SHARES.items():
        percent = f"{share * 100:g}"
        yield Alert(
            name=f"CostBudget{percent}",
            group=Group.COST,
            condition=Comparison(spent, ">", f"{share:g} * {rule.DAILY_BUDGET}", "on () group_left()"),
            hold_s=5 * MINUTE,
            severity=severity,
            owner=Owner.AGENTS,
            by=c.SPEND.by,
            board="cost",
            summary=f"{percent} % of the daily budget is spent{text.place(c.SPEND.by)}: {_USD}.",
            description=(
                f"Model calls of the last 24 hours cost {_USD}. Who spends most: {{{{ range query (printf"
                f" `topk(3, {_series(c.AGENT_SPEND, HOUR)}{{environment=%q}})` $labels.environment) }}}}"
                '{{ .Labels.agent_name }}: {{ printf "$%.2f" .Value }} in the last hour; {{ end }}'
            ),
            value=_USD,
            objective=f"at most {percent} % of the budget in 24 hours",
        )
    yield Alert(
        name="SpendSpike",
        group=Group.COST,
        condition=Comparison(rule.SPEND_WEEK_RATIO, ">", _JUMP) & Comparison(_series(c.SPEND, HOUR), ">", 1),
        hold_s=10 * MINUTE,
        severity=Severity.PAGE,
        owner=Owner.AGENTS,
        by=c.SPEND.by,
        board="cost",
        summary=f"Spend{text.place(c.SPEND.by)} is {_TIMES} that of the same hour a week ago.",
        description=(f"Over the last hour, and more than $1. {text.versions(('environment',))}"),
        value=_TIMES,
        objective=f"at most {_JUMP} times last week's",
    )
    yield Alert(
        name="TaskCostJump",
        group=Group.COST,
        condition=_jump(TASK_COST, timing),
        kpi=TASK_COST,
        hold_s=5 * MINUTE,
        severity=Severity.PAGE,
        owner=Owner.AGENTS,
        by=TASK_COST.by,
        board="cost",
        summary=f"A task of {text.who(TASK_COST.by)} costs {_TIMES} what it cost an hour ago.",
        description=f"Mean of the last 5 minutes against the hour before. {text.versions(TASK_COST.by)}",
        value=_TIMES,
        objective=f"at most {_JUMP} times the hour before",
    )


def _tokens(timing: Timing) -> Iterator[Alert]:
    yield Alert(
        name="RequestTokensJump",
        group=Group.COST,
        condition=_jump(REQUEST_TOKENS, timing),
        kpi=REQUEST_TOKENS,
        hold_s=5 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=REQUEST_TOKENS.by,
        board="cost",
        summary=f"Model calls of {text.who(REQUEST_TOKENS.by)} are {_TIMES} as long as an hour ago.",
        description=(
            "Tokens per call, mean of the last 5 minutes against the hour before: the context grows, or requests"
            f" changed. {text.versions(REQUEST_TOKENS.by)}"
        ),
        value=_TIMES,
        objective=f"at most {_JUMP} times the hour before",
    )
    cached, tokens = rule.value(CACHE_HITS, HOUR), rule.events(CACHE_HITS, HOUR)
    yield Alert(
        name="CacheHitsDropped",
        group=Group.COST,
        condition=Comparison(cached, "<", f"0.5 * ({cached} offset {timing.of(DAY)})")
        & Comparison(f"{cached} offset {timing.of(DAY)}", ">", 0.2)
        & Comparison(tokens, ">=", _MANY_TOKENS)
        & Comparison(f"{tokens} offset {timing.of(DAY)}", ">=", _MANY_TOKENS),
        kpi=CACHE_HITS,
        hold_s=30 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=CACHE_HITS.by,
        board="cost",
        summary=f"Only {text.shown(CACHE_HITS.unit)} of the input of {text.who(CACHE_HITS.by)} comes from the cache.",
        description=(
            "Less than half of the same hour a day ago: a prompt no longer begins alike."
            f" {text.versions(CACHE_HITS.by)}"
        ),
        value=text.shown(CACHE_HITS.unit),
        objective="at least half of a day ago",
    )


def _quality(timing: Timing) -> Iterator[Alert]:
    evaluations = _series(c.EVALUATIONS, 6 * HOUR)
    yield Alert(
        name="EvaluationsStale",
        group=Group.QUALITY,
        condition=Comparison(f"{evaluations} offset {timing.of(DAY)}", ">", 0).unless(Comparison(evaluations, ">", 0))
        & Comparison(_series(c.TASKS, HOUR), ">", 0),
        hold_s=30 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=c.EVALUATIONS.by,
        board="quality",
        summary=f"No evaluation{text.place(c.EVALUATIONS.by)} for 6 hours, while tasks run.",
        description=(
            "A day ago there were {{ $value | humanize }} in 6 hours. Whatever quality alerts say, they say it of old"
            " data: the evaluators or their queue have stopped."
        ),
        value="none",
    )
