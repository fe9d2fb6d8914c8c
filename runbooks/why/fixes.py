"""What usually mends it, the first thing first. Sentences with the names filled in; the runbooks say how."""

from collections.abc import Mapping, Sequence
from typing import Final

from agentobs.contract import ABSENT
from alerts import catalogue
from alerts.catalogue import Kpi
from runbooks.why.document import Culprit, Origin

_OF_DIMENSION: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": (
        "Roll the prompt of {whose} back from {version} to {previous}.",
        "Compare a failing trace of {version} with a good one of {previous} before anybody edits the prompt again.",
        "Mend the prompt against the golden dataset, not in production.",
    ),
    "tool": (
        "Roll the tool {whose} back from {version} to {previous}.",
        "If it cannot go back: let agents use another tool, or switch it off.",
        "Compare the schemas that both versions list; a changed argument breaks callers that were not changed.",
    ),
    "model": (
        "Put {whose} back on {previous}.",
        "If {previous} is gone: take the fallback model, and lower the limit of output tokens.",
        "Replay the golden dataset on {version} before it gets traffic again.",
    ),
    "graph": (
        "Roll the graph of {whose} back from {version} to {previous}.",
        "Lower the limit of rounds per task until it is back.",
        "Look in a failing trace for the edge that sends work back.",
    ),
}
_DRIFT: Final = (
    "No version explains it: do not roll one back before failing traces of it were read.",
    "Look at traces of the new kind of task, and route them to people until agents can handle them.",
    "Add such tasks to the golden dataset, then improve the prompts against it.",
)
_COST: Final = (
    "No version is to blame: look at how long the contexts of {whose} are, for loops, and at the model that answers.",
    "Cap it: output tokens, rounds per task, length of the history; summarise or cut what tools return.",
    "Compare a dear trace with one from before, model call by model call.",
)
_SLOW: Final = (
    "No version is to blame: look at what {whose} waits for (machine, provider, queue, network, quota).",
    "Take load off it: fewer retries, a shorter time-out, the fallback tool or model.",
    "Compare a slow trace with one from before: the span that grew is the place.",
)
_SHARED: Final = (
    "No version is to blame: look at what {whose} share (machine, provider, network, quota, inputs).",
    "Take load off it until it is found: fewer tasks at a time, fewer retries, a shorter time-out.",
    "Compare a trace with one from before: what grew in every agent is the place.",
)
_USE: Final = (
    "Look at how {user} calls {whose}: arguments, the schema it was given, its credentials and quota.",
    "Let {user} use another tool, or take the calls over from an agent that does well.",
    "Compare a failing call of {user} with a good one of another agent.",
)
_FAILING: Final = (
    "No version is to blame: look at what {whose} depends on (backend, provider, credentials, quota, network).",
    "Take load off it: fewer retries, the fallback tool or model, or switch it off.",
    "Compare a failing trace with a good one from before.",
)
_ANSWERS: Final = (
    "No version is to blame: look at what {whose} was asked and what its tools returned.",
    "Compare a failing trace with a good one from before: first the input, then what the tools said.",
    "Add such cases to the golden dataset, and route them to people until they pass.",
)
_OF_KPI: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys((k.key for k in (catalogue.TASK_COST, catalogue.MODEL_COST, catalogue.REQUEST_TOKENS)), _COST),
    **dict.fromkeys((k.key for k in (catalogue.AGENT_RUNS_PER_TASK,)), _COST),
    **dict.fromkeys(
        (
            k.key
            for k in (catalogue.TASK_LATENCY, catalogue.AGENT_LATENCY, catalogue.MODEL_LATENCY, catalogue.TOOL_LATENCY)
        ),
        _SLOW,
    ),
    **dict.fromkeys(
        (k.key for k in (catalogue.EVALUATION_PASS, catalogue.HALLUCINATION, catalogue.POLICY_VIOLATIONS)), _ANSWERS
    ),
}
_FIRST: Final = (
    "No {dimension} version of {whose} ran before {version}: go back to how it worked without, or switch it off.",
    "Compare a failing trace of {version} with a good one from before.",
    "Test {version} against the golden dataset before it gets traffic again.",
)
_NEW: Final = (
    "Take {whose} out again: put back the prompt or the graph that calls it, or switch it off.",
    "Look at its first failing call: arguments, schema, credentials, network and quota are what something new lacks.",
    "Test it alone before agents get it again.",
)
_INSTEAD: Final = (
    "Put {instead} back in the place of {whose}.",
    "Compare a failing trace with one of {instead} from before: arguments, schema, credentials, network, quota.",
    "Test {whose} beside {instead}, on a share of the traffic, before it takes its place again.",
)
_TAKEN_BACK: Final = (
    "Nothing is left to roll back: {previous} runs again. Keep {version} away until it is mended.",
    "Compare a failing trace of {version} with a good one of {previous}, and add the case to the golden dataset.",
)
_OVER: Final = ("It is over: nothing to do now. Look at a trace from that time before it comes back.",)


def of_new(whose: str, instead: str) -> list[str]:
    """Return the fixes for a tool or an agent that is new, and took the place of `instead` where that is a name."""
    return [text.format(whose=whose, instead=instead) for text in (_INSTEAD if instead else _NEW)]


def of(  # noqa: PLR0913 what is known of one hypothesis
    origin: Origin,
    culprit: Culprit | None,
    whose: str,
    kpi: Kpi,
    *,
    ended: bool,
    shared: bool,
    user: str = "",
    with_it: Sequence[str] = (),
) -> list[str]:
    """Return the fixes for a cause of a KPI that got worse.

    `shared` where several places got worse together, `user` where only this agent's calls of a tool did, `with_it`
    are tools that changed with the accused one.
    """
    if culprit is None:
        texts = _OF_KPI.get(kpi.key, _FAILING)
        if origin is Origin.DATA_DRIFT:
            texts = _DRIFT
        elif shared and texts in {_SLOW, _FAILING}:
            texts = _SHARED
        elif user:
            texts = _USE
        texts = _OVER if ended else texts
        return [text.format(whose=whose, user=user) for text in texts]
    texts = _FIRST if culprit.previous == ABSENT else _OF_DIMENSION[culprit.dimension]
    names = {"whose": whose, "dimension": culprit.dimension, "version": culprit.version, "previous": culprit.previous}
    made = [text.format(**names) for text in (_TAKEN_BACK if ended else texts)]
    if with_it and not ended:
        made.insert(1, f"A server goes back as a whole: {', '.join(with_it)} with it.")
    return made
