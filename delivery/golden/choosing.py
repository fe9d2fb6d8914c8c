"""Which traces are worth a case: failures, paths and versions that are rare or new, sure successes, and some at random.

Seeded, so that the same traces give the same choice; near duplicates are left out.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from delivery.golden.curating import Draft

REASONS: Final = ("failed", "rare path", "new version", "confident", "random")
_ALIKE: Final = 0.9
_RARE: Final = 0.05


def choose(
    drafts: Sequence[Draft], count: int, seed: int, known: Collection[Mapping[Any, Mapping[str, str]]] = ()
) -> list[tuple[Draft, str]]:
    """At most `count` drafts, each with the reason, the reasons in turn. `known`: versions that cases have already."""
    rng = random.Random(seed)  # noqa: S311 a repeatable choice
    shuffled = sorted(drafts, key=lambda each: str(each.case["id"]))
    rng.shuffle(shuffled)
    paths = Counter(each.seen.path for each in drafts)
    wanted: dict[str, Iterator[Draft]] = {
        "failed": (each for each in shuffled if each.seen.outcome != "success"),
        "rare path": (each for each in shuffled if paths[each.seen.path] <= max(1, _RARE * len(drafts))),
        "new version": (each for each in shuffled if each.case["provenance"]["versions"] not in known),
        "confident": (each for each in shuffled if each.seen.outcome == "success" and not each.seen.retries),
        "random": iter(shuffled),
    }
    chosen: list[tuple[Draft, str]] = []
    while wanted and len(chosen) < count:
        for reason in [*wanted]:
            found = next((each for each in wanted[reason] if _is_new(each, [draft for draft, _ in chosen])), None)
            if found is None:
                del wanted[reason]
            elif len(chosen) < count:
                chosen.append((found, reason))
    return chosen


def _is_new(draft: Draft, chosen: Sequence[Draft]) -> bool:
    return not any(draft is each or _alike(draft, each) for each in chosen)


def _alike(one: Draft, other: Draft) -> bool:
    """Whether two did the same for nearly the same words (numbers do not count)."""
    if (one.seen.path, one.case["tools_allowed"]) != (other.seen.path, other.case["tools_allowed"]):
        return False
    first, second = (_shingles(str(each.case["input"])) for each in (one, other))
    return len(first & second) >= _ALIKE * len(first | second)


def _shingles(text: str) -> set[str]:
    words = ["#" if any(letter.isdigit() for letter in word) else word for word in text.casefold().split()]
    return {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))}
