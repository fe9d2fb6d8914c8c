"""Order of the tiers and the closing line that CI reads."""

from pathlib import Path

import pytest

_TIERS = ("unit", "pipeline", "stack")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tiers first, so that a broken unit is not hidden behind minutes of waiting; what only waits comes last."""
    items.sort(key=lambda item: (bool(item.get_closest_marker("late")), _TIERS.index(Path(item.path).parent.name)))


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        passed = len(reporter.stats.get("passed", []))
        failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
        print(f"{passed} passed, {failed} failed")  # noqa: T201 the closing line
