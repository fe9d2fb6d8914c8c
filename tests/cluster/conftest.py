"""One control plane for all tests of this tier, and stacks of it that are driven as a person drives them."""

from collections.abc import Callable, Iterator

import pytest
import requests
from support.capture import capturing
from support.cluster_stack import ClusterStack
from support.control_plane import ControlPlane, control_plane
from support.profiles import collector_for
from support.prometheus import Prometheus
from support.truth import Traffic

from stacks.environments import EnvName


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("plane")) as made:
        yield made


@pytest.fixture(scope="session")
def make_stack(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ClusterStack]:
    """A configured stack of an environment, not yet up. One namespace: bring one up at a time."""

    def make(name: EnvName, **more: str) -> ClusterStack:
        stack = ClusterStack(name=name, home=tmp_path_factory.mktemp(str(name)), plane=plane)
        stack.configure(**more)
        return stack

    return make


TASKS = 20


@pytest.fixture(scope="session")
def prometheus(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A real Prometheus that has counted `TASKS` tasks, where port 9090 of every pod leads."""
    folder = tmp_path_factory.mktemp("behind")
    made = Prometheus(folder / "prometheus", plane.forwards[9090])
    with capturing() as store:
        collector = collector_for(folder / "collector", made.start().url, store, "collector-0")
        try:
            collector.start(timeout_s=60)
            assert collector.send(Traffic(environment="dev").tasks(TASKS)[0]).ok
            store.wait(lambda _: _counted(made.url), TASKS)
        finally:
            collector.kill()
    yield made
    made.stop()


def _counted(url: str) -> int:
    query = {"query": "sum(agentic_task_calls_total)"}
    result = requests.get(f"{url}/api/v1/query", params=query, timeout=10).json()["data"]["result"]
    return round(float(result[0]["value"][1])) if result else 0
