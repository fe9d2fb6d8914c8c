"""Order of the tiers, what may run side by side, and the closing line that CI reads."""

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

_TIERS = ("unit", "program", "rules", "scan", "cluster", "stack", "node", "pipeline")
_ALONE = ("tests/stack/", "tests/cluster/", "tests/node/")


class _Files(LoadScopeScheduling):
    """A file's tests stay on one worker, as they share fixtures; what starts a whole system runs one after another.

    Scenarios are judged by their latency too: on a crowded machine slowness is a true finding, and not the one wanted.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "whole systems" if nodeid.startswith(_ALONE) else nodeid.split("::", maxsplit=1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Files:
    return _Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tiers first, so that a broken unit is not hidden behind minutes of waiting."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, int]:
    """Tier; on the stack what reads the scenarios while they are fresh, their alerts, reports of all."""
    fixtures = getattr(item, "fixturenames", ())
    place = 2 if "reports" in fixtures else 1 if "arrived" in fixtures else 0 if "truths" in fixtures else 3
    return _TIERS.index(Path(item.path).parent.name), place


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        passed = len(reporter.stats.get("passed", []))
        failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
        print(f"{passed} passed, {failed} failed")  # noqa: T201 the closing line
