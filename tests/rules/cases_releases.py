"""Cases of the alerts about releases: what the controller says of itself, and versions in telemetry."""

from collections.abc import Iterator

from support.tables import PAGE, TICKET, Table, platform

CONTROLLER = 'job="release-controller",instance="127.0.0.1:8090"'
PROD = 'environment="prod"'


def tables() -> Iterator[Table]:
    for alert, series, labels, hold in (
        ("AgentsDeaf", "deaf_agents", PROD, 1),
        ("EffectsPending", "outbox_left", f'{PROD},kind="label"', 15),
    ):
        one = f"agentobs_release_{series}{{{labels},{CONTROLLER}}}"
        yield (
            platform(alert, TICKET, labels)
            .fires("fires", f"{hold}m15s", {one: "1x60"})
            .quiet("not yet", f"{hold - 1}m45s", {one: "1x60"})
            .quiet("all is well", "40m", {one: "0x60"})
            .quiet("recovers", "40m", {one: "1x30 0x60"})
            .quiet("no data", "30m", {})
        )
    store = f"agentobs_release_store_readable{{{CONTROLLER}}}"
    yield (
        platform("ReleaseStoreUnreadable", PAGE, CONTROLLER)
        .fires("fires", "5m15s", {store: "0x60"})
        .quiet("not yet", "4m45s", {store: "0x60"})
        .quiet("all is well", "30m", {store: "1x60"})
        .quiet("recovers", "40m", {store: "0x20 1x60"})
        .quiet("no data", "30m", {})
    )
    unanswered = f"agentobs_release_canary_unanswered_seconds{{{PROD},{CONTROLLER}}}"
    yield (
        platform("CanaryUnanswered", PAGE, PROD)
        .fires("fires", "5m", {unanswered: "0+60x60"})
        .quiet("not yet", "4m", {unanswered: "0+60x60"})
        .quiet("a look now and then has no answer", "30m", {unanswered: "0 15 30 0x60"})
        .quiet("recovers", "11m", {unanswered: "0+60x10 0x60"})
        .quiet("the canary ended", "17m", {unanswered: "0+60x10 _x60"})
        .quiet("no data", "30m", {})
    )
    yield _unpinned()


def _unpinned() -> Table:
    """Version 13 of a prompt, seen since the beginning; what is seen is recorded as the time of the evaluation."""
    whose = 'dimension="prompt",environment="prod",agent_name="executor",prompt_name="executor"'
    other = 'dimension="tool",environment="prod",tool_name="search"'
    graph = 'dimension="graph",environment="prod",workflow="support"'

    def used(minutes: str, labels: str = f'{whose},version="13"') -> dict[str, str]:
        return {f"version:{each}_seen_timestamp_seconds{{{labels}}}": text for each, text in (
            ("first", "0x90"), ("last", minutes),
        )}  # fmt: skip

    def pin(labels: str, values: str = "1x90") -> dict[str, str]:
        return {f"agentobs_release_pin_info{{{labels},{CONTROLLER}}}": values}

    runs, older, tool = used("0+60x90"), pin(f'{whose},version="12"'), pin(f'{other},version="13"')
    labels = f'{whose},version="13"'
    return (
        Table("VersionUnpinned", TICKET, "platform", labels, owner="agents")
        .fires("fires", "2m15s", runs | older)
        .fires("another thing is pinned at that version", "10m", runs | tool)
        .fires("pinned in another environment", "10m", runs | older | pin(labels.replace("prod", "staging")))
        .fires("was pinned long ago", "60m", runs | older | pin(labels, "1x20 _x70"))
        .quiet("not yet", "1m45s", runs | older)
        .quiet("pinned", "40m", runs | older | pin(labels))
        .quiet("just rolled back, and tasks end with what they hold", "40m", runs | older | pin(labels, "1x20 _x70"))
        .quiet("no release says what runs there", "40m", runs | pin(labels.replace("prod", "staging")))
        .quiet(
            "telemetry has a hash for want of a version", "40m", used("0+60x90", f'{whose},version="sha-1a2b"') | older
        )
        .quiet("a tool, pinned", "40m", used("0+60x90", f'{other},version="13"') | tool)
        .quiet("a graph, pinned", "40m", used("0+60x90", f'{graph},version="13"') | pin(f'{graph},version="13"'))
        .quiet("no longer used", "21m", used("0+60x20 1200x70") | older)
        .quiet("the controller is away", "60m", runs | pin(labels, "1x20 _x70"))
        .quiet("no data", "30m", {})
    )
