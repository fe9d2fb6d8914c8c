"""How deep lists and maps may be nested: what is deeper is dropped at the first door, and the rest of it stays.

Behind the door values become texts, and paths to their parts: the deeper one is nested, the more each of its levels
costs, there and in stores. So depth is bounded in front. Only lambdas of OTTL look into a value without making a text
of it; the collector has them behind a gate, as they are young. Not here: how large a request is (`tiers`).
"""

from typing import Any, Final

FLAG: Final = "--feature-gates=ottl.functions.enableLambda"
"""What a collector with these configurations must be started with."""
DEEPEST: Final = 64
"""More levels than the schemas of tools have, which are the deepest values that anybody means."""
PROCESSOR: Final = "transform/depth"
_PLACES: Final = {
    "trace": ("resource", "scope", "span", "spanevent"),
    "log": ("resource", "scope", "log"),
    "metric": ("resource", "scope", "datapoint"),
}
_HOLDS: Final = "(IsMap(v) or IsList(v))"
_ANY: Final = f"(_, v) => {_HOLDS}"
_BODY: Final = "log.body"


def processor() -> dict[str, Any]:
    """Configuration of a step for every signal. Values of one level, which is nearly all, pay for one look."""
    statements = {f"{signal}_statements": [_bounded(place) for place in places] for signal, places in _PLACES.items()}
    statements["log_statements"].append(_bounded_body())
    return {"error_mode": "ignore", **statements}


def _too_deep(parts: str) -> str:
    """The condition that something is left to unfold; before, `parts` was unfolded as far as it may be deep."""
    return f"Any({parts}, {_ANY})"


def _bounded(place: str) -> dict[str, Any]:
    every, parts = f"{place}.attributes", f'{place}.cache["parts"]'
    return {
        "context": place,
        "conditions": [f"Any({every}, (_, v) => {_HOLDS} and Any(v, {_ANY}))"],
        "statements": [
            f"set({parts}, Filter({every}, {_ANY}))",
            f'flatten({parts}, "", {DEEPEST})',
            f"set({every}, Filter({every}, (_, v) => not {_HOLDS})) where {_too_deep(parts)}",
        ],
    }


def _bounded_body() -> dict[str, Any]:
    return {
        "context": "log",
        "conditions": [f"(IsMap({_BODY}) or IsList({_BODY})) and Any({_BODY}, {_ANY})"],
        "statements": [
            f'set(log.cache["body"], {_BODY})',
            f'flatten(log.cache, "", {DEEPEST})',
            f'set({_BODY}, "") where {_too_deep("log.cache")}',
        ],
    }
