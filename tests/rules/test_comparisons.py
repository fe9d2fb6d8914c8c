"""Alerts that compare versions, tracks and times: what must raise them, what must not, and the exact words of each.

Inputs are recorded comparisons, one value a minute: on the tolerance and just beyond it, on the z that is still chance
and just beyond it. Not here: how the comparisons are recorded.
"""

import pytest
from support.promtool import AlertCase, Fired, title, verdicts

from alerts import rules
from alerts.alerting import comparisons

VERSIONS = {"owner": "agents", "family": "versions"}


def labels_of(series: str) -> dict[str, str]:
    """The labels in a series as promtool writes it."""
    pairs = series.partition("{")[2].removesuffix("}").split(",")
    return {name: value.strip('"') for name, _, value in (pair.partition("=") for pair in pairs)}


def tolerance(kpi: str) -> str:
    return f'kpi:tolerance{{kpi="{kpi}"}}'


# The canary.

CANARY_TEXT = (
    "Over the last hour the canary did worse than the stable track by more than the tolerance, and by more than"
    " chance explains. Stop the rollout before more traffic gets it."
)
TASKS = '{environment="prod",workflow="support",kpi="task_success",track="canary"}'
TASKS_DEV = '{environment="dev",workflow="support",kpi="task_success",track="canary"}'
PROVIDER = '{environment="prod",provider="acme",kpi="model_success",track="canary"}'
EVALUATION = '{environment="prod",agent_name="writer",eval_name="groundedness",kpi="evaluation_pass",track="canary"}'
WORSE, Z, BAD = "track:canary_worsening1h", "track:canary_z1h", "track:canary_bad1h"


def needed(family: str) -> dict[str, str]:
    """Standard errors that are hardly chance; dev makes more comparisons."""
    return {f'{family}:needed_z1h{{environment="{name}"}}': f"{z}x60" for name, z in (("prod", 3), ("dev", 3.2))}


def canary_fired(labels: str, summary: str, value: str) -> Fired:
    return Fired(
        labels={**labels_of(labels), **VERSIONS, "severity": "page"},
        annotations={"summary": summary, "description": CANARY_TEXT, "value": value},
    )


def canary(name: str, at: str, series: dict[str, str], *fired: Fired) -> AlertCase:
    enough = {BAD + one: "4x60" for one in (TASKS, TASKS_DEV, PROVIDER, EVALUATION)}
    given = {tolerance("task_success"): "0.05x60", **needed("track"), **enough, **series}
    return AlertCase(alert="CanaryWorse", name=name, series=given, at=at, expect=fired)


CANARY = {WORSE + TASKS: "0.06x60", Z + TASKS: "3.1x60"}
CANARY_FIRED = canary_fired(
    TASKS, "The canary's task_success of workflow support in prod is 6% worse than what is stable.", "6%"
)
CANARY_CASES = (
    canary("fires after 5 minutes", "5m", CANARY, CANARY_FIRED),
    canary("not yet", "4m45s", CANARY),
    canary("as tolerated", "30m", CANARY | {WORSE + TASKS: "0.05x60"}),
    canary("better", "30m", CANARY | {WORSE + TASKS: "-0.2x60", Z + TASKS: "-9x60"}),
    canary("may be chance", "30m", CANARY | {Z + TASKS: "3x60"}),
    canary("no chance known", "30m", {WORSE + TASKS: "0.5x60"}),
    canary("three bad events", "30m", CANARY | {BAD + TASKS: "3x60"}),
    canary("hardly chance in prod, and chance in dev", "30m", {WORSE + TASKS_DEV: "0.06x60", Z + TASKS_DEV: "3.1x60"}),
    canary("only another environment is sure", "30m", {WORSE + TASKS: "0.06x60", Z + TASKS_DEV: "9x60"}),
    canary("the canary is sure and slightly worse, another one is worse and unsure", "30m", {
        WORSE + TASKS: "0.04x60", Z + TASKS: "9x60", WORSE + TASKS_DEV: "0.5x60", Z + TASKS_DEV: "1x60",
    }),
    canary("one of two environments", "5m", CANARY | {WORSE + TASKS_DEV: "0x60", Z + TASKS_DEV: "0x60"}, CANARY_FIRED),
    canary(
        "both environments", "5m", CANARY | {WORSE + TASKS_DEV: "0.5x60", Z + TASKS_DEV: "9x60"}, CANARY_FIRED,
        canary_fired(
            TASKS_DEV, "The canary's task_success of workflow support in dev is 50% worse than what is stable.", "50%"
        ),
    ),
    canary(
        "names the provider", "5m",
        {WORSE + PROVIDER: "0.04x60", Z + PROVIDER: "3.1x60", tolerance("model_success"): "0.03x60"},
        canary_fired(
            PROVIDER, "The canary's model_success of provider acme in prod is 4% worse than what is stable.", "4%"
        ),
    ),
    canary(
        "names the evaluation", "5m",
        {WORSE + EVALUATION: "0.06x60", Z + EVALUATION: "3.1x60", tolerance("evaluation_pass"): "0.05x60"},
        canary_fired(
            EVALUATION,
            "The canary's evaluation_pass of evaluation groundedness of agent writer in prod is 6% worse than what is"
            " stable.",
            "6%",
        ),
    ),
    canary("the rollout was stopped", "40m", {WORSE + TASKS: "0.06x20 _x40", Z + TASKS: "3.1x20 _x40"}),
    canary("recovers", "40m", CANARY | {WORSE + TASKS: "0.06x20 0x40"}),
    canary("no data", "30m", {}),
)  # fmt: skip

# Last week, and the recorded baseline.

LAST_WEEK, BASELINE = "kpi:week_worsening1h", "kpi:baseline_worsening1h"
NEW_VERSION = 'version:current{environment="prod",dimension="tool",tool_name="lookup",version="4.0.0"}'
OLD_VERSION = 'version:current{environment="prod",dimension="tool",tool_name="refund",version="1.0.0"}'
DEV_VERSION = 'version:current{environment="dev",dimension="tool",tool_name="lookup",version="5.0.0"}'
LOOKUP = '{environment="prod",tool_name="lookup",kpi="tool_success"}'
LOOKUP_DEV = '{environment="dev",tool_name="lookup",kpi="tool_success"}'
RUNS = '{environment="prod",kpi="agent_runs_per_task"}'
MODEL = '{environment="prod",model="large-2",kpi="model_latency"}'
SERVER = '{environment="prod",service="orders-mcp",kpi="mcp_server_success"}'
RETRIES = '{environment="prod",agent_name="executor",tool_name="lookup",kpi="tool_retries"}'
WEEK_TEXT = (
    "Over the last hour it was worse than the same hour a week ago by more than the tolerance, a difference for shares"
    " and a part of the old value for the rest, for 30 minutes. Versions first seen within a day: none known"
)
BASELINE_TEXT = (
    "Over the last hour it was worse than the recorded baseline by more than the tolerance, a difference for shares"
    " and a part of the old value for the rest, for 30 minutes. Versions first seen within a day: none known"
)
CHANGED_TEXT = (
    "Over the last hour it was worse than the same hour a week ago by more than the tolerance, a difference for shares"
    " and a part of the old value for the rest, for 30 minutes. Versions first seen within a day: tool of lookup 4.0.0,"
    " first seen 1970-01-02 00:00:00 +0000 UTC; "
)


def before_fired(labels: str, summary: str, value: str, description: str = WEEK_TEXT) -> Fired:
    return Fired(
        labels={**labels_of(labels), **VERSIONS, "severity": "ticket"},
        annotations={"summary": summary, "description": description, "value": value},
    )


def _before(alert: str, series: str, than: str, description: str) -> tuple[AlertCase, ...]:
    """The cases that both comparisons share."""
    worse, worse_dev = series + LOOKUP, series + LOOKUP_DEV
    fired, fired_dev = (
        before_fired(labels, f"tool_success of tool lookup in {where} is 6% worse than {than}.", "6%", description)
        for labels, where in ((LOOKUP, "prod"), (LOOKUP_DEV, "dev"))
    )
    tolerated = {tolerance("tool_success"): "0.05x90", tolerance("task_success"): "0.01x90"}

    def case(name: str, at: str, values: dict[str, str], *expect: Fired) -> AlertCase:
        return AlertCase(alert=alert, name=name, series={**tolerated, **values}, at=at, expect=expect)

    return (
        case("fires after half an hour", "30m", {worse: "0.06x90"}, fired),
        case("one of two environments", "30m", {worse: "0.06x90", worse_dev: "0.05x90"}, fired),
        case("both environments", "30m", {worse: "0.06x90", worse_dev: "0.06x90"}, fired, fired_dev),
        case("not yet", "29m45s", {worse: "0.06x90"}),
        case("as tolerated", "60m", {worse: "0.05x90"}),
        case("better", "60m", {worse: "-0.5x90"}),
        case("the tolerance of another KPI", "60m", {worse: "0.04x90"}),
        case("no tolerance known", "60m", {worse.replace("tool_success", "unknown"): "0.9x90"}),
        case("too little to compare", "60m", {worse: "0.06x20 _x70"}),
        case("recovers", "60m", {worse: "0.06x40 0x50"}),
        case("no data", "60m", {}),
    )


def week(name: str, series: dict[str, str], at: str, *fired: Fired) -> AlertCase:
    return AlertCase(alert="WorseThanLastWeek", name=name, series=series, at=at, expect=fired)


BEFORE_CASES = (
    *_before("WorseThanLastWeek", LAST_WEEK, "the same hour a week ago", WEEK_TEXT),
    *_before("WorseThanBaseline", BASELINE, "the recorded baseline", BASELINE_TEXT),
    week(
        "names what is new in its environment",
        {
            LAST_WEEK + LOOKUP: "_x1470 0.06x60",
            tolerance("tool_success"): "0.05x1530",
            NEW_VERSION: "_x1470 86400x60",
            OLD_VERSION: "_x1470 3600x60",
            DEV_VERSION: "_x1470 86400x60",
        },
        "1500m",
        before_fired(
            LOOKUP, "tool_success of tool lookup in prod is 6% worse than the same hour a week ago.", "6%", CHANGED_TEXT
        ),
    ),
    week(
        "names a whole environment",
        {LAST_WEEK + RUNS: "0.4x60", tolerance("agent_runs_per_task"): "0.3x60"},
        "30m",
        before_fired(RUNS, "agent_runs_per_task in prod is 40% worse than the same hour a week ago.", "40%"),
    ),
    week(
        "names the model",
        {LAST_WEEK + MODEL: "0.4x60", tolerance("model_latency"): "0.3x60"},
        "30m",
        before_fired(
            MODEL, "model_latency of model large-2 in prod is 40% worse than the same hour a week ago.", "40%"
        ),
    ),
    week(
        "names the server",
        {LAST_WEEK + SERVER: "0.4x60", tolerance("mcp_server_success"): "0.05x60"},
        "30m",
        before_fired(
            SERVER,
            "mcp_server_success of service orders-mcp in prod is 40% worse than the same hour a week ago.",
            "40%",
        ),
    ),
    week(
        "names tool and agent",
        {LAST_WEEK + RETRIES: "0.4x60", tolerance("tool_retries"): "0.05x60"},
        "30m",
        before_fired(
            RETRIES,
            "tool_retries of tool lookup of agent executor in prod is 40% worse than the same hour a week ago.",
            "40%",
        ),
    ),
)  # fmt: skip

# Versions.

WORSENING, SURE, FAILED = "version:worsening1h", "version:z1h", "version:bad1h"
TOOL = '{environment="prod",tool_name="lookup",kpi="tool_success",dimension="tool",version="4.0.0",previous="3.1.0"}'
OTHER_TOOL = TOOL.replace("lookup", "refund")
TOOL_DEV = TOOL.replace("prod", "dev")
PROMPT = (
    '{environment="prod",agent_name="writer",prompt_name="draft",kpi="agent_success",dimension="prompt",'
    'version="8",previous="7"}'
)
MODEL_SWAP = (
    '{environment="prod",agent_name="writer",kpi="agent_success",dimension="model",'
    'version="large-2",previous="large-1"}'
)
TIMEOUTS = TOOL.replace("tool_success", "tool_timeouts")
COST = '{environment="prod",workflow="support",kpi="task_cost",dimension="graph",version="12",previous="11"}'
DEAR = (
    '{environment="prod",agent_name="writer",kpi="model_cost",dimension="model",version="large-2",previous="large-1"}'
)
SEEN_TOOL = 'version:current{environment="prod",tool_name="lookup",dimension="tool",version="4.0.0"}'
SEEN_PROMPT = (
    'version:current{environment="prod",agent_name="writer",prompt_name="draft",dimension="prompt",version="8"}'
)
SEEN_MODEL = 'version:current{environment="prod",agent_name="writer",dimension="model",version="large-2"}'
SEEN_GRAPH = 'version:current{environment="prod",workflow="support",dimension="graph",version="12"}'
# The same number of other tools, agents and environments, seen at another time.
SAME_NUMBER = {
    SEEN_TOOL.replace("lookup", "refund"): "1600000000x60",
    SEEN_TOOL.replace("prod", "dev"): "1600000000x60",
    SEEN_PROMPT.replace("writer", "planner"): "1600000000x60",
    SEEN_PROMPT.replace("draft", "review"): "1600000000x60",
    SEEN_GRAPH.replace("support", "billing"): "1600000000x60",
}
SEEN = {
    SEEN_TOOL: "1700000000x60",
    SEEN_PROMPT: "1700003600x60",
    SEEN_MODEL: "1700007200x60",
    SEEN_GRAPH: "1700010800x60",
}
TOLERANCES = {
    tolerance("tool_success"): "0.05x60",
    tolerance("agent_success"): "0.05x60",
    tolerance("tool_timeouts"): "0.05x60",
    tolerance("task_cost"): "0.3x60",
    tolerance("model_cost"): "0.3x60",
}


def version_fired(labels: str, severity: str, summary: str, description: str, value: str) -> Fired:
    return Fired(
        labels={**labels_of(labels), **VERSIONS, "severity": severity},
        annotations={"summary": summary, "description": description, "value": value},
    )


TOOL_FIRED = version_fired(
    TOOL,
    "page",
    "tool_success of tool lookup in prod got 6% worse with tool 4.0.0 (was 3.1.0).",
    "The tool changed from 3.1.0 to 4.0.0, first seen 2023-11-14 22:13:20 +0000 UTC. Compared with the previous"
    " version's last day, tool_success got worse by 6% (a difference for shares, a part of the old value for the rest)."
    " Roll the version back first.",
    "6%",
)
TOOL_DEV_FIRED = version_fired(
    TOOL_DEV,
    "page",
    "tool_success of tool lookup in dev got 7% worse with tool 4.0.0 (was 3.1.0).",
    "The tool changed from 3.1.0 to 4.0.0, first seen 2020-09-13 12:26:40 +0000 UTC. Compared with the previous"
    " version's last day, tool_success got worse by 7% (a difference for shares, a part of the old value for the rest)."
    " Roll the version back first.",
    "7%",
)
PROMPT_FIRED = version_fired(
    PROMPT,
    "page",
    "agent_success of agent writer in prod got 6% worse with prompt draft 8 (was 7).",
    "The prompt changed from 7 to 8, first seen 2023-11-14 23:13:20 +0000 UTC. Compared with the previous version's"
    " last day, agent_success got worse by 6% (a difference for shares, a part of the old value for the rest). Roll the"
    " version back first.",
    "6%",
)
MODEL_FIRED = version_fired(
    MODEL_SWAP,
    "page",
    "agent_success of agent writer in prod got 8% worse with model large-2 (was large-1).",
    "The model changed from large-1 to large-2, first seen 2023-11-15 00:13:20 +0000 UTC. Compared with the previous"
    " version's last day, agent_success got worse by 8% (a difference for shares, a part of the old value for the"
    " rest). Roll the version back first.",
    "8%",
)
TIMEOUTS_FIRED = version_fired(
    TIMEOUTS,
    "ticket",
    "tool_timeouts of tool lookup in prod got 6% worse with tool 4.0.0 (was 3.1.0).",
    "The tool changed from 3.1.0 to 4.0.0, first seen 2023-11-14 22:13:20 +0000 UTC. Compared with the previous"
    " version's last day, tool_timeouts got worse by 6% (a difference for shares, a part of the old value for the"
    " rest). Roll the version back first.",
    "6%",
)
COST_FIRED = version_fired(
    COST,
    "ticket",
    "task_cost of workflow support in prod got 31% worse with graph 12 (was 11).",
    "The graph changed from 11 to 12, first seen 2023-11-15 01:13:20 +0000 UTC. Compared with the previous version's"
    " last day, task_cost got worse by 31% (a difference for shares, a part of the old value for the rest). Roll the"
    " version back first.",
    "31%",
)

DEAR_FIRED = version_fired(
    DEAR,
    "ticket",
    "model_cost of agent writer in prod got 31% worse with model large-2 (was large-1).",
    "The model changed from large-1 to large-2, first seen 2023-11-15 00:13:20 +0000 UTC. Compared with the previous"
    " version's last day, model_cost got worse by 31% (a difference for shares, a part of the old value for the rest)."
    " Roll the version back first.",
    "31%",
)


def version(name: str, at: str, series: dict[str, str], *fired: Fired) -> AlertCase:
    given = {**TOLERANCES, **SEEN, **SAME_NUMBER, **needed("version"), **series}
    return AlertCase(alert="VersionRegression", name=name, series=given, at=at, expect=fired)


def worse(labels: str, by: str, z: str | None = None) -> dict[str, str]:
    sure = {SURE + labels: f"{z}x60", FAILED + alone(labels): "4x60"} if z else {}
    return {WORSENING + labels: f"{by}x60", **sure}


def dear(by: str, new: int, old: int) -> dict[str, str]:
    """Cost per model call, which has no histogram."""
    before = "{" + ",".join(f'{k}="{v}"' for k, v in labels_of(DEAR).items() if k != "version") + "}"
    events = {"version:new_events1h" + alone(DEAR): f"{new}x60", "version:old_events1h" + before: f"{old}x60"}
    return {WORSENING + DEAR: f"{by}x60", **events}


def alone(labels: str) -> str:
    """The labels of a version without those of the one before."""
    return "{" + ",".join(f'{k}="{v}"' for k, v in labels_of(labels).items() if k != "previous") + "}"


VERSION_CASES = (
    version("a share that pages fires after 5 minutes", "5m", worse(TOOL, "0.06", "3.1"), TOOL_FIRED),
    version("a share that waits fires after 5 minutes", "5m", worse(TIMEOUTS, "0.06", "3.1"), TIMEOUTS_FIRED),
    version("a mean fires after 5 minutes", "5m", worse(COST, "0.31", "3.1"), COST_FIRED),
    version("a mean without a histogram, of many events", "5m", dear("0.31", 500, 500), DEAR_FIRED),
    version("a mean without a histogram: not yet", "4m45s", dear("0.31", 500, 500)),
    version("a mean without a histogram: as tolerated", "30m", dear("0.3", 900, 900)),
    version("a mean without a histogram, of too few new events", "30m", dear("9", 499, 900)),
    version("a mean without a histogram, of too few old events", "30m", dear("9", 900, 499)),
    version("a mean by a single slow call", "30m", worse(COST, "9") | {SURE + COST: "0.4x60", FAILED + COST: "1x60"}),
    version("a share that pages: not yet", "4m45s", worse(TOOL, "0.06", "3.1")),
    version("a share that waits: not yet", "4m45s", worse(TIMEOUTS, "0.06", "3.1")),
    version("a mean: not yet", "4m45s", worse(COST, "0.31", "3.1")),
    version("a share that pages: as tolerated", "30m", worse(TOOL, "0.05", "9")),
    version("a share that waits: as tolerated", "30m", worse(TIMEOUTS, "0.05", "9")),
    version("a mean: as tolerated", "30m", worse(COST, "0.3", "9")),
    version("a mean: may be chance", "30m", worse(COST, "0.5", "3")),
    version("a share that pages: may be chance", "30m", worse(TOOL, "0.5", "3")),
    version("a share that waits: may be chance", "30m", worse(TIMEOUTS, "0.5", "3")),
    version("a share with three bad events", "30m", worse(TOOL, "0.5", "9") | {FAILED + alone(TOOL): "3x60"}),
    version("a share of an environment with more comparisons", "30m", worse(TOOL_DEV, "0.07", "3.1")),
    version("a share of which no chance is known", "30m", worse(TOOL, "0.5") | worse(TIMEOUTS, "0.5")),
    version("better", "30m", worse(TOOL, "-0.5", "-9") | worse(COST, "-0.5")),
    version("no tolerance known", "30m", worse(TOOL.replace("tool_success", "task_success"), "0.9", "9")),
    version("only another tool is sure", "30m", worse(TOOL, "0.5") | {SURE + OTHER_TOOL: "9x60"}),
    version(
        "one tool is sure and slightly worse, another is worse and unsure",
        "30m",
        worse(TOOL, "0.04", "9") | worse(OTHER_TOOL, "0.5", "1"),
    ),
    version(
        "two dimensions of one agent at once",
        "5m",
        worse(PROMPT, "0.06", "3.1") | worse(MODEL_SWAP, "0.08", "3.1"),
        PROMPT_FIRED,
        MODEL_FIRED,
    ),
    version(
        "two dimensions at once, one of them by chance",
        "5m",
        worse(PROMPT, "0.06", "3.1") | worse(MODEL_SWAP, "0.08", "2.9"),
        PROMPT_FIRED,
    ),
    version(
        "a share and a mean at once",
        "5m",
        worse(TOOL, "0.06", "3.1") | worse(TIMEOUTS, "0.06", "3.1") | worse(COST, "0.31", "3.1"),
        TOOL_FIRED,
        TIMEOUTS_FIRED,
        COST_FIRED,
    ),
    version(
        "two environments at once",
        "5m",
        worse(TOOL, "0.06", "3.1") | worse(TOOL_DEV, "0.07", "3.3"),
        TOOL_FIRED,
        TOOL_DEV_FIRED,
    ),
    version("one of two environments", "5m", worse(TOOL, "0.06", "3.1") | worse(TOOL_DEV, "0", "0"), TOOL_FIRED),
    version(
        "rolled back",
        "40m",
        worse(TOOL, "0.06", "3.1") | {WORSENING + TOOL: "0.06x20 _x40", SURE + TOOL: "3.1x20 _x40"},
    ),
    version("recovers", "40m", worse(TOOL, "0.06", "3.1") | {WORSENING + TOOL: "0.06x20 0x40"}),
    version("no data", "30m", {}),
)

CASES = (*CANARY_CASES, *BEFORE_CASES, *VERSION_CASES)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.alert_groups(), CASES, tmp_path_factory.mktemp("comparisons"))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_alert_has_cases_that_fire_and_cases_that_do_not():
    for name in {alert.name for alert in comparisons.alerts()}:
        mine = [case for case in CASES if case.alert == name]
        assert len(mine) >= 4
        assert any(case.expect for case in mine)
        assert any(not case.expect for case in mine)


def test_no_two_cases_have_one_title():
    assert len({title(case) for case in CASES}) == len(CASES)
