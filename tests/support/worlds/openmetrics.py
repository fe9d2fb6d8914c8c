"""Series of a world for a store: as OpenMetrics text, or in memory."""

from collections.abc import Iterable, Iterator

from support.memory_source import MemorySource
from support.worlds.sampled import Sampled


def text(series: Iterable[Sampled], start: float) -> Iterator[str]:
    """Lines of OpenMetrics text whose times are unix seconds, for a world that began at `start`. Series by name."""
    for name, labels, at, values in sorted(series, key=lambda one: one[0]):
        pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
        for time, value in zip(at, values, strict=True):
            yield f"{name}{{{pairs}}} {float(value)!r} {start + time:.3f}"
    yield "# EOF"


def memory(series: Iterable[Sampled], start: float) -> MemorySource:
    """The same in memory."""
    source = MemorySource()
    for name, labels, at, values in series:
        source.add_arrays(name, labels, at + start, values)
    return source


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
