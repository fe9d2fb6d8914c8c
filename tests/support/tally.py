"""The last line of CI: `python -m support.tally STATUS FOLDER` sums up the JUnit files of all runs of pytest.

A run that crashed has no file, or one that says too little, so the exit status of the commands counts too: with a
status other than 0 something failed, whatever files say, and a run in which nothing passed is no success either.
Needs Python alone, as the environment of the project may be what could not be made.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def tally(status: int, folder: Path) -> tuple[int, int]:
    """Passed and failed tests; what is broken otherwise counts as one that failed."""
    passed = failed = 0
    for file in sorted(folder.glob("*.xml")):
        try:
            suites = [*ET.parse(file).getroot().iter("testsuite")]  # noqa: S314 pytest wrote it
        except ET.ParseError:
            failed += 1
            continue
        for suite in suites:
            total, *not_passed = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
            passed += total - sum(not_passed)
            failed += sum(not_passed[:2])
    if status != 0 or passed == 0:
        failed = max(failed, 1)
    return passed, failed


def main() -> None:
    passed, failed = tally(int(sys.argv[1]), Path(sys.argv[2]))
    print(f"{passed} passed, {failed} failed")  # noqa: T201 the closing line
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
