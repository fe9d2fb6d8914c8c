"""What `agentobs release kill` stops, as `agentobs.pins` holds it; and several switches as one."""

from typing import Final, Protocol

from agentobs.guard.switch import Kill, Switch
from agentobs.pins import Killed, Mark, NoSnapshotError

SILENT_S: Final = 60.0


class Holder(Protocol):
    """What is asked of `agentobs.pins.Client`."""

    @property
    def killed(self) -> Killed:
        """What may not run. Raises NoSnapshotError."""
        ...

    @property
    def age_s(self) -> float:
        """Seconds since the release controller answered."""
        ...


class ReleaseSwitch:
    """What is stopped in a release environment; `closed`: everything, once its controller is silent for a minute."""

    def __init__(self, holder: Holder, *, closed: bool) -> None:
        self._holder = holder
        self._closed = closed

    def killed(self, agent: str, server: str = "", tool: str = "") -> Kill | None:
        """See `Switch`; releases name tools without their servers."""
        del server
        if self._closed and self._holder.age_s > SILENT_S:
            return Kill("the release controller has been silent for a minute", "agentobs", "now", "everything")
        try:
            killed = self._holder.killed
        except NoSnapshotError:
            return None
        mark = killed.of(agent, tool)
        if mark is None:
            return None
        return _kill(mark, killed, agent, tool)


class Switches:
    """Several switches: what one has stopped is stopped."""

    def __init__(self, *switches: Switch) -> None:
        self._switches = switches

    def killed(self, agent: str, server: str = "", tool: str = "") -> Kill | None:
        """See `Switch`. What may be told to everybody goes first."""
        found = [kill for each in self._switches if (kill := each.killed(agent, server, tool))]
        return min(found, key=lambda kill: kill.hidden, default=None)


def _kill(mark: Mark, killed: Killed, agent: str, tool: str) -> Kill:
    if killed.everything is not None:
        scope, hidden = "everything", False
    elif agent in killed.agents:
        scope, hidden = f"agent {agent}", False
    else:
        scope, hidden = f"tool {tool}", True
    return Kill(mark.reason, mark.by, mark.at, scope, hidden)
