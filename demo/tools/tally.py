"""What a tool server served, counted where it was served, and handed to the runner in a file.

The runner compares it with what the telemetry says, so it must not come from the telemetry.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One inbound MCP message: its tool for a tool call, its error type or '', the caller's slice attributes."""

    method: str
    tool: str
    error: str
    slices: Mapping[str, str]


@dataclass(slots=True)
class Tally:
    """Counts of equal calls of one server process."""

    path: Path
    counts: Counter[tuple[str, str, str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)

    def served(self, call: Call) -> None:
        """Count one call."""
        # The conversation would make every call its own row.
        slices = tuple(
            sorted((key, value) for key, value in call.slices.items() if not key.endswith("conversation.id"))
        )
        self.counts[call.method, call.tool, call.error, slices] += 1

    def write(self, telemetry_lost: int) -> None:
        """Write the counts; the last thing a server process does."""
        rows = [
            {"method": method, "tool": tool, "error": error, "slices": dict(slices), "count": count}
            for (method, tool, error, slices), count in self.counts.items()
        ]
        self.path.write_text(json.dumps({"calls": rows, "telemetry_lost": telemetry_lost}), encoding="utf-8")
