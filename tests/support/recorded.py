"""Recorded series, given to a real Prometheus at any later time.

A recording is compressed OpenMetrics text whose times are seconds since it began and whose environment is `case`: a
Prometheus forgets what is older than its retention, so they are moved next to now when they are loaded.
"""

import lzma
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import toolchain
from support.prometheus import Prometheus, prometheus_at


@contextmanager
def replayed(files: Mapping[str, Path], folder: Path, age_s: float) -> Iterator[tuple[Prometheus, float]]:
    """A Prometheus that holds each recording under the environment's name, as if it had begun `age_s` seconds ago.

    Gives that moment too (unix seconds).
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = float(round(time.time() - age_s))
    text = folder / "series.om"
    families: dict[str, list[str]] = {}
    for environment, file in files.items():
        for line in lzma.decompress(file.read_bytes()).decode().splitlines():
            if not line.startswith("#"):
                series, _, at = line.rpartition(" ")
                moved = series.replace('environment="case"', f'environment="{environment}"')
                families.setdefault(series.partition("{")[0], []).append(f"{moved} {float(at) + start:.3f}\n")
    with text.open("w") as merged:
        for lines in families.values():
            merged.writelines(lines)
        merged.write("# EOF\n")
    promtool = str(toolchain.require(["promtool"])["promtool"])
    load = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "prometheus" / "data")]
    done = subprocess.run(load, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text.unlink()
    with prometheus_at(folder / "prometheus") as prometheus:
        yield prometheus, start
