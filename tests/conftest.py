"""Order of the tiers, what may run side by side, and the closing line that CI reads."""

from pathlib import Path

import pytest

_TIERS = ("unit", "pipeline", "stack")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tiers first, so that a broken unit is not hidden behind minutes of waiting; what only waits comes last."""
    for item in items:
        # A file's fixtures are made once, and the stack has the machine to itself: its tests look at times.
        last = item.path.parent.name == "stack" or item.get_closest_marker("late")
        item.add_marker(pytest.mark.xdist_group("stack" if last else item.path.name))
    items.sort(key=lambda item: (bool(item.get_closest_marker("late")), _TIERS.index(Path(item.path).parent.name)))


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        passed = len(reporter.stats.get("passed", []))
        failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
        print(f"{passed} passed, {failed} failed")  # noqa: T201 the closing line
