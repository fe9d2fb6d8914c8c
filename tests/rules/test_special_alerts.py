"""Alerts of agents that no objective expresses: what must raise them, what must not, and the exact words of each.

Inputs are recorded series, one value a minute. Values stand on thresholds and beside them, times just before and just
after holds; where an alert looks back, the values before, at and after that time differ. Not here: the recorded series.
"""

import pytest
from support.promtool import AlertCase, Fired, title, verdicts

from alerts import rules
from alerts.alerting import special
from alerts.timing import PRODUCTION

PROD, DEV = '{environment="prod"}', '{environment="dev"}'
TICKET, PAGE = "ticket", "page"


def fired(severity: str, family: str, labels: dict[str, str], **annotations: str) -> Fired:
    given = {"environment": "prod", "severity": severity, "owner": "agents", "family": family}
    return Fired(labels={**given, **labels}, annotations=annotations)


def elsewhere(series: dict[str, str]) -> dict[str, str]:
    """The same series in another environment."""
    return {name.replace('"prod"', '"dev"'): values for name, values in series.items()}


def crash(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="ProcessCrashLoop", name=name, series=series, at=at, expect=expect)


STARTS = 'kpi:process_starts:increase10m{environment="prod",service="orders"}'
STARTS_OTHER = 'kpi:process_starts:increase10m{environment="prod",service="planner"}'
CRASHING = fired(
    TICKET,
    "agents",
    {"service": "orders"},
    summary="A process of service orders in prod started 4 times in 10 minutes.",
    description="Unless it was just deployed, it ends and is started again, and what it was doing is lost. See its last"
    " log lines before each start. Versions first seen within a day: none known",
    value="4 starts",
    objective="fewer than 4 in 10 minutes",
)
CRASH_CASES = (
    crash("fires at once", "0m", {STARTS: "4x30"}, CRASHING),
    crash("goes on for 5 minutes after the last start left the window", "14m45s", {STARTS: "4x9 0x60"}, CRASHING),
    crash("recovers", "15m", {STARTS: "4x9 0x60"}),
    crash("three starts are a deployment", "10m", {STARTS: "3x30"}),
    crash("no starts", "10m", {STARTS: "0x30"}),
    crash("three each of two services", "10m", {STARTS: "3x30", STARTS_OTHER: "3x30"}),
    crash("one of two services", "10m", {STARTS: "4x30", STARTS_OTHER: "3x30"}, CRASHING),
    crash("no data", "10m", {}),
)


def stuck(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="TasksStuck", name=name, series=series, at=at, expect=expect)


CALLS, ENDED, HOUR = f"kpi:model_calls:increase15m{PROD}", f"kpi:tasks:increase15m{PROD}", f"kpi:tasks:increase1h{PROD}"
# The tasks of the hour are known from minute 0 on, so of 15 minutes ago from minute 15 on.
STUCK = {CALLS: "1x60", ENDED: "0x60", HOUR: "10x60"}
STUCK_FIRED, STUCK_DEV_FIRED = (
    fired(
        PAGE,
        "tasks",
        {"environment": where},
        summary=f"No task has ended for 15 minutes in {where}, and agents go on calling models.",
        description="1 model calls were made in that time, and tasks ended in the hour before. Tasks hang or loop;"
        " every minute costs money. Versions first seen within a day: none known",
        value="1 model calls",
    )
    for where in ("prod", "dev")
)
STUCK_CASES = (
    stuck("fires after 5 minutes", "20m", STUCK, STUCK_FIRED),
    stuck("fires where nothing is known of tasks any more", "20m", {CALLS: "1x60", HOUR: "10x60"}, STUCK_FIRED),
    stuck("not yet", "19m45s", STUCK),
    stuck("a task ended", "40m", STUCK | {ENDED: "1x60"}),
    stuck("nobody calls a model", "40m", STUCK | {CALLS: "0x60"}),
    stuck("a quiet night: nine tasks an hour", "40m", STUCK | {HOUR: "9x60"}),
    stuck("the first task of all takes long", "40m", STUCK | {HOUR: "0x60"}),
    stuck("tasks end elsewhere", "40m", {CALLS: "1x60", f"kpi:tasks:increase1h{DEV}": "90x60"}),
    stuck("both environments", "20m", STUCK | elsewhere(STUCK), STUCK_FIRED, STUCK_DEV_FIRED),
    stuck("one of two environments", "20m", STUCK | elsewhere(STUCK | {ENDED: "1x60"}), STUCK_FIRED),
    stuck("recovers", "40m", STUCK | {ENDED: "0x30 2x30"}),
    stuck("no data", "40m", {}),
)


def idle(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="ToolIdle", name=name, series=series, at=at, expect=expect)


# Unused from minute 1441 on. Between a day and half a day ago, tool and tasks change, so that it shows which counts.
LOOKUP = 'kpi:tool_calls:increase1h{environment="prod",tool_name="lookup"}'
REFUND = 'kpi:tool_calls:increase1h{environment="prod",tool_name="refund"}'
IDLE = {LOOKUP: "10x700 12x739 0x90", HOUR: "10x700 6x829"}
IDLE_FIRED, IDLE_DEV_FIRED = (
    fired(
        TICKET,
        "tools",
        {"environment": where, "tool_name": "lookup"},
        summary=f"No agent has called tool lookup in {where} for an hour; a day ago they did.",
        description="A day ago there were 10 calls in the same hour, and tasks still run. The tool is missing, its"
        " description changed, or agents gave it up. Versions in use: none known",
        value="10 calls a day ago",
    )
    for where in ("prod", "dev")
)
IDLE_CASES = (
    idle("fires after 15 minutes", "1456m", IDLE, IDLE_FIRED),
    idle("fires where the series has ended", "1460m", IDLE | {LOOKUP: "10x700 12x739"}, IDLE_FIRED),
    idle("not yet", "1455m45s", IDLE),
    idle("one of two tools", "1456m", IDLE | {REFUND: "10x1530"}, IDLE_FIRED),
    idle("both environments", "1456m", IDLE | elsewhere(IDLE), IDLE_FIRED, IDLE_DEV_FIRED),
    idle("was hardly used", "1500m", IDLE | {LOOKUP: "9x700 12x739 0x90"}),
    idle("was used once", "1500m", IDLE | {LOOKUP: "10x700 12x739 1x90"}),
    idle("a quiet night: half the tasks", "1500m", IDLE | {HOUR: "10x700 5x829"}),
    idle("no tasks run", "1500m", IDLE | {HOUR: "10x1440 0x90"}),
    idle("tasks run in another environment", "1500m", {LOOKUP: IDLE[LOOKUP], **elsewhere({HOUR: "10x1530"})}),
    idle("new since an hour", "100m", {LOOKUP: "10x60 0x60", HOUR: "10x120"}),
    idle("recovers", "1500m", IDLE | {LOOKUP: "10x700 12x739 0x40 3x60"}),
    idle("no data", "1500m", {}),
)


def schema(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="ToolSchemaChanged", name=name, series=series, at=at, expect=expect)


CURRENT = 'version:current{dimension="tool",environment="prod",tool_name="lookup",version="sha-new"}'
PREVIOUS = 'version:previous{dimension="tool",environment="prod",tool_name="lookup",version="sha-old"}'
PROMPT = '{dimension="prompt",environment="prod",agent_name="writer",prompt_name="draft",version="sha-1"}'
CHANGED = {CURRENT: "600x90", PREVIOUS: "300x90"}  # first seen after ten minutes
CHANGED_FIRED, CHANGED_DEV_FIRED = (
    fired(
        TICKET,
        "tools",
        {"environment": where, "tool_name": "lookup", "dimension": "tool", "version": "sha-new"},
        summary=f"The schema of tool lookup in {where} changed without a new version.",
        description="First seen 1970-01-01 00:10:00 +0000 UTC: sha-new. Prompts were written for the schema before; a"
        " renamed argument breaks calls without an error in the tool.",
        value="1970-01-01 00:10:00 +0000 UTC",
    )
    for where in ("prod", "dev")
)
SCHEMA_CASES = (
    schema("fires at once", "10m", CHANGED, CHANGED_FIRED),
    schema("fires for an hour", "69m45s", CHANGED, CHANGED_FIRED),
    schema("both environments", "30m", CHANGED | elsewhere(CHANGED), CHANGED_FIRED, CHANGED_DEV_FIRED),
    schema("one of two environments", "30m", CHANGED | elsewhere({CURRENT: "600x90"}), CHANGED_FIRED),
    schema("is over after an hour", "70m", CHANGED),
    schema("a version was given", "30m", {CURRENT.replace("sha-new", "4.0.0"): "600x90", PREVIOUS: "300x90"}),
    schema("the first version of all", "30m", {CURRENT: "600x90"}),
    schema("another tool had one before", "30m", {CURRENT: "600x90", PREVIOUS.replace("lookup", "refund"): "300x90"}),
    schema("a prompt is no schema", "30m", {f"version:current{PROMPT}": "600x90", f"version:previous{PROMPT}": "3x90"}),
    schema("taken back", "60m", {CURRENT: "600x50 _x40", PREVIOUS: "300x90"}),
    schema("no data", "30m", {}),
)

SPENT, SPENT_DEV = f"kpi:spend:increase1d{PROD}", f"kpi:spend:increase1d{DEV}"
LIMIT = {"kpi:spend:daily_budget": "100x60"}
# Who spends most: three of four, and nobody of another environment.
SPENDERS = {
    'kpi:agent_spend:increase1h{environment="prod",agent_name="executor"}': "1.5x60",
    'kpi:agent_spend:increase1h{environment="prod",agent_name="planner"}': "0.25x60",
    'kpi:agent_spend:increase1h{environment="prod",agent_name="writer"}': "2x60",
    'kpi:agent_spend:increase1h{environment="prod",agent_name="judge"}': "0.1x60",
    'kpi:agent_spend:increase1h{environment="dev",agent_name="writer"}': "9x60",
}
WHO = (
    "Who spends most: writer: $2.00 in the last hour; executor: $1.50 in the last hour; planner: $0.25 in the last"
    " hour; "
)
BUDGET_50 = fired(
    TICKET,
    "cost",
    {},
    summary="50 % of the daily budget is spent in prod: $50.50.",
    description=f"Model calls of the last 24 hours cost $50.50. {WHO}",
    value="$50.50",
    objective="at most 50 % of the budget in 24 hours",
)
BUDGET_50_DEV = fired(
    TICKET,
    "cost",
    {"environment": "dev"},
    summary="50 % of the daily budget is spent in dev: $70.00.",
    description="Model calls of the last 24 hours cost $70.00. Who spends most: writer: $9.00 in the last hour; ",
    value="$70.00",
    objective="at most 50 % of the budget in 24 hours",
)
BUDGET_80 = fired(
    TICKET,
    "cost",
    {},
    summary="80 % of the daily budget is spent in prod: $80.50.",
    description=f"Model calls of the last 24 hours cost $80.50. {WHO}",
    value="$80.50",
    objective="at most 80 % of the budget in 24 hours",
)
BUDGET_80_DEV = fired(
    TICKET,
    "cost",
    {"environment": "dev"},
    summary="80 % of the daily budget is spent in dev: $90.00.",
    description="Model calls of the last 24 hours cost $90.00. Who spends most: writer: $9.00 in the last hour; ",
    value="$90.00",
    objective="at most 80 % of the budget in 24 hours",
)
BUDGET_100 = fired(
    PAGE,
    "cost",
    {},
    summary="100 % of the daily budget is spent in prod: $100.50.",
    description=f"Model calls of the last 24 hours cost $100.50. {WHO}",
    value="$100.50",
    objective="at most 100 % of the budget in 24 hours",
)
BUDGET_100_DEV = fired(
    PAGE,
    "cost",
    {"environment": "dev"},
    summary="100 % of the daily budget is spent in dev: $120.00.",
    description="Model calls of the last 24 hours cost $120.00. Who spends most: writer: $9.00 in the last hour; ",
    value="$120.00",
    objective="at most 100 % of the budget in 24 hours",
)


def _budget(percent: int, dev: int, here: Fired, there: Fired) -> tuple[AlertCase, ...]:
    over = {SPENT: f"{percent}.5x60", **LIMIT, **SPENDERS}

    def case(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
        return AlertCase(alert=f"CostBudget{percent}", name=name, series=series, at=at, expect=expect)

    return (
        case("fires after 5 minutes", "5m", over, here),
        case("both environments", "5m", over | {SPENT_DEV: f"{dev}x60"}, here, there),
        case("one of two environments", "5m", over | {SPENT_DEV: f"{percent}x60"}, here),
        case("not yet", "4m45s", over),
        case("exactly that much", "30m", over | {SPENT: f"{percent}x60"}),
        case("recovers", "40m", over | {SPENT: f"{percent}.5x20 1x40"}),
        case("nobody has set a budget", "30m", {SPENT: "1000x60"}),
        case("no data", "30m", LIMIT),
    )


BUDGET_CASES = (
    *_budget(50, 70, BUDGET_50, BUDGET_50_DEV),
    *_budget(80, 90, BUDGET_80, BUDGET_80_DEV),
    *_budget(100, 120, BUDGET_100, BUDGET_100_DEV),
)


def spike(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="SpendSpike", name=name, series=series, at=at, expect=expect)


RATIO, SPENT_HOUR = f"kpi:spend:week_ratio1h{PROD}", f"kpi:spend:increase1h{PROD}"
SPIKE = {RATIO: "3.1x60", SPENT_HOUR: "1.1x60"}
AS_EVER, LITTLE = {RATIO: "1x60", SPENT_HOUR: "900x60"}, {RATIO: "90x60", SPENT_HOUR: "1x60"}
SPIKE_FIRED, SPIKE_DEV_FIRED = (
    fired(
        PAGE,
        "cost",
        {"environment": where},
        summary=f"Spend in {where} is 3.1 times that of the same hour a week ago.",
        description="Over the last hour, and more than $1. Versions first seen within a day: none known",
        value="3.1 times",
        objective="at most 3 times last week's",
    )
    for where in ("prod", "dev")
)
SPIKE_CASES = (
    spike("fires after 10 minutes", "10m", SPIKE, SPIKE_FIRED),
    spike("not yet", "9m45s", SPIKE),
    spike("three times is not more", "30m", SPIKE | {RATIO: "3x60"}),
    spike("a quiet night: a dollar", "30m", SPIKE | {SPENT_HOUR: "1x60"}),
    spike("nothing was spent last week", "30m", {SPENT_HOUR: "9x60"}),
    spike("both environments", "10m", SPIKE | elsewhere(SPIKE), SPIKE_FIRED, SPIKE_DEV_FIRED),
    spike("one of two environments, the other spends as ever", "10m", SPIKE | elsewhere(AS_EVER), SPIKE_FIRED),
    spike("one of two environments, the other spends little", "10m", SPIKE | elsewhere(LITTLE), SPIKE_FIRED),
    spike("one spends more than it did, another spends much", "30m", LITTLE | elsewhere(AS_EVER)),
    spike("recovers", "40m", SPIKE | {RATIO: "3.1x20 1x40"}),
    spike("no data", "30m", {}),
)


def _jump(alert: str, kpi: str, labels: str, here: Fired, there: Fired) -> tuple[AlertCase, ...]:
    """Both jumps are built alike. What is known from minute 0 on is known of 10 minutes ago from minute 10 on."""
    mean, before, few, past = (f"kpi:{kpi}:{what}{labels}" for what in ("mean5m", "mean1h", "events5m", "events1h"))
    jump = {mean: "3.1x90", before: "1x90", few: "10x90", past: "10x90"}
    late = {mean: "1x30 3.1x60", before: "1x30 3.1x60"}  # jumps at minute 31, and so does the mean of the hour

    def case(name: str, at: str, changed: dict[str, str], *expect: Fired) -> AlertCase:
        return AlertCase(alert=alert, name=name, series=jump | changed, at=at, expect=expect)

    return (
        case("fires after 5 minutes", "15m", {}, here),
        case("not yet", "14m45s", {}),
        case("the hour is that of 10 minutes ago", "40m45s", late, here),
        case("the hour before has it too", "41m", late),
        case("three times is not more", "40m", {mean: "3x90"}),
        case("too few events now", "40m", {few: "9x90"}),
        case("a quiet night: too few events in the hour before", "40m", {past: "9x90"}),
        case("enough events in the hour since 15 minutes", "36m", {past: "9x20 10x60"}, here),
        case("enough events in the hour since 15 minutes: not yet", "35m45s", {past: "9x20 10x60"}),
        case("was free before", "40m", {before: "0x90"}),
        case("nothing to compare with", "40m", {before: "_x90", past: "_x90"}),
        case("a third", "40m", {mean: "1x90", before: "3.1x90"}),
        case("both environments", "15m", elsewhere(jump), here, there),
        case("one of two environments", "15m", elsewhere(jump | {mean: "3x90"}), here),
        case("few events here, many elsewhere", "40m", {few: "9x90", **elsewhere(jump | {mean: "1x90"})}),
        case("recovers", "45m", {mean: "3.1x30 1x60"}),
        AlertCase(alert=alert, name="no data", series={}, at="40m"),
    )


COST_JUMPS = tuple(
    fired(
        PAGE,
        "cost",
        {"environment": where, "workflow": "support"},
        summary=f"A task of workflow support in {where} costs 3.1 times what it cost an hour ago.",
        description="Mean of the last 5 minutes against the hour before. Versions in use: none known",
        value="3.1 times",
        objective="at most 3 times the hour before",
    )
    for where in ("prod", "dev")
)
TOKEN_JUMPS = tuple(
    fired(
        TICKET,
        "cost",
        {"environment": where, "agent_name": "executor"},
        summary=f"Model calls of agent executor in {where} are 3.1 times as long as an hour ago.",
        description="Tokens per call, mean of the last 5 minutes against the hour before: the context grows, or"
        " requests changed. Versions in use: none known",
        value="3.1 times",
        objective="at most 3 times the hour before",
    )
    for where in ("prod", "dev")
)
JUMP_CASES = (
    *_jump("TaskCostJump", "task_cost", '{environment="prod",workflow="support"}', *COST_JUMPS),
    *_jump("RequestTokensJump", "request_tokens", '{environment="prod",agent_name="executor"}', *TOKEN_JUMPS),
)

# Dropped from minute 1441 on. Half a day ago there was little from the cache, and few tokens.
SHARE = 'kpi:cache_hits:ratio1h{environment="prod",agent_name="executor"}'
TOKENS = 'kpi:cache_hits:events1h{environment="prod",agent_name="executor"}'
MODEL = 'version:current{dimension="model",environment="prod",agent_name="executor",version="large-2"}'
CACHE = {SHARE: "0.5x700 0.2x739 0.19x90", TOKENS: "10000x700 9999x739 10000x90", MODEL: "600x1530"}


def _cache_fired(where: str, share: str) -> Fired:
    return fired(
        TICKET,
        "cost",
        {"environment": where, "agent_name": "executor"},
        summary=f"Only {share} of the input of agent executor in {where} comes from the cache.",
        description="Less than half of the same hour a day ago: a prompt no longer begins alike. Versions in use: model"
        " of executor large-2, first seen 1970-01-01 00:10:00 +0000 UTC; ",
        value=share,
        objective="at least half of a day ago",
    )


def cache(name: str, at: str, changed: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="CacheHitsDropped", name=name, series=CACHE | changed, at=at, expect=expect)


DROPPED, DROPPED_DEV = _cache_fired("prod", "19%"), _cache_fired("dev", "19%")
CACHE_CASES = (
    cache("fires after half an hour", "1471m", {}, DROPPED),
    cache("fires from a fifth", "1471m", {SHARE: "0.21x700 0.5x739 0.1x90"}, _cache_fired("prod", "10%")),
    cache("not yet", "1470m45s", {}),
    cache("half is left", "1500m", {SHARE: "0.5x700 0.9x739 0.25x90"}),
    cache("there was little to lose", "1500m", {SHARE: "0.2x700 0.9x739 0.05x90"}),
    cache("a quiet night: too few tokens now", "1500m", {TOKENS: "10000x1440 9999x90"}),
    cache("too few tokens a day ago", "1500m", {TOKENS: "9999x700 10000x829"}),
    cache("new since half a day", "1500m", {SHARE: "_x800 0.5x640 0.1x90", TOKENS: "_x800 10000x730"}),
    cache("both environments", "1471m", elsewhere(CACHE), DROPPED, DROPPED_DEV),
    cache("one of two environments", "1471m", elsewhere({SHARE: "0.5x1530", TOKENS: "90000x1530"}), DROPPED),
    cache("recovers", "1500m", {SHARE: "0.5x700 0.2x739 0.19x40 0.5x60"}),
    AlertCase(alert="CacheHitsDropped", name="no data", series={}, at="1500m"),
)


def stale(name: str, at: str, series: dict[str, str], *expect: Fired) -> AlertCase:
    return AlertCase(alert="EvaluationsStale", name=name, series=series, at=at, expect=expect)


# None from minute 1441 on. Half a day ago there were more than a day ago.
SCORED = f"kpi:evaluations:increase6h{PROD}"
STALE = {SCORED: "1x700 3x739 0x90", HOUR: "1x1530"}
STALE_FIRED, STALE_DEV_FIRED = (
    fired(
        TICKET,
        "quality",
        {"environment": where},
        summary=f"No evaluation in {where} for 6 hours, while tasks run.",
        description="A day ago there were 1 in 6 hours. Whatever quality alerts say, they say it of old data: the"
        " evaluators or their queue have stopped.",
        value="none",
    )
    for where in ("prod", "dev")
)
STALE_CASES = (
    stale("fires after half an hour", "1471m", STALE, STALE_FIRED),
    stale("fires where the series has ended", "1480m", STALE | {SCORED: "1x700 3x739"}, STALE_FIRED),
    stale("not yet", "1470m45s", STALE),
    stale("there were none a day ago", "1500m", STALE | {SCORED: "0x700 3x739 0x90"}),
    stale("there is one", "1500m", STALE | {SCORED: "1x700 3x739 1x90"}),
    stale("a quiet night: no tasks run", "1500m", STALE | {HOUR: "1x1440 0x90"}),
    stale("tasks run in another environment", "1500m", {SCORED: STALE[SCORED], **elsewhere({HOUR: "9x1530"})}),
    stale("evaluated for the first time today", "1500m", STALE | {SCORED: "_x800 3x640 0x90"}),
    stale("both environments", "1471m", STALE | elsewhere(STALE), STALE_FIRED, STALE_DEV_FIRED),
    stale("one of two environments", "1471m", STALE | elsewhere(STALE | {SCORED: "1x1530"}), STALE_FIRED),
    stale("recovers", "1500m", STALE | {SCORED: "1x700 3x739 0x40 2x60"}),
    stale("no data", "1500m", {}),
)

CASES = (
    *CRASH_CASES,
    *STUCK_CASES,
    *IDLE_CASES,
    *SCHEMA_CASES,
    *BUDGET_CASES,
    *SPIKE_CASES,
    *JUMP_CASES,
    *CACHE_CASES,
    *STALE_CASES,
)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.alert_groups(), CASES, tmp_path_factory.mktemp("special"))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_alert_has_cases_that_fire_and_cases_that_do_not():
    for name in {alert.name for alert in special.alerts(PRODUCTION)}:
        mine = [case for case in CASES if case.alert == name]
        assert len(mine) >= 4
        assert any(case.expect for case in mine)
        assert any(not case.expect for case in mine)


def test_no_two_cases_have_one_title():
    assert len({title(case) for case in CASES}) == len(CASES)
