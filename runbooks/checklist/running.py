"""Runs a checklist: item after item, taking over what passed before, so that an interrupted run goes on."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from runbooks.checklist.model import Context, Item, Outcome, Result, Status, unjudged

KEPT: Final = frozenset({Status.PASS, Status.NOT_APPLICABLE})
KEPT_S: Final = 3600
"""What passed is looked at again after an hour: a platform changes."""

Tell = Callable[[Item, Result, bool], None]


def run(
    items: Sequence[Item],
    context: Context,
    *,
    before: Iterable[Result] = (),
    inputs: Mapping[str, str] | None = None,
    tell: Tell = lambda _item, _result, _kept: None,
) -> list[Result]:
    """Look at every item that is missing, failed, old or whose file changed; `tell` hears each and whether it was kept.

    `inputs` are digests of the files that items read. An error of `context.errors` makes an item unjudged; others end
    the run.
    """
    digests = inputs or {}
    earlier = {result.key: result for result in before}
    results = []
    for item in items:
        digest = digests.get(item.reads, "")
        result = earlier.get(item.key)
        kept = result is not None and result.describes(item) and _stands(result, digest, context.end)
        if result is None or not kept:
            result = look(item, context, digest)
        results.append(result)
        tell(item, result, kept)
    return results


def _stands(result: Result, digest: str, now: float) -> bool:
    return result.status in KEPT and 0 <= now - result.at < KEPT_S and result.inputs == digest


def look(item: Item, context: Context, digest: str = "") -> Result:
    """Look at one item now."""
    began = time.monotonic()
    try:
        outcome = item.judge(context)
    except context.errors as error:
        outcome = _unanswered(error)
    return Result(
        key=item.key,
        title=item.title,
        section=item.section,
        owner=item.owner,
        automated=item.automated,
        status=outcome.status,
        message=outcome.message,
        fix=outcome.fix,
        proofs=list(outcome.proofs),
        at=time.time(),
        took_s=round(time.monotonic() - began, 3),
        inputs=digest,
    )


def _unanswered(error: Exception) -> Outcome:
    said = str(error).strip() or type(error).__name__
    return unjudged(said.splitlines()[0], "mend what does not answer (item backends-ready), then run this again")
