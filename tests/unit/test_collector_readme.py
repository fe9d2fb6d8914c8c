"""collector/README.md is current, complete, and what it tells people to do works."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.capture import Capture, capturing
from support.checked import checked

from agentobs.contract import METRICS, Attr
from collector import readme
from collector.check import Severity, detached, missing, orphaned, untasked

README = Path(readme.__file__).with_name("README.md")
ENDPOINT = "http://127.0.0.1:4318"


@pytest.fixture
def capture() -> Iterator[Capture]:
    with capturing() as running:
        yield running


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", readme.render(), re.DOTALL)


def _run(code: str, **variables: str) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")} | variables
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def _findings(capture: Capture) -> list[str]:
    traces = checked(capture.spans)
    found = [*missing(traces), *orphaned(traces, float("inf")), *detached(traces), *untasked(traces)]
    return [f"{f.severity} {f.what}" for f in found]


def test_the_committed_file_is_what_the_code_renders():
    assert README.read_text() == readme.render(), "stale: run `agentobs render`"


def test_every_attribute_and_every_series_is_in_a_table():
    rows = [line for line in readme.render().splitlines() if line.startswith("| `")]
    first_cells = [re.match(r"\| `([^`]+)`", row)[1] for row in rows]
    for name in (*Attr, *(metric.series for metric in METRICS)):
        assert first_cells.count(name) == 1, name


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    width = 0
    for line in readme.render().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert width in {0, cells} or not cells, line
        width = cells


def test_ten_lines_of_python_send_all_that_is_required(capture):
    (code,) = (block for block in _blocks("python") if "emit.configure" in block)
    assert len([line for line in code.splitlines() if line.strip() and "import" not in line]) <= 10
    here = code.replace('environment="dev"', f'environment="dev", endpoint="{capture.url}"')
    assert here != code
    _run(here)
    assert len(capture.spans) == 4
    assert [record["event"] for record in capture.records] == ["agentic.process.start"]
    assert not [found for found in _findings(capture) if not found.startswith(Severity.RECOMMENDED)]


def test_plain_opentelemetry_sends_all_that_is_required(capture):
    (exports,) = _blocks("sh")
    variables = dict(re.findall(r"^export (\w+)=(.*)$", exports, re.MULTILINE))
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == ENDPOINT
    (code,) = (block for block in _blocks("python") if "TracerProvider" in block)
    _run(code, **{**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": capture.url})
    assert len(capture.spans) == 4
    assert all(span["attributes"][Attr.GRAPH_VERSION] == "7" for span in capture.spans)
    assert not [found for found in _findings(capture) if not found.startswith(Severity.RECOMMENDED)]


def test_without_the_resource_the_same_program_is_told_what_it_lacks(capture):
    (code,) = (block for block in _blocks("python") if "TracerProvider" in block)
    _run(code, OTEL_EXPORTER_OTLP_ENDPOINT=capture.url)
    lacking = {found for found in _findings(capture) if found.startswith(Severity.REQUIRED)}
    wanted = (Attr.SERVICE_NAME, Attr.SERVICE_VERSION, Attr.ENVIRONMENT)
    assert lacking == {f"required no {attr} on the resource" for attr in wanted}
