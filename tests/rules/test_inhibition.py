"""What mutes what, judged by a real Alertmanager; and every rule, matcher and label of the rules is needed for it."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from support.alertmanager import Alertmanager, alertmanager, key

from alerts import alerting, routing
from alerts.routing.inhibition import CLUES, ENTITIES, SILENCES
from alerts.timing import PRODUCTION

CONFIG = routing.config(routing.Routing(profile=routing.Profile.SHOW))
NAMES = {alert.name for alert in alerting.alerts(PRODUCTION)}
WATCHDOG = {"alertname": "Watchdog", "severity": "ticket", "owner": "platform", "family": "platform"}


def page(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": name, "severity": "page", **labels}


def ticket(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": name, "severity": "ticket", **labels}


@dataclass(frozen=True)
class Case:
    """Alerts that fire together in one environment (unless they name one): those muted, those not."""

    name: str
    muted: Sequence[Mapping[str, str]] = ()
    heard: Sequence[Mapping[str, str]] = ()

    def alerts(self) -> list[tuple[dict[str, str], bool]]:
        """Muted ones first, so that they end last: an alert that ends later hides others from a rule's source."""
        both = [*((alert, True) for alert in self.muted), *((alert, False) for alert in self.heard)]
        return [({"environment": self.name, **alert}, muted) for alert, muted in both]


def _entity_cases(entity: str) -> Iterator[Case]:
    """A page about one entity makes its tickets wait, and nothing else."""
    one, other = {entity: "x"}, {entity: "y"}
    yield Case(f"{entity}: page", muted=[ticket("B", **one)], heard=[page("A", **one), ticket("B", **other)])
    yield Case(f"{entity}: pages", heard=[page("VersionRegression", **one), page("A", **one), page("B", **one)])
    yield Case(f"{entity}: elsewhere", heard=[page("A", environment="here", **one), ticket("B", **one)])
    yield Case(f"{entity}: ticket", heard=[ticket("B", **one), *(ticket(clue, **one) for clue in CLUES)])
    yield Case(f"{entity}: clues", heard=[page("A", **one), *(ticket(clue, **one) for clue in CLUES)])


def _burn_cases() -> Iterator[Case]:
    for fast, slow, severity in (("1h", "6h", page), ("1d", "3d", ticket)):
        same = dict.fromkeys(ENTITIES, f"burn {fast}")

        def burn(long: str, name: str = "TaskSuccessBudgetBurn", **changed: str) -> dict[str, str]:
            return severity(name, long=long, **{**same, **changed})  # noqa: B023 called within the round

        others = [burn(slow, **{entity: "other"}) for entity in ENTITIES]
        elsewhere = burn(slow, environment=f"elsewhere {fast}")
        another = burn(slow, "AgentToolSuccessBudgetBurn")
        yield Case(f"burn {fast}", muted=[burn(slow)], heard=[burn(fast), *others, elsewhere, another, burn("30m")])
        yield Case(f"no burn {fast}", heard=[severity("Other", long=fast), severity("Other", long=slow)])


def _regression_cases() -> Iterator[Case]:
    same = {"dimension": "prompt", "version": "13", "prompt_name": "p", "agent_name": "a", "tool_name": "t"}
    same["workflow"] = "w"

    def regression(severity: Any = ticket, **changed: str) -> dict[str, str]:
        return severity("VersionRegression", **{**same, **changed})

    others = [regression(kpi="agent_latency", **{label: "other"}) for label in same]
    yield Case(
        "regression",
        muted=[regression(kpi="agent_latency")],
        heard=[
            regression(page, kpi="agent_success"),
            regression(page, kpi="model_success"),
            *others,
            regression(environment="regression elsewhere"),
            ticket("ToolSchemaChanged", **same),
        ],
    )
    yield Case("regression: waits", heard=[regression(kpi="b"), regression(kpi="c"), page("CanaryWorse", **same)])


TOOL = {"tool_name": "t"}
MUTING = (
    *(case for entity in ENTITIES for case in _entity_cases(entity)),
    *_burn_cases(),
    *_regression_cases(),
    Case(
        "tool failing",
        muted=[page("RetryStorm", agent_name="a", **TOOL), ticket("ToolTimingOut", **TOOL), ticket("ToolSlow", **TOOL)],
        heard=[
            page("ToolFailing", **TOOL),
            page("RetryStorm", agent_name="a", tool_name="other"),
            page("RetryStorm", agent_name="a", environment="tool elsewhere", **TOOL),
            page("CanaryWorse", agent_name="b", **TOOL),
            # That this tool is the reason is in none of their labels: these still page.
            page("AgentFailing", agent_name="a"),
            page("AgentToolSuccessBudgetBurn", agent_name="a", long="1h"),
            page("TasksFailing", workflow="w"),
            ticket("ToolSchemaChanged", **TOOL),
        ],
    ),
    Case(
        "nameless tools", heard=[page("ToolFailing"), page("RetryStorm"), ticket("ToolTimingOut"), ticket("ToolSlow")]
    ),
    Case(
        "tool timing out",
        muted=[ticket("ToolSlow", **TOOL)],
        heard=[
            ticket("ToolTimingOut", **TOOL),
            ticket("ToolSlow", tool_name="other"),
            ticket("ToolSlow", environment="slow elsewhere", **TOOL),
            ticket("ToolSpansMismatch", **TOOL),
        ],
    ),
    Case(
        "a ticket mutes no page",
        muted=[ticket("ToolTimingOut", **TOOL)],
        heard=[page("RetryStorm", agent_name="b", **TOOL)],
    ),
    Case("slow for no reason", heard=[ticket("ToolSpansMismatch", **TOOL), ticket("ToolSlow", **TOOL)]),
    Case(
        "about nothing in particular", heard=[page("CostBudget100"), ticket("CostBudget80"), ticket("PolicyViolations")]
    ),
    Case(
        "watchdog", heard=[WATCHDOG, page("A", agent_name="a", tool_name="t", workflow="w", service="s", provider="p")]
    ),
)

SILENCED = [
    ticket("TelemetryMissing", service="s"),
    ticket("EvaluationsStale"),
    ticket("ToolIdle", tool_name="t"),
    page("TasksStuck"),
]


def down(severity: Any, family: str = "platform", name: str = "BackendDown", **labels: str) -> dict[str, str]:
    return severity(name, family=family, owner="platform", environment="prod", **labels)


# Not about an environment of agents: while one is down every environment's silence is explained. So each in a world of
# its own, in which nothing else fires.
WORLDS = {
    "nothing of the platform": MUTING,
    **{
        f"{job} down": (Case("agents", SILENCED, [down(page, job=job), page("TasksFailing", workflow="w"), WATCHDOG]),)
        for job in ("collector", "collector-sampler", "prometheus")
    },
    **{
        name: (Case("agents", heard=[cause, *SILENCED, WATCHDOG]),)
        for name, cause in {
            "logs down": down(page, job="loki"),
            "collector troubled": down(ticket, job="collector"),
            "collector overflows": down(page, family="telemetry", name="SeriesDropped", job="collector"),
        }.items()
    },
}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """One Alertmanager for each world, its alerts firing."""
    with ExitStack() as running:
        found = {}
        for name, cases in WORLDS.items():
            found[name] = running.enter_context(alertmanager(tmp_path_factory.mktemp("am"), CONFIG))
            found[name].post([labels for case in cases for labels, _ in case.alerts()])
        yield found


def _wrong(world: Alertmanager, cases: Sequence[Case], config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Case -> the alerts that are muted and should be heard, or the other way round."""
    world.load(config)
    muted = world.inhibited()
    found = {}
    for case in cases:
        if wrong := [str(labels) for labels, expected in case.alerts() if muted[key(labels)] is not expected]:
            found[case.name] = wrong
    return found


@pytest.mark.parametrize("world", WORLDS)
def test_only_what_a_cause_explains_is_muted(worlds, world):
    assert _wrong(worlds[world], WORLDS[world], CONFIG) == {}


def test_cases_do_not_overlap():
    for cases in WORLDS.values():
        every = [key(labels) for case in cases for labels, _ in case.alerts()]
        assert len(every) == len(set(every))


def test_rules_name_alerts_that_exist():
    named = {*CLUES, *SILENCES, "VersionRegression", "ToolFailing", "ToolTimingOut", "ToolSlow", "RetryStorm"}
    assert named <= NAMES
    assert any(name.endswith("BudgetBurn") for name in NAMES)
    assert {alert["alertname"] for alert in SILENCED} == set(SILENCES)


def _mutants() -> Iterator[tuple[str, dict[str, Any]]]:
    for number, rule in enumerate(CONFIG["inhibit_rules"]):
        yield f"{rule['name']} gone", _changed(number, None)
        swapped = {"source_matchers": rule["target_matchers"], "target_matchers": rule["source_matchers"]}
        yield f"{rule['name']} swapped", _changed(number, {**rule, **swapped})
        for part in ("source_matchers", "target_matchers", "equal"):
            for position, text in enumerate(rule.get(part, ())):
                rest = [*rule[part][:position], *rule[part][position + 1 :]]
                yield f"{rule['name']} {part} without {text}", _changed(number, {**rule, part: rest})
                for less in _with_fewer(text):
                    changed = [*rest, less]
                    yield f"{rule['name']} {part} {text} as {less}", _changed(number, {**rule, part: changed})


def _with_fewer(matcher: str) -> Iterator[str]:
    name, quote, values = matcher.partition('"')
    alternatives = values.removesuffix('"').split("|")
    for gone in alternatives if len(alternatives) > 1 else ():
        yield f'{name}{quote}{"|".join(value for value in alternatives if value != gone)}"'


def _changed(number: int, rule: Mapping[str, Any] | None) -> dict[str, Any]:
    rules = [*CONFIG["inhibit_rules"][:number], *([rule] if rule else []), *CONFIG["inhibit_rules"][number + 1 :]]
    return copy.deepcopy({**CONFIG, "inhibit_rules": rules})


def test_every_rule_matcher_and_label_is_needed(worlds):
    """Each thing taken away mutes too much or too little somewhere."""
    mutants = dict(_mutants())
    assert len(mutants) > 80
    alive = [
        name
        for name, config in mutants.items()
        if not any(_wrong(worlds[world], cases, config) for world, cases in WORLDS.items())
    ]
    assert set(alive) == set(SAME)


# Two pages of one kind are both sides of the rule at once, which mutes neither; the matcher says so to readers.
SAME = ('regression-page-mutes-ticket-of-same-version target_matchers without severity="ticket"',)
