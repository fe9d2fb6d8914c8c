"""What every program of the corpus shares: servers, providers, the five tasks at once, and the files at the end."""

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import lzma
import os
import platform
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, Self

import truth
from model_server import ModelServer
from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from recorder import Receiver, StartEndLog
from scenario import TASKS

HERE = Path(__file__).parent
TOOL_SERVER = str(HERE / "tool_server.py")
RECORDED = HERE.parent / "recorded"


def arguments(*instrumentations: str) -> argparse.Namespace:
    """`--instrumentation` (the first is the default) and `--out`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--instrumentation", choices=instrumentations, default=instrumentations[0])
    parser.add_argument("--out", type=Path, default=RECORDED)
    parser.add_argument("--tasks", default=",".join(TASKS), help="fewer, where all make a file too large")
    return parser.parse_args()


def _anonymous(text: str, more: dict[str, str]) -> str:
    """Nothing of the machine: stack traces and resources name its folders, its system and its host."""
    for secret, name in (
        *more.items(),
        (sys.prefix, "/venv"),
        (str(HERE), "/capture"),
        (sys.base_prefix, "/python"),
        (str(Path(sys.executable).parent.parent), "/venv"),
        (str(Path.home()), "/home"),
        (tempfile.gettempdir() + "/corpus", "/scratch"),
        (platform.release(), "6.0.0"),
    ):
        text = text.replace(secret, name)
    # As a value only: it may be short enough to stand by chance in an identifier.
    return text.replace(f'"{socket.gethostname()}"', '"host"')


def write_lines(path: Path, lines: list[dict[str, Any]], hidden: dict[str, str]) -> None:
    """JSON lines, compressed."""
    text = "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)
    path.write_bytes(lzma.compress(_anonymous(text, hidden).encode(), preset=9 | lzma.PRESET_EXTREME))


class Capture:
    """One capture; a `with` block around the program."""

    def __init__(
        self, framework: str, args: argparse.Namespace, *, stated: tuple[str, ...] = (), export: bool = True
    ) -> None:
        self.folder: Path = args.out / f"{framework}.{args.instrumentation}"
        self.instrumentation: str = args.instrumentation
        self.framework = framework
        self.export = export
        self.hidden: dict[str, str] = {}
        self.versions: dict[str, str] | None = None
        self.to_do: list[str] = args.tasks.split(",")
        self.log = StartEndLog()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.stated = truth.versions(*stated)
        self.servers = contextlib.ExitStack()
        handle, name = tempfile.mkstemp(prefix="corpus")
        os.close(handle)
        self.tool_log = Path(name)

    def __enter__(self) -> Self:
        self.model = self.servers.enter_context(ModelServer())
        self.receiver = self.servers.enter_context(Receiver())
        self.url = self.model.url
        os.environ.update(
            OPENAI_BASE_URL=self.url,
            OPENAI_API_BASE=self.url,
            OPENAI_API_KEY="scripted",
            CORPUS_TOOL_LOG=str(self.tool_log),
            OTEL_EXPORTER_OTLP_ENDPOINT=self.receiver.url,
        )
        resource = Resource.create({"service.name": self.framework, "service.version": "1.4.0"})
        self.provider = TracerProvider(resource=resource)
        trace.set_tracer_provider(self.provider)
        self.watch(self.provider)
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(f"{self.receiver.url}/v1/metrics"), export_interval_millis=3_600_000
        )
        self.meters = MeterProvider(metric_readers=[reader], resource=resource)
        metrics.set_meter_provider(self.meters)
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{self.receiver.url}/v1/logs")))
        set_logger_provider(self.logs)
        return self

    def watch(self, provider: TracerProvider) -> None:
        """Record what this provider's spans do."""
        provider.add_span_processor(self.log)
        if self.export:
            exporter = OTLPSpanExporter(f"{self.receiver.url}/v1/traces")
            provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=2000))

    def hide(self, path: str, name: str) -> None:
        """Call a folder of this machine by another name in what is written."""
        self.hidden[path] = name

    @contextlib.contextmanager
    def task(self, name: str) -> Iterator[None]:
        """A task fails if the program gets an exception for it: that is what its user would see."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 whatever the framework raises is the outcome
            self.tasks[name] = {"outcome": "failure", "exception": type(error).__name__}
        else:
            self.tasks[name] = {"outcome": "success"}

    async def together(self, run: Callable[[str], Awaitable[Any]]) -> None:
        """All tasks at once in one event loop."""

        async def one(name: str) -> None:
            with self.task(name):
                await run(name)

        await asyncio.gather(*(one(name) for name in self.to_do))

    def in_threads(self, run: Callable[[str], Any]) -> None:
        """All tasks at once, a thread for each."""

        def one(name: str) -> None:
            with self.task(name):
                run(name)

        with ThreadPoolExecutor(len(self.to_do)) as pool:
            for future in [pool.submit(copy_context().run, one, name) for name in self.to_do]:
                future.result()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.provider.shutdown()
        self.meters.shutdown()
        self.logs.shutdown()
        self.servers.close()
        if kind is None:
            self._write()

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_lines(self.folder / "events.jsonl.xz", self.log.lines, self.hidden)
        write_lines(self.folder / "otlp.jsonl.xz", self.receiver.lines, self.hidden)
        found = truth.build(self.model.model.records, self.tool_log, self.tasks, self.stated)
        found = {"framework": self.framework, "instrumentation": self.instrumentation, **found}
        (self.folder / "truth.json").write_text(json.dumps(found, indent=1) + "\n")
        (self.folder / "versions.txt").write_text(_versions(self.versions))
        self.tool_log.unlink()
        ends = sum(line["event"] == "END" for line in self.log.lines)
        size = sum(file.stat().st_size for file in self.folder.iterdir())
        sys.stdout.write(f"{self.folder.name}: {ends} spans, {size} bytes, {len(found['tasks'])} tasks\n")


def _versions(given: dict[str, str] | None) -> str:
    """Python and every distribution of the environment: what a capture depends on is not known beforehand."""
    if given:
        return "".join(f"{name}=={version}".removesuffix("==") + "\n" for name, version in given.items())
    found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
    for tool in ("pip", "setuptools", "wheel"):
        found.pop(tool, None)
    return f"python=={platform.python_version()}\n" + "".join(f"{n}=={v}\n" for n, v in sorted(found.items()))


@contextlib.asynccontextmanager
async def mcp_session(patience: float) -> AsyncIterator[Any]:
    """A session of the plain MCP client with the tool server."""
    from datetime import timedelta  # noqa: PLC0415 programs without MCP import this module too

    from mcp import ClientSession, StdioServerParameters  # noqa: PLC0415
    from mcp.client.stdio import stdio_client  # noqa: PLC0415

    server = StdioServerParameters(command=sys.executable, args=[TOOL_SERVER], env=dict(os.environ))
    async with stdio_client(server) as (read, write):
        # mcp 1 wants a timedelta, mcp 2 seconds
        old = importlib.metadata.version("mcp").startswith("1.")
        limit = timedelta(seconds=patience) if old else patience
        async with ClientSession(read, write, read_timeout_seconds=limit) as session:
            await session.initialize()
            yield session
