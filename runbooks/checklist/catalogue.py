"""The checklist: every item once, in the order in which it is looked at. What belongs to an item stands here."""

from collections import Counter
from typing import Final

from runbooks.checklist import alerting, post_deploy, readiness, release
from runbooks.checklist.model import Item, Owner, Phase, Section

_BEFORE, _AFTER = Phase.BEFORE, Phase.AFTER
_S, _O = Section, Owner

ITEMS: Final = (
    Item(
        key="golden-dataset", phase=_BEFORE, section=_S.RELEASE, owner=_O.AGENTS, reads="evidence",
        title="The golden dataset passes with this release",
        promise="The release solves the agreed set of test cases.", judge=release.golden_dataset,
    ),
    Item(
        key="versions-pinned", phase=_BEFORE, section=_S.RELEASE, owner=_O.RELEASE, reads="evidence",
        title="Prompts, tools, models and graph are pinned to versions",
        promise="It is written down exactly what is delivered.", judge=release.versions_pinned,
    ),
    Item(
        key="rollback-plan", phase=_BEFORE, section=_S.RELEASE, owner=_O.RELEASE, reads="evidence",
        title="A rollback is defined for everything that changes",
        promise="There is a way back for every part of the release.", judge=release.rollback_plan,
    ),
    Item(
        key="rollback-rehearsed", phase=_BEFORE, section=_S.RELEASE, owner=_O.RELEASE, reads="evidence",
        title="The rollback was rehearsed",
        promise="The way back was tried and is fast.", judge=release.rollback_rehearsed,
    ),
    Item(
        key="canary-share", phase=_BEFORE, section=_S.RELEASE, owner=_O.RELEASE, reads="evidence",
        title="The share of the canary is set, with what ends it",
        promise="A small share of requests tries the release first.", judge=release.canary_share,
    ),
    Item(
        key="approvals", phase=_BEFORE, section=_S.RELEASE, owner=_O.RELEASE, reads="evidence",
        title="Somebody other than the author approved",
        promise="A second person agreed to the release.", judge=release.approvals,
    ),
    Item(
        key="baseline-recorded", phase=_BEFORE, section=_S.MEASURE, owner=_O.AGENTS, reads="baseline",
        title="A KPI baseline of this environment is recorded",
        promise="It is known how well the system does today.", judge=readiness.baseline_recorded,
    ),
    Item(
        key="telemetry-complete", phase=_BEFORE, section=_S.MEASURE, owner=_O.AGENTS,
        title="Every service sends what KPIs depend on",
        promise="All parts of the system report what they do.", judge=readiness.telemetry_complete,
    ),
    Item(
        key="backends-ready", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="Every backend is ready",
        promise="The monitoring systems are running.", judge=readiness.backends_ready,
    ),
    Item(
        key="targets-up", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="Prometheus reaches everything that it scrapes",
        promise="The monitoring systems are themselves monitored.", judge=readiness.targets_up,
    ),
    Item(
        key="processes", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="Every process runs",
        promise="Every part of the platform runs.", judge=readiness.live("processes", "all run"),
    ),
    Item(
        key="ports", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="Ports listen on loopback only",
        promise="Nothing is open to networks that need not reach it.",
        judge=readiness.live("ports", "none is open to the network"),
    ),
    Item(
        key="secrets", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="Files with secrets are readable by their owner only",
        promise="Secrets are kept from other users.", judge=readiness.live("secrets", "only their owner reads them"),
    ),
    Item(
        key="binaries", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="The pinned versions of all backends run",
        promise="The tested versions of all software are in use.", judge=readiness.live("versions", "as pinned"),
    ),
    Item(
        key="no-drift", phase=_BEFORE, section=_S.PLATFORM, owner=_O.PLATFORM,
        title="A preview of the stack changes nothing",
        promise="What runs is what was reviewed.", judge=readiness.no_drift,
    ),
    Item(
        key="rules-loaded", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="Prometheus runs the rendered rules",
        promise="All alerts are in place.", judge=alerting.rules_loaded,
    ),
    Item(
        key="rules-healthy", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="Every rule is evaluated without an error",
        promise="All alerts work.", judge=alerting.rules_healthy,
    ),
    Item(
        key="receivers", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="Alertmanager runs the rendered routes, and each leads to somebody",
        promise="Every alert has somebody who is told.", judge=alerting.receivers,
    ),
    Item(
        key="watchdog", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="The Watchdog fires and arrives at the dead man's switch",
        promise="If alerting stops, somebody notices.", judge=alerting.watchdog,
    ),
    Item(
        key="delivery", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="A probe alert reaches its receiver",
        promise="A test alert reached the people in charge.", judge=alerting.delivery,
    ),
    Item(
        key="notifications", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="No notification has failed lately",
        promise="Messages about alerts get through.", judge=alerting.notifications,
    ),
    Item(
        key="silences", phase=_BEFORE, section=_S.ALERTING, owner=_O.PLATFORM,
        title="No silence mutes this environment",
        promise="Nothing is muted.", judge=alerting.silences,
    ),
    Item(
        key="no-open-page", phase=_BEFORE, section=_S.ALERTING, owner=_O.AGENTS,
        title="No page is open in this environment",
        promise="There is no open incident.", judge=alerting.quiet,
    ),
    Item(
        key="boards-fed", phase=_BEFORE, section=_S.BOARDS, owner=_O.PLATFORM,
        title="Every board answers, and KPIs with traffic show",
        promise="The dashboards show this environment.", judge=readiness.boards_fed,
    ),
    Item(
        key="grafana", phase=_BEFORE, section=_S.BOARDS, owner=_O.PLATFORM,
        title="Grafana has the boards as rendered",
        promise="The dashboards are up to date.", judge=readiness.grafana,
    ),
    Item(
        key="disk", phase=_BEFORE, section=_S.ROOM, owner=_O.PLATFORM,
        title="Disks have room", promise="There is room for the data.", judge=readiness.disk,
    ),
    Item(
        key="memory", phase=_BEFORE, section=_S.ROOM, owner=_O.PLATFORM,
        title="There is memory left", promise="There is room for more load.", judge=readiness.memory,
    ),
    Item(
        key="queues", phase=_BEFORE, section=_S.ROOM, owner=_O.PLATFORM,
        title="The collector's queues are far from full",
        promise="Data is stored as fast as it comes.", judge=readiness.full("queues", "the collector's queues"),
    ),
    Item(
        key="series", phase=_BEFORE, section=_S.ROOM, owner=_O.PLATFORM,
        title="There is room for new KPI series",
        promise="New versions can be measured beside old ones.",
        judge=readiness.full("series", "the room for KPI series"),
    ),
    Item(
        key="rules-time", phase=_BEFORE, section=_S.ROOM, owner=_O.PLATFORM,
        title="Rules are done well within their interval",
        promise="Alerts are computed in time.", judge=readiness.full("rules", "the time that rules have"),
    ),
    Item(
        key="objectives", phase=_AFTER, section=_S.KPIS, owner=_O.AGENTS,
        title="KPIs keep their objectives over the window",
        promise="The release keeps what was promised.", judge=post_deploy.objectives,
    ),
    Item(
        key="against-baseline", phase=_AFTER, section=_S.KPIS, owner=_O.AGENTS, reads="baseline",
        title="No KPI is worse than the baseline",
        promise="Nothing got worse with the release.", judge=post_deploy.against_baseline,
    ),
    Item(
        key="canary", phase=_AFTER, section=_S.KPIS, owner=_O.AGENTS,
        title="The canary is not worse than what is stable",
        promise="The requests that tried the release first did as well as the others.", judge=post_deploy.canary,
    ),
    Item(
        key="alerts-fired", phase=_AFTER, section=_S.KPIS, owner=_O.AGENTS,
        title="No page fired in the window",
        promise="There was no incident.", judge=post_deploy.alerts_fired,
    ),
    Item(
        key="versions-running", phase=_AFTER, section=_S.KPIS, owner=_O.RELEASE, reads="evidence",
        title="What runs is what was approved",
        promise="What was approved is what runs.", judge=post_deploy.versions_running,
    ),
    Item(
        key="cost", phase=_AFTER, section=_S.MONEY, owner=_O.AGENTS, reads="baseline",
        title="Cost per task is as before, and spend is within the budget",
        promise="The release costs no more than expected.", judge=post_deploy.cost,
    ),
    Item(
        key="sample-drawn", phase=_AFTER, section=_S.REVIEW, owner=_O.AGENTS,
        title="A sample of traces is drawn for review",
        promise="Answers were drawn for people to read: failed, slow, dear, new and random ones.",
        judge=post_deploy.sample_drawn,
    ),
    Item(
        key="sample-reviewed", phase=_AFTER, section=_S.REVIEW, owner=_O.AGENTS, reads="evidence",
        title="People have read the sample",
        promise="People have read them and found them good.", judge=post_deploy.sample_reviewed,
    ),
)  # fmt: skip

_twice = [key for key, count in Counter(item.key for item in ITEMS).items() if count > 1]
if _twice:
    raise ValueError(f"checklist items twice: {', '.join(_twice)}; fix: rename one")


def items(phase: Phase) -> tuple[Item, ...]:
    """The items of one phase, in order."""
    return tuple(item for item in ITEMS if item.phase is phase)
