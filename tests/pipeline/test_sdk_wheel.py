"""What agents install: small, quick to import, and its page's ten lines reach a real collector."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from support.capture import capturing
from support.otelcol import running, transforming
from support.ports import free_ports
from support.wheel import ROOT, environment

from collector import normalise

PAGE = ROOT / "sdk" / "README.md"
IMPORT = re.compile(r"\| +(\d+) \| agentobs\.emit$", re.MULTILINE)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("agent"))


def _run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In the environment's own folder, isolated from this one's path and variables."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "LANGFUSE_", "PYTHON"))}
    done = subprocess.run(
        [str(python), *arguments], cwd=python.parent, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_environment_of_an_agent_is_small(python):
    code = "import importlib.metadata as m, json; print(json.dumps([d.name for d in m.distributions()]))"
    names = json.loads(_run(python, "-c", code).stdout)
    print(f"{len(names)} packages: {', '.join(sorted(names))}")  # noqa: T201 a figure
    assert "agentobs-sdk" in names
    assert len(names) <= 20, names


def test_types_are_published_and_nothing_of_the_platform_is(python):
    code = """
import importlib.util, pathlib, agentobs
assert (pathlib.Path(agentobs.__file__).parent / "py.typed").is_file()
assert "site-packages" in agentobs.__file__
for name in ("alerts", "collector", "dashboards", "demo", "runbooks", "stacks", "toolchain"):
    assert importlib.util.find_spec(name) is None, name
"""
    _run(python, "-c", code)


def test_every_module_imports(python):
    code = """
import agentobs, importlib, pkgutil
names = [module.name for module in pkgutil.walk_packages(agentobs.__path__, "agentobs.")]
print(len([importlib.import_module(name) for name in names]))
"""
    sources = [path for path in (ROOT / "sdk" / "agentobs").rglob("*.py") if path.name != "__init__.py"]
    assert int(_run(python, "-c", code).stdout) >= len(sources)


def test_the_import_is_quick(python):
    times = []
    for _ in range(5):
        said = _run(python, "-X", "importtime", "-c", "import agentobs.emit").stderr
        times.append(int(IMPORT.search(said)[1]) / 1e6)
    print(f"import agentobs.emit: {min(times):.3f} s at best of {len(times)}")  # noqa: T201 a figure
    assert min(times) < 2


def test_the_ten_lines_of_the_page_arrive_in_a_collector(python, tmp_path):
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    assert len([line for line in code.splitlines() if line.strip() and "import" not in line]) <= 10
    http, health = free_ports(2)
    with capturing() as capture:
        config = transforming({"transform/normalise": normalise.processor()}, capture.url, http, health)
        with running(config, tmp_path / "collector", http, health) as collector:
            here = code.replace('environment="dev"', f'environment="dev", endpoint="{collector.url}"')
            assert here != code
            done = _run(python, "-W", "error", "-c", here)
            assert not done.stderr
            capture.wait(lambda c: len(c.spans), 4)
            capture.wait(lambda c: len(c.records), 1)
        agent = capture.span("invoke_agent planner")
        assert agent["resource"]["service.name"] == "support-desk"
        assert agent["attributes"]["gen_ai.agent.name"] == "planner"
        assert agent["attributes"]["gen_ai.prompt.version"] == "12"
        for name in ("chat gpt-4.1-mini", "execute_tool order_lookup"):
            call = capture.span(name)
            assert call["parent"] == agent["id"]
            assert call["attributes"]["gen_ai.agent.name"] == "planner"
        assert capture.records[0]["event"] == "agentic.process.start"
