"""Sampling of the storage branch: which traces are kept whole, as the configuration of `tail_sampling`.

Every span is judged when it arrives: the first reason to keep a trace sends what is held of it on to the exporters'
queues at once, and all its later spans follow. Only traces without a reason wait in memory, so a crash of the collector
or a full memory costs evidence only where none had arrived yet. The base rate depends on the trace id alone: every
collector decides alike, also after a restart. Not here: KPIs, which leave before sampling; redaction, which follows.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from agentobs.contract import ROLE_TASK, Attr, ErrorClass, Label, Outcome, Track
from collector import ottl

WATCH_VARIABLE: Final = "AGENTOBS_WATCHED_{}_VERSIONS"

_VERSION: Final = re.compile(r"[\w.:/@+-]+")
_NONE: Final = "none"  # stands in an empty list; no version is called so


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Versions of which every trace is kept, per dimension.

    Environment variables of the collector add to these lists (`AGENTOBS_WATCHED_PROMPT_VERSIONS=41,42`; likewise TOOL,
    GRAPH and MODEL), so that an operator can watch a version without a release.
    """

    prompt: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    graph: tuple[str, ...] = ()
    model: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for version in (*self.prompt, *self.tool, *self.graph, *self.model):
            if not _VERSION.fullmatch(version):
                raise ValueError(f"watched version {version!r}: expected letters, digits and any of _ . : / @ + -")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What is kept and what that may cost.

    `base_percent` of all traces are kept whatever they hold. A trace that shows no reason is given up `after_root_s`
    after its root span ended, or `undecided_wait_s` after its first span: set that above the longest task.
    `undecided_mib` and `trace_kib` (a typical trace) bound what waits; the oldest trace without a reason goes first.
    Kept trace ids are remembered for `remember_s` at `traces_per_s`, so that late spans follow.
    """

    base_percent: float
    slow_task_s: float = 30
    runaway_spans: int = 1000
    watched: Watched = field(default_factory=Watched)
    undecided_wait_s: int = 300
    after_root_s: int = 10
    undecided_mib: int = 512
    trace_kib: int = 150
    traces_per_s: float = 50
    remember_s: int = 3600
    shards: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.base_percent <= 100:  # noqa: PLR2004 percent
            raise ValueError(f"base_percent {self.base_percent:g}: expected 0 to 100")
        if not 0 < self.after_root_s <= self.undecided_wait_s:
            raise ValueError(
                f"after_root_s {self.after_root_s}: expected 1 to undecided_wait_s ({self.undecided_wait_s})"
            )
        numbers = (self.slow_task_s, self.runaway_spans, self.undecided_mib, self.trace_kib, self.traces_per_s)
        if min(*numbers, self.remember_s, self.shards) <= 0:
            raise ValueError("slow_task_s, sizes, rates, remember_s and shards must be positive")

    @property
    def max_traces(self) -> int:
        """Traces without a reason that fit into `undecided_mib`."""
        return max(self.shards, self.undecided_mib * 1024 // self.trace_kib)

    @property
    def remembered(self) -> int:
        """Ids of kept traces, enough when all are kept: in an incident they are."""
        return max(self.shards, round(self.traces_per_s * self.remember_s))


STAGING: Final = Sampling(base_percent=50)
PROD: Final = Sampling(base_percent=10)


def _has_track(scope: str) -> str:
    track = ottl.attribute(scope, Attr.TRACK)
    return f'({track} == "{Track.CANARY}" or {track} == "{Track.SHADOW}")'


def _is_watched(dimension: str, key: Attr, versions: tuple[str, ...]) -> str:
    """Compared as text: a pattern with a slip in it would keep the collector from starting."""
    variable = "${env:" + WATCH_VARIABLE.format(dimension) + ":-" + _NONE + "}"
    value, listed = ottl.attribute("span", key), ",".join((*versions, variable))
    # Most of the time nobody watches anything: then the list is not taken apart for every span.
    anything = "" if versions else f'"{variable}" != "{_NONE}"'
    return ottl.all_of(anything, f'{value} != nil and ContainsValue(Split("{listed}", ","), {value})')


def _trouble(sampling: Sampling) -> list[str]:
    outcome, role = ottl.attribute("span", Attr.TASK_OUTCOME), ottl.attribute("span", Attr.SPAN_ROLE)
    error_class = ottl.attribute("span", Label.ERROR_CLASS)
    slow = f"span.end_time_unix_nano - span.start_time_unix_nano > {round(sampling.slow_task_s * 1e9)}"
    return [
        "span.status.code == STATUS_CODE_ERROR",
        f'{error_class} != nil and {error_class} != "{ErrorClass.NONE}"',
        f'{outcome} != nil and {outcome} != "{Outcome.SUCCESS}"',
        f'{slow} and ({role} == "{ROLE_TASK}" or IsRootSpan())',
    ]


def _interest(watched: Watched) -> list[str]:
    wanted = ottl.attribute("span", Attr.EVALUATION_SAMPLED)
    return [
        _has_track("span"),
        _has_track("resource"),
        _is_watched("PROMPT", Attr.PROMPT_VERSION, watched.prompt),
        _is_watched("TOOL", Attr.TOOL_VERSION, watched.tool),
        _is_watched("GRAPH", Attr.GRAPH_VERSION, watched.graph),
        _is_watched("MODEL", Attr.REQUEST_MODEL, watched.model),
        f'{wanted} != nil and ({wanted} == true or {wanted} == "true")',  # baggage makes text of it
    ]


def _any_span(name: str, conditions: list[str]) -> dict[str, Any]:
    """Keep a trace when one of `conditions` holds on one of its spans."""
    return {"name": name, "type": "ottl_condition", "ottl_condition": {"error_mode": "ignore", "span": conditions}}


def _policies(sampling: Sampling) -> list[dict[str, Any]]:
    """Few policies with many conditions: a policy costs 2 us per arriving piece of a trace, a condition 0.1 us."""
    return [
        _any_span("trouble", _trouble(sampling)),
        _any_span("interest", _interest(sampling.watched)),
        # An agent in a loop is evidence, and its trace must not grow in memory.
        {"name": "runaway", "type": "span_count", "span_count": {"min_spans": sampling.runaway_spans}},
        {"name": "base", "type": "probabilistic", "probabilistic": {"sampling_percentage": sampling.base_percent}},
    ]


def batch() -> dict[str, Any]:
    """Configuration of the `batch` behind it. The sampler hands on one trace at a time, and each one costs a queue.

    A crash loses what was kept in these 200 ms, beside the undecided traces that it loses anyway. KPIs left before.
    """
    return {"timeout": "200ms", "send_batch_size": 512}


def processor(sampling: Sampling) -> dict[str, Any] | None:
    """Configuration of `tail_sampling`; None where everything is kept and the processor is left out."""
    if sampling.base_percent >= 100:  # noqa: PLR2004 percent
        return None
    return {
        "sampling_strategy": "span-ingest",
        "decision_wait": f"{sampling.undecided_wait_s}s",
        "decision_wait_after_root_received": f"{sampling.after_root_s}s",
        "num_traces": sampling.max_traces,
        "num_shards": sampling.shards,
        # No memory of traces that were given up: a late error would be dropped by it instead of being judged.
        "decision_cache": {"sampled_cache_size": sampling.remembered, "non_sampled_cache_size": 0},
        "policies": _policies(sampling),
    }
