"""Alerts about releases: who does not hear the controller, what it cannot read, judge or tell, what nobody pinned.

All of them read what the controller says of itself, so that without one, or without releases, they stay silent; a
controller that is down is `BackendDown`. A canary that is worse is taken back, and told by `CanaryWorse`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from agentobs.contract import Label
from alerts.alerting.condition import Comparison, Condition
from alerts.alerting.maker import Maker
from alerts.alerting.model import Alert
from alerts.catalogue import Owner, Severity
from alerts.catalogue.model import MINUTE
from alerts.recording import versions
from alerts.release_metrics import ReleaseMetric

_HERE: Final = (str(Label.ENVIRONMENT),)
_IN: Final = "{{ $labels.environment }}"
_PINNED: Final = ("dimension", *map(str, versions.ENTITIES), "version")
_WHOSE: Final = "".join(
    f"{{{{ with $labels.{label} }}}} of {word} {{{{ . }}}}{{{{ end }}}}"
    for label, word in ((Label.AGENT, "agent"), (Label.TOOL, "tool"), (Label.WORKFLOW, "workflow"))
)
# A task keeps its pins to its end, and is counted then: what was pinned until so long ago may still come in.
_PINNED_S: Final = 30 * MINUTE


def alerts(make: Maker) -> Iterator[Alert]:
    """All of them."""
    make = make.of("release-controller")
    yield make.alert(
        "AgentsDeaf", _most(ReleaseMetric.DEAF_AGENTS, _HERE, ">", 0), Severity.TICKET,
        f"Agent processes in {_IN} do not hear the release controller: {{{{ $value }}}}.",
        "They have not asked it for 2 minutes: they go on with the pins that they hold, and hear no kill and no"
        " rollback. One that was killed, and so could not say that it ends, is counted too, for an hour.",
        hold_s=MINUTE, by=_HERE, value="{{ $value }} of them",
    )  # fmt: skip
    yield make.alert(
        "ReleaseStoreUnreadable", Comparison(ReleaseMetric.STORE_READABLE, "==", 0), Severity.PAGE,
        "The release controller ({{ $labels.instance }}) cannot read the store of releases.",
        "For 5 minutes. Agents keep the pins that they hold; nobody can kill, roll back or promote, and no canary is"
        " judged.",
        value="unreadable",
    )  # fmt: skip
    yield make.alert(
        "CanaryUnanswered", _most(ReleaseMetric.CANARY_UNANSWERED, _HERE, ">=", 5 * MINUTE), Severity.PAGE,
        f"The canary in {_IN} cannot be judged.",
        "For {{ $value | humanizeDuration }} no look at it had an answer: it keeps its share, and is not taken back by"
        " itself however bad it is.",
        hold_s=0, by=_HERE, value="{{ $value | humanizeDuration }}",
    )  # fmt: skip
    kinds = (*_HERE, "kind")
    yield make.alert(
        "EffectsPending", _most(ReleaseMetric.OUTBOX_LEFT, kinds, ">", 0), Severity.TICKET,
        f"Revisions of {_IN} are not told to others: {{{{ $labels.kind }}}}.",
        "Left to tell: {{ $value }}, for 15 minutes. What runs is right; labels of prompts, annotations or log lines"
        " about it are missing. The controller tries again by itself.",
        hold_s=15 * MINUTE, by=kinds, value="{{ $value }} left",
    )  # fmt: skip
    yield _unpinned(make)


def _most(metric: ReleaseMetric, by: tuple[str, ...], operator: str, threshold: float) -> Condition:
    return Comparison(f"max by ({', '.join(by)}) ({metric})", operator, threshold)


def _unpinned(make: Maker) -> Alert:
    # A hash stands where telemetry has no version, and pins name versions.
    in_use = Comparison(f'{versions.LAST_SEEN}{{version!~"sha-.+"}}', ">", f"time() - {make.timing.seconds(MINUTE):g}")
    managed = Comparison(f"group by ({Label.ENVIRONMENT}) ({ReleaseMetric.PIN_INFO})")
    pins = f"last_over_time({ReleaseMetric.PIN_INFO}[{make.timing.of(_PINNED_S)}])"
    pinned = Comparison(f"group by ({', '.join(_PINNED)}) ({pins})")
    unpinned = make.alert(
        "VersionUnpinned",
        (Comparison(versions.FIRST_SEEN) & in_use).and_on(Label.ENVIRONMENT, managed).unless(pinned), Severity.TICKET,
        f"{{{{ $labels.dimension }}}} {{{{ $labels.version }}}}{_WHOSE} runs in {_IN}, and no release pins it.",
        "For 2 minutes; first seen {{ $value | humanizeTimestamp }}. It came past the releases: nothing judges it as a"
        " canary, and no rollback takes it back.",
        hold_s=2 * MINUTE, by=_PINNED, value="first seen {{ $value | humanizeTimestamp }}",
    )  # fmt: skip
    return replace(unpinned, owner=Owner.AGENTS, board="versions")
