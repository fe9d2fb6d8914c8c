"""Order of the tiers, what may run side by side, and the closing line that CI reads."""

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

_TIERS = ("unit", "program", "rules", "scan", "cluster", "node", "stack", "pipeline")
_ALONE = ("tests/stack/", "tests/cluster/", "tests/node/", "tests/pipeline/test_idle.py")


class _Files(LoadScopeScheduling):
    """A file's tests stay on one worker, as they share fixtures; those of a control plane or a stack stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(_ALONE) else nodeid.split("::", maxsplit=1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Files:
    return _Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tiers first, so that a broken unit is not hidden behind minutes of waiting; what only waits comes last."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int, int]:
    """Late or not; tier; on the stack what reads the scenarios while they are fresh, their alerts, reports of all."""
    fixtures = getattr(item, "fixturenames", ())
    place = 2 if "reports" in fixtures else 1 if "arrived" in fixtures else 0 if "truths" in fixtures else 3
    return bool(item.get_closest_marker("late")), _TIERS.index(Path(item.path).parent.name), place


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        passed = len(reporter.stats.get("passed", []))
        failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
        print(f"{passed} passed, {failed} failed")  # noqa: T201 the closing line
