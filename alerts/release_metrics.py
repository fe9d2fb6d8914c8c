"""What the release controller says of itself on `/metrics`: names and labels that it, rules and boards agree on.

A scrape adds `job` and `instance`. Not here: what each means (the controller says it), and the alerts.
"""

from enum import StrEnum
from typing import Final

from agentobs.contract import Label
from alerts.recording import versions

_ENVIRONMENT: Final = str(Label.ENVIRONMENT)


class ReleaseMetric(StrEnum):
    """Names as they are scraped."""

    STORE_READABLE = "agentobs_release_store_readable"
    REVISION = "agentobs_release_revision"
    AGENTS = "agentobs_release_agents"
    DEAF_AGENTS = "agentobs_release_deaf_agents"
    PIN_INFO = "agentobs_release_pin_info"
    INSTANCE_INFO = "agentobs_release_instance_info"
    INSTANCE_SILENT = "agentobs_release_instance_silent_seconds"
    CANARY_UNANSWERED = "agentobs_release_canary_unanswered_seconds"
    OUTBOX_LEFT = "agentobs_release_outbox_left"
    DECISIONS = "agentobs_release_decisions_total"
    ALERTS = "agentobs_release_alerts_total"


_OF_INSTANCES: Final = (_ENVIRONMENT, "exported_instance")
LABELS: Final[dict[ReleaseMetric, tuple[str, ...]]] = {
    ReleaseMetric.STORE_READABLE: (),
    ReleaseMetric.REVISION: (_ENVIRONMENT,),
    ReleaseMetric.AGENTS: (_ENVIRONMENT, "revision"),
    ReleaseMetric.DEAF_AGENTS: (_ENVIRONMENT,),
    # Those of `version:current`, so that both can be joined.
    ReleaseMetric.PIN_INFO: ("dimension", *map(str, versions.ENTITIES), "version"),
    ReleaseMetric.INSTANCE_INFO: (*_OF_INSTANCES, "release", "revision"),
    ReleaseMetric.INSTANCE_SILENT: _OF_INSTANCES,
    ReleaseMetric.CANARY_UNANSWERED: (_ENVIRONMENT,),
    ReleaseMetric.OUTBOX_LEFT: (_ENVIRONMENT, "kind"),
    ReleaseMetric.DECISIONS: (_ENVIRONMENT, "action"),
    ReleaseMetric.ALERTS: ("outcome",),
}
COUNTERS: Final = frozenset((ReleaseMetric.DECISIONS, ReleaseMetric.ALERTS))
