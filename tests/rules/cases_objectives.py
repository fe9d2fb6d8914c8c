"""Cases of the alerts that follow from objectives: one table for all, as all have one shape.

The catalogue says target, window, hold and events; names of series, thresholds and times are spelled out here, so that
an expression that strays from them fails.
"""

import math
from collections.abc import Iterator

from support.promtool import AlertCase, Fired

from alerts.catalogue import CATALOGUE, Direction, Kpi, Objective, Unit
from alerts.catalogue.model import HOUR, MINUTE

WINDOWS = {
    5 * MINUTE: "5m",
    30 * MINUTE: "30m",
    HOUR: "1h",
    2 * HOUR: "2h",
    6 * HOUR: "6h",
    24 * HOUR: "1d",
    72 * HOUR: "3d",
}
VALUES = {
    "environment": "prod", "workflow": "support", "agent_name": "executor", "tool_name": "lookup", "model": "gpt-4.1",
    "provider": "openai", "service": "orders", "eval_name": "quality",
}  # fmt: skip
DIMENSION = {"agent_name": "prompt", "tool_name": "tool", "workflow": "graph"}


def labels(kpi: Kpi) -> dict[str, str]:
    return {str(label): VALUES[label] for label in kpi.by}


def matcher(pairs: dict[str, str]) -> str:
    return "{" + ",".join(f'{key}="{value}"' for key, value in pairs.items()) + "}"


def version(kpi: Kpi) -> dict[str, str]:
    """The series of a version in use of whoever the KPI is about: the tool, the agent or the workflow."""
    owner = next((name for name in ("tool_name", "agent_name", "workflow") if name in kpi.by), None)
    if owner is None:
        # Nobody in particular: what changed within a day is told.
        return {'version:current{dimension="graph",environment="prod",version="7",workflow="support"}': "0x60"}
    pairs = {"dimension": DIMENSION[owner], "environment": "prod", "version": "7", owner: VALUES[owner]}
    return {f"version:current{matcher(pairs)}": "1700000000x60"}


def times(seconds: float) -> str:
    return f"{round(seconds)}s"


def _series(kpi: Kpi, objective: Objective, value: str, events: str) -> dict[str, str]:
    window, mine = WINDOWS[objective.window_s], matcher(labels(kpi))
    kind = "ratio" if kpi.unit is Unit.RATIO else "mean"
    measured = f"{kind}{window}" if objective.quantile is None else f"p{objective.quantile * 100:g}_{window}"
    return {f"kpi:{kpi.key}:{measured}{mine}": value, f"kpi:{kpi.key}:events{window}{mine}": events}


def _cases(kpi: Kpi, objective: Objective) -> Iterator[AlertCase]:
    up = kpi.direction is Direction.HIGHER_IS_BETTER
    target, least, hold = objective.target, objective.min_events, objective.hold_s
    bad = target * (0.6 if up else 1.7) or 0.25
    just_bad = target * (0.98 if up else 1.02) or 0.001
    tolerated = 1 - target if up else target
    gated = kpi.unit is Unit.RATIO and objective.quantile is None and 0 < round(tolerated * least, 6) < 4
    after, before, late = times(hold + 15), times(hold - 15), times(hold + 1200)
    given = {"severity": objective.severity, "owner": "agents", "family": kpi.group, "kpi": kpi.key}
    fired = (Fired(labels={**labels(kpi), **given}, annotations={}),)

    def enough(value: float) -> float:
        """So many events that four of them are bad, where a share is judged."""
        share = 1 - value if up else value
        return max(least, math.ceil(4 / share)) if gated and share > 0 else least

    def case(name: str, at: str, value: str, events: float | None = None, expect: tuple[Fired, ...] = ()) -> AlertCase:
        counted = enough(float(value.split("x", maxsplit=1)[0])) if events is None else events
        series = _series(kpi, objective, value, f"{counted:g}x90") | (version(kpi) if name == "fires" else {})
        return AlertCase(alert=objective.alert, name=name, series=series, at=at, expect=expect)

    yield case("fires", after, f"{bad:g}x90", expect=fired)
    yield case("fires when just broken, versions unknown", after, f"{just_bad:g}x90", expect=fired)
    yield case("not yet", before, f"{bad:g}x90")
    yield case("promise just kept", late, f"{target:g}x90")
    yield case("too few events", late, f"{(0 if up else 1) if gated else bad:g}x90", events=least - 1)
    if gated:
        share = 1 - just_bad if up else just_bad
        yield case("too few bad ones", late, f"{just_bad:g}x90", events=3.4 / share)
        fewest = 1 - 4 / least if up else 4 / least
        yield case("fires with four bad ones of the fewest events", after, f"{fewest!r}x90", events=least, expect=fired)
    yield case("recovers", late, f"{bad:g}x{hold // 60 + 5} {target:g}x90")
    yield AlertCase(alert=objective.alert, name="no data", series={}, at=late)


OBJECTIVES = tuple(case for kpi in CATALOGUE for objective in kpi.objectives for case in _cases(kpi, objective))

# Long window, short window, share that may fail times the factor, hold, events, severity: SRE workbook, chapter 5.
BURNS = {
    "TaskSuccessBudgetBurn": (
        "task_success",
        {"environment": "prod", "workflow": "support"},
        "tasks",
        (("1h", "5m", 0.72, 120, 20, "page"), ("6h", "30m", 0.3, 900, 40, "page"),
         ("1d", "2h", 0.15, 3600, 60, "ticket"),
         ("3d", "6h", 0.05, 10800, 100, "ticket")),
    ),
    "AgentToolSuccessBudgetBurn": (
        "agent_tool_success",
        {"environment": "prod", "agent_name": "executor"},
        "tools",
        (("1h", "5m", 0.432, 120, 20, "page"), ("6h", "30m", 0.18, 900, 40, "page"),
         ("1d", "2h", 0.09, 3600, 60, "ticket"),
         ("3d", "6h", 0.03, 10800, 100, "ticket")),
    ),
}  # fmt: skip


def _burning(alert: str) -> Iterator[AlertCase]:
    key, mine, family, windows = BURNS[alert]
    for long, short, threshold, hold, least, severity in windows:
        labelled = {
            **mine,
            "severity": severity,
            "owner": "agents",
            "family": family,
            "kpi": key,
            "long": long,
            "short": short,
        }
        fired = (Fired(labels=labelled, annotations={}),)
        over, under = f"{1 - threshold * 1.02:.6g}x400", f"{1 - threshold * 0.98:.6g}x400"

        def case(  # noqa: PLR0917 one row of a table
            name: str, at: float, of_long: str, of_short: str, events: float = least, expect: tuple[Fired, ...] = (),
            *, long: str = long, short: str = short,
        ) -> AlertCase:  # fmt: skip
            ratio = f"kpi:{key}:ratio"
            series = {
                f"{ratio}{long}{matcher(mine)}": of_long,
                f"{ratio}{short}{matcher(mine)}": of_short,
                f"kpi:{key}:events{long}{matcher(mine)}": f"{events}x400",
            }
            return AlertCase(
                alert=alert, name=f"{name} over {long} and {short}", series=series, at=times(at), expect=expect
            )

        yield case("fires", hold + 15, over, over, expect=fired)
        yield case("not yet", hold - 15, over, over)
        yield case("long window is fine", hold + 600, under, over)
        yield case("short window is fine", hold + 600, over, under)
        yield case("too few events", hold + 600, over, over, events=least - 1)
        recovering = f"{1 - threshold * 1.02:.6g}x{hold // 60 + 5} {1 - threshold * 0.5:.6g}x300"
        yield case("recovers", hold + 1200, over, recovering)
    yield AlertCase(alert=alert, name="no data", series={}, at="3h")


BURN = tuple(case for alert in BURNS for case in _burning(alert))
RAW = (*OBJECTIVES, *BURN)
