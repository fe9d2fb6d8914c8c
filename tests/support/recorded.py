"""Raw series of played trials, kept in a file and given to a real Prometheus at any later time.

The file is compressed OpenMetrics text whose times are seconds since the recording began: a Prometheus forgets what is
older than its retention, so they are moved next to now when they are loaded. One sample in five seconds and the first
ones of each series are kept, as a scrape would see them; histograms without their buckets, which no diagnosis reads.
"""

import lzma
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import toolchain
from support.prometheus import Prometheus, prometheus_at

_GRID_S = 5.0
_DIGITS = 5
_UNREAD = "agentic_(mcp_server|plan|llm_tokens|task_tokens|eval_score|process).*"
_NAMES = f'{{__name__=~"agentic_.*(total|sum|count)",__name__!~"{_UNREAD}"}}'
_DROPPED = ("job", "instance", "service")


def record(data: Path, file: Path, start: float) -> int:
    """Write what a stopped Prometheus stored in `data` since `start` (unix seconds); return the number of samples."""
    dump = [
        str(toolchain.require(["promtool"])["promtool"]),
        "tsdb",
        "dump-openmetrics",
        f"--match={_NAMES}",
        str(data),
    ]
    done = subprocess.run(dump, capture_output=True, text=True, check=True)
    lines = [*_thinned(done.stdout.splitlines(), start)]
    file.write_bytes(lzma.compress("\n".join([*lines, "# EOF", ""]).encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(lines)


def _thinned(lines: Iterable[str], start: float) -> Iterator[str]:
    series, kept, waiting = "", 0, ""
    slot = -1
    for line in sorted((line for line in lines if not line.startswith("#")), key=_order):
        name, value, at = _parts(line)
        if name != series:
            if waiting:
                yield waiting
            series, kept, waiting, slot = name, 0, "", -1
        text = f"{name} {round(float(value), _DIGITS):g} {at - start:.3f}"
        if kept < 2 or int((at - start) / _GRID_S) != slot:
            if waiting and kept >= 2:
                yield waiting
            if kept < 2:
                yield text
                waiting = ""
            else:
                waiting = text
            kept += 1
            slot = int((at - start) / _GRID_S)
        else:
            waiting = text
    if waiting:
        yield waiting


def _parts(line: str) -> tuple[str, str, float]:
    name, value, at = line.rsplit(" ", 2)
    head, _, labels = name.partition("{")
    pairs = [pair for pair in labels.removesuffix("}").split(",") if not pair.startswith(_DROPPED)]
    return f"{head}{{{','.join(pairs)}}}", value, float(at)


def _order(line: str) -> tuple[str, float]:
    name, _, at = _parts(line)
    return name, at


@contextmanager
def replayed(file: Path, folder: Path, age_s: float) -> Iterator[tuple[Prometheus, float]]:
    """A Prometheus that holds the recording as if it had begun `age_s` seconds ago, and that moment (unix seconds)."""
    folder.mkdir(parents=True, exist_ok=True)
    start = float(round(time.time() - age_s))
    text = folder / "series.om"
    with text.open("w") as moved:
        for line in lzma.decompress(file.read_bytes()).decode().splitlines():
            series, _, at = line.rpartition(" ")
            moved.write(f"{line}\n" if line.startswith("#") else f"{series} {float(at) + start:.3f}\n")
    promtool = str(toolchain.require(["promtool"])["promtool"])
    load = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "prometheus" / "data")]
    done = subprocess.run(load, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with prometheus_at(folder / "prometheus") as prometheus:
        yield prometheus, start
