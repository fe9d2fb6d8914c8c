"""Write the annotations of alerts that tests compare with: `PYTHONPATH=tests python -m rules.write_golden`."""

import sys
import tempfile
from pathlib import Path

from rules import cases_objectives, cases_platform
from support.golden import GOLDEN, write

from alerts import rules


def main() -> int:
    """Write both files; `git diff` then shows what changed in what people are told."""
    with tempfile.TemporaryDirectory() as folder:
        for name, cases in {"objectives": cases_objectives.RAW, "platform": cases_platform.RAW}.items():
            write(cases, name, rules.alert_groups(), Path(folder) / name)
            print(f"wrote {GOLDEN / name}.yaml")  # noqa: T201 a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
