"""Cases of the recording rules about versions and tracks: calls of versions in, sightings and comparisons expected.

A step is a minute; time 0 is the start, so a version that begins in minute 30 is first seen at 31 x 60 s, when its
first call has been counted.
"""

import math
from collections.abc import Iterator

from rules.cases_recording import SLICE, changed, raw, series
from support.promtool import RecordCase

from agentobs.contract import Label
from alerts.catalogue import DIAGNOSED, DIMENSIONS
from alerts.recording import tracks

PROMPT = 'environment="prod",agent_name="executor",prompt_name="executor"'
OWNER = 'dimension="prompt",environment="prod",agent_name="executor",prompt_name="executor"'
FIRST, LAST = "version:first_seen_timestamp_seconds", "version:last_seen_timestamp_seconds"
CURRENT, PREVIOUS = "version:current", "version:previous"


def calls(version: str, values: str, labels: str = PROMPT) -> dict[str, str]:
    return {f'agentic_agent_calls_total{{{labels},prompt_version="{version}",instance="a"}}': values}


def of(version: str, owner: str = OWNER) -> str:
    return f'{{{owner},version="{version}"}}'


def _sightings() -> Iterator[RecordCase]:
    def case(record: str, name: str, series: dict[str, str], at: str, expect: dict[str, float]) -> RecordCase:
        return RecordCase(record=record, name=name, series=series, at=at, expect=expect)

    steady = calls("12", "0+1x200")
    yield case(FIRST, "stays", steady, "100m", {of("12"): 60})
    yield case(LAST, "moves on", steady, "100m", {of("12"): 6000})
    pausing = calls("12", "0+1x20 20x60 20+1x60")
    yield case(FIRST, "survives a pause", pausing, "120m", {of("12"): 60})
    yield case(LAST, "stands still in a pause", pausing, "70m", {of("12"): 24 * 60})
    yield case(CURRENT, "is nobody in a long pause", pausing, "70m", {})
    yield case(CURRENT, "is there again after it", pausing, "120m", {of("12"): 60})
    # In steps of five minutes; the version is seen once, in the first.
    forgotten = calls("12", f"0+1x1 1x{31 * 288}")
    for name, at, expect in (("is forgotten after a month", 721, {}), ("is known for a month", 719, {of("12"): 300})):
        yield RecordCase(
            record=FIRST, name=name, series=forgotten, at=f"{at}h", expect=expect, interval="5m",
            select='{dimension="prompt"}',
        )  # fmt: skip
    yield case(FIRST, "none is no version", calls("none", "0+1x60"), "30m", {})
    yield case(LAST, "none is no version", calls("none", "0+1x60"), "30m", {})

    release = steady | calls("13", "_x30 0+1x170")
    both = {of("12"): 60, of("13"): 31 * 60}
    yield case(FIRST, "of two", release, "60m", both)
    yield case(CURRENT, "is the newest in use, beside a canary", release, "60m", {of("13"): 31 * 60})
    yield case(PREVIOUS, "is the one in use beside it", release, "60m", {of("12"): 3600})
    # 12, then 13, back to 12, then 14: what 14 has to be compared with is 12.
    rollback = (
        calls("12", "0+1x30 30x30 30+1x30 60x200") | calls("13", "_x30 0+1x30 30x250") | calls("14", "_x90 0+1x200")
    )
    yield case(CURRENT, "after a rollback is the old one", rollback, "80m", {of("12"): 60})
    yield case(PREVIOUS, "after a rollback has no older one", rollback, "80m", {})
    yield case(CURRENT, "after the next release is the new one", rollback, "120m", {of("14"): 91 * 60})
    yield case(PREVIOUS, "is what was rolled back to, not what was rolled back", rollback, "120m", {of("12"): 96 * 60})
    other = PROMPT.replace("executor", "planner")
    two = steady | calls("7", "0+1x30 30x100", other) | calls("8", "_x30 0+1x100", other)
    planner = OWNER.replace("executor", "planner")
    yield case(CURRENT, "of each agent", two, "60m", {of("12"): 60, of("8", planner): 31 * 60})
    yield case(PREVIOUS, "of the agent that has one", two, "60m", {of("7", planner): 34 * 60})
    for dimension, name, labels, shared in (
        ("tool", "tool", 'environment="prod",tool_name="lookup"', 'environment="prod",tool_name="lookup"'),
        ("graph", "task", 'environment="prod",workflow="support"', 'environment="prod",workflow="support"'),
        ("model", "llm", 'environment="prod",agent_name="a",is_fallback="false"', 'environment="prod",agent_name="a"'),
    ):
        label = next(d.version for d in DIMENSIONS if d.key == dimension)
        series = {f'agentic_{name}_calls_total{{{labels},{label}="4"}}': "0+1x60"}
        found = {f'{{dimension="{dimension}",{shared},version="4"}}': 60.0}
        yield case(FIRST, f"of a {dimension}", series, "30m", found)
    fallback = {'agentic_llm_calls_total{environment="prod",agent_name="a",is_fallback="true",model="m"}': "0+1x60"}
    yield case(FIRST, "a fallback is no new model", fallback, "30m", {})


TOOL = 'environment="prod",tool_name="lookup"'
TOOLS = f'dimension="tool",{TOOL},kpi="tool_success"'


def _slices() -> Iterator[RecordCase]:
    good, bad = (
        f'agentic_tool_calls_total{{{TOOL},tool_version="4",error_class="{error}"}}' for error in ("none", "timeout")
    )
    name = f'{{{TOOLS},version="4"}}'
    timeouts, retries = (name.replace("tool_success", kpi) for kpi in ("tool_timeouts", "tool_retries"))
    calls_ = {good: "0+3x90", bad: "0+1x90"}
    yield RecordCase(
        record="version:events1h", name="of a tool", series=calls_, at="70m",
        expect={name: 240, timeouts: 240, retries: 240},
    )  # fmt: skip
    yield RecordCase(
        record="version:value1h", name="of a tool", series=calls_, at="70m",
        expect={name: 0.75, timeouts: 0.25, retries: 0},
    )  # fmt: skip
    again = bad.replace("timeout", 'timeout",is_retry="true')
    retried = {good: "0+3x90", bad: "0+1x90", again: "0+1x90"}
    yield RecordCase(
        record="version:share1h",
        name="of first attempts",
        series=retried,
        at="70m",
        expect={name: 0.75, timeouts: 0.25},
    )
    yield RecordCase(
        record="version:value1h", name="of all attempts", series=retried, at="70m",
        expect={name: 0.6, timeouts: 0.4, retries: 0.2},
    )  # fmt: skip
    took = {f'agentic_tool_calls_total{{{TOOL},tool_version="4"}}': "0+4x90"}
    for suffix, le, rate in (
        ("count", "", 4),
        ("bucket", ',le="0.5"', 1),
        ("bucket", ',le="1"', 3),
        ("bucket", ',le="+Inf"', 4),
    ):
        took[f'agentic_tool_duration_seconds_{suffix}{{{TOOL},tool_version="4"{le}}}'] = f"0+{rate}x90"
    slow = name.replace("tool_success", "tool_latency")
    yield RecordCase(
        record="version:above1h", name="of a tool's seconds", series=took, at="70m",
        expect={slow.replace("}", f',le="{le}"}}'): share for le, share in (("0.5", 0.75), ("1", 0.25), ("+Inf", 0))},
    )  # fmt: skip
    few = {good: "9x90 0x1", bad: "0x9 1x90"}
    yield RecordCase(record="version:events1h", name="too few", series={good: "0+1x9 9x80"}, at="70m")
    yield RecordCase(record="version:value1h", name="too few", series={good: "0+1x9 9x80"} | {bad: few[bad]}, at="70m")


def _nats(share: float) -> float:
    """Log-likelihood of one event of a side with this share."""
    return sum(part * math.log(part) for part in (share, 1 - share) if part > 0)


def _slow() -> Iterator[RecordCase]:
    """Seconds of a tool: about a tenth of the old calls took longer than 1 s, half of the new ones do."""
    current, previous = (
        f'{name}{{dimension="tool",{TOOL},version="{v}"}}' for name, v in ((CURRENT, 4), (PREVIOUS, 3))
    )
    given = {current: "1x100", previous: "1x100"}
    values = (("3", "", 100, 0.6, (0.3, 0.08, 0.01)), ("4", "_x50 ", 50, 0.9, (0.9, 0.5, 0.1)))
    owner = f'dimension="tool",{TOOL},kpi="tool_latency"'
    for version, begins, events, seconds, shares in values:
        mine = f'{owner},version="{version}"'
        given[f"version:value1h{{{mine}}}"] = f"{begins}{seconds}x{events}"
        given[f"version:events1h{{{mine}}}"] = f"{begins}{events}x{events}"
        for le, share in zip(_BOUNDS, shares, strict=True):
            given[f'version:above1h{{{mine},le="{le}"}}'] = f"{begins}{share}x{events}"
    new, old = f'{{{owner},version="4"}}', f'{{{owner},previous="3"}}'
    both = f'{{{owner},previous="3",version="4"}}'
    bounds = {le: f'{{{owner},previous="3",le="{le}"}}' for le in _BOUNDS}
    for record, expect in (
        ("version:old_above1h", {bounds["0.5"]: 0.3, bounds["1"]: 0.08, bounds["2"]: 0.01}),
        ("version:bound1h", {bounds["1"]: 0.02}),
        ("version:new_share1h", {new: 0.5}),
        ("version:old_share1h", {old: 0.08}),
        ("version:worsening1h", {both: 0.5}),
        ("version:pooled1h", {both: 33 / 150}),
        ("version:z1h", {both: (2 * (50 * _nats(0.5) + 100 * _nats(0.08) - 150 * _nats(33 / 150))) ** 0.5}),
        ("version:bad1h", {new: 25}),
    ):
        yield RecordCase(record=record, name="of slow calls", series=given, at="80m", expect=expect)


_BOUNDS = ("0.5", "1", "2")
_MANY = (("prod", 1), ("prod", 2), ("prod", 3), ("prod", 4), ("dev", 1))


def _compared() -> Iterator[RecordCase]:
    def of_kpi(kpi: str, version: str, more: str = "") -> str:
        return f'{{dimension="tool",{TOOL},kpi="{kpi}",version="{version}"{more}}}'

    current = f'{CURRENT}{{dimension="tool",{TOOL},version="4"}}'
    previous = f'{PREVIOUS}{{dimension="tool",{TOOL},version="3"}}'
    rates = {
        f"version:value1h{of_kpi('tool_success', '3')}": "0.9x100",
        f"version:value1h{of_kpi('tool_success', '4')}": "_x50 0.6x50",
        f"version:share1h{of_kpi('tool_success', '3')}": "0.9x100",
        f"version:share1h{of_kpi('tool_success', '4')}": "_x50 0.6x50",
        f"version:events1h{of_kpi('tool_success', '3')}": "100x40 60x60",
        f"version:events1h{of_kpi('tool_success', '4')}": "_x50 50x50",
        current: "1x100",
        previous: "1x100",
    }
    new = f'{{dimension="tool",{TOOL},kpi="tool_success",version="4"}}'
    old = f'{{dimension="tool",{TOOL},kpi="tool_success",previous="3"}}'
    both = f'{{dimension="tool",{TOOL},kpi="tool_success",previous="3",version="4"}}'
    for record, expect in (
        ("version:new_value1h", {new: 0.6}),
        ("version:new_events1h", {new: 50}),
        ("version:old_value1h", {old: 0.9}),
        ("version:old_events1h", {old: 100}),
        ("version:worsening1h", {both: 0.3}),
        ("version:pooled1h", {both: 0.8}),
        # 0.6 of 50 and 0.9 of 100 against 0.8 of 150, in nats, then as standard errors.
        ("version:z1h", {both: (2 * (50 * _nats(0.6) + 100 * _nats(0.9) - 150 * _nats(0.8))) ** 0.5}),
        ("version:new_share1h", {new: 0.6}),
        ("version:old_share1h", {old: 0.9}),
        ("version:bad1h", {new: 20}),
        # One comparison, half of 1 in 100 an hour of 180 looks: sqrt(2 ln(36000)).
        ("version:needed_z1h", {'{environment="prod"}': (2 * math.log(36000)) ** 0.5}),
    ):
        yield RecordCase(record=record, name="of a worse version", series=rates, at="80m", expect=expect)
    better = rates | {f"version:{name}1h{of_kpi('tool_success', '4')}": "_x50 1x50" for name in ("value", "share")}
    expect = {both: -((2 * (50 * _nats(1.0) + 100 * _nats(0.9) - 150 * _nats(14 / 15))) ** 0.5)}
    yield RecordCase(record="version:z1h", name="of a better version", series=better, at="80m", expect=expect)
    series = (f"version:{name}1h{of_kpi('tool_success', version)}" for name in ("value", "share") for version in "34")
    equal = rates | dict.fromkeys(series, "1x100")
    yield RecordCase(record="version:z1h", name="where nothing fails", series=equal, at="80m", expect={both: 0})
    retried = rates | {
        f"version:share1h{of_kpi('tool_success', '3')}": "0.95x100",
        f"version:share1h{of_kpi('tool_success', '4')}": "_x50 0.8x50",
    }
    for record, expect in (
        ("version:new_share1h", {new: 0.8}),
        ("version:old_share1h", {old: 0.95}),
        ("version:worsening1h", {both: 0.3}),
        ("version:pooled1h", {both: 0.9}),
        ("version:bad1h", {new: 10}),
    ):
        yield RecordCase(record=record, name="of first attempts", series=retried, at="80m", expect=expect)
    # Four comparisons in prod, one in dev.
    many = {f'version:worsening1h{{environment="{where}",kpi="k{n}"}}': "0.1x9" for where, n in _MANY}
    yield RecordCase(
        record="version:needed_z1h", name="of many", series=many, at="5m",
        expect={f'{{environment="{each}"}}': (2 * math.log(n * 36000)) ** 0.5 for each, n in (("prod", 4), ("dev", 1))},
    )  # fmt: skip
    alone = {name: values for name, values in rates.items() if not name.startswith(PREVIOUS)}
    yield RecordCase(record="version:worsening1h", name="needs one before", series=alone, at="80m")


def _tracks() -> Iterator[RecordCase]:
    flow = 'environment="prod",workflow="support"'
    given = {}
    for track, good, bad in (("stable", 9, 1), ("canary", 3, 2)):
        for outcome, rate in (("success", good), ("failure", bad)):
            given[f'agentic_task_calls_total{{{flow},track="{track}",outcome="{outcome}"}}'] = f"0+{rate}x90"
    canary, stable = (f'{{{flow},kpi="task_success",track="{track}"}}' for track in ("canary", "stable"))
    # 600 tasks at 0.9 and 300 at 0.6: together 0.8.
    nats = 300 * _nats(0.6) + 600 * _nats(0.9) - 900 * _nats(0.8)
    for record, expect in (
        ("track:events1h", {canary: 300, stable: 600}),
        ("track:value1h", {canary: 0.6, stable: 0.9}),
        ("track:canary_worsening1h", {canary: 0.3}),
        ("track:pooled1h", {canary: 0.8}),
        ("track:canary_z1h", {canary: (2 * nats) ** 0.5}),
        ("track:share1h", {canary: 0.6, stable: 0.9}),
        ("track:canary_bad1h", {canary: 120}),
        ("track:needed_z1h", {'{environment="prod"}': (2 * math.log(36000)) ** 0.5}),
    ):
        yield RecordCase(record=record, name="of a worse canary", series=given, at="70m", expect=expect)
    few = dict.fromkeys(given, "0+1x2 2x90")
    yield RecordCase(record="track:events1h", name="too few tasks", series=few, at="70m")
    assert {kpi.key for kpi in tracks.JUDGED} <= {kpi.key for kpi in DIAGNOSED}


def _every_slice() -> Iterator[RecordCase]:
    """Each KPI in each dimension that has it, and on each track."""
    for dimension in DIMENSIONS:
        owner = {str(label): SLICE[label] for label in dimension.entity}
        for kpi in (kpi for kpi in DIAGNOSED if kpi.sliced_by(dimension.labels)):
            given, events, value = raw(kpi, dimension.labels, 90)
            mine = {"dimension": dimension.key, "kpi": kpi.key}
            expected = series("", {**mine, **owner, "version": SLICE[dimension.version]})
            select = series("", mine)
            for record, number in (("events", events * 60), ("value", value)):
                yield RecordCase(
                    record=f"version:{record}1h", name=f"{kpi.key} by {dimension.key}", series=given, at="70m",
                    expect={expected: number}, select=select,
                )  # fmt: skip
    for kpi in tracks.JUDGED:
        given, events, value = raw(kpi, (*kpi.by, Label.TRACK), 90)
        expected = series("", {"kpi": kpi.key, **{str(label): SLICE[label] for label in kpi.by}, "track": "canary"})
        for record, number in (("events", events * 60), ("value", value)):
            yield RecordCase(
                record=f"track:{record}1h", name=kpi.key, series=given, at="70m", expect={expected: number},
                select=series("", {"kpi": kpi.key}),
            )  # fmt: skip


def _every_worsening() -> Iterator[RecordCase]:
    for kpi in DIAGNOSED:
        dimension = next((each for each in DIMENSIONS if kpi.sliced_by(each.labels)), None)
        if dimension is None:
            continue
        before, now, worse = changed(kpi)
        owner = {"kpi": kpi.key, "dimension": dimension.key, **{str(label): SLICE[label] for label in dimension.entity}}
        given = {
            series("version:new_value1h", {**owner, "version": "2"}): f"{now}x9",
            series("version:old_value1h", {**owner, "previous": "1"}): f"{before}x9",
        }
        labels = series("", {**owner, "version": "2", "previous": "1"})
        yield RecordCase(
            record="version:worsening1h", name=f"{kpi.key} by {dimension.key}", series=given, at="5m",
            expect={labels: worse},
        )  # fmt: skip
    for kpi in tracks.JUDGED:
        before, now, worse = changed(kpi)
        owner = {"kpi": kpi.key, **{str(label): SLICE[label] for label in kpi.by}}
        given = {
            series("track:value1h", {**owner, "track": "canary"}): f"{now}x9",
            series("track:value1h", {**owner, "track": "stable"}): f"{before}x9",
        }
        labels = series("", {**owner, "track": "canary"})
        yield RecordCase(record="track:canary_worsening1h", name=kpi.key, series=given, at="5m", expect={labels: worse})


CASES = (*_every_slice(), *_every_worsening(), *_sightings(), *_slices(), *_compared(), *_slow(), *_tracks())
