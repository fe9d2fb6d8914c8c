"""The guide of releases is typed as it stands, and does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def test_every_line_of_the_guide_runs_and_ends_where_it_says(tmp_path):
    text = (ROOT / "docs" / "delivery.md").read_text()
    script = "\n".join(re.sub(r"(?m)^ {3}", "", fence) for fence in FENCE.findall(text))
    here = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{here}:/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    shown = done.stdout
    assert "canary c2: 5 % of the sessions run" in shown
    assert "dry run: nothing was changed" in shown
    assert re.search(r"rollback prompt executor 13 ?\W*-> ?12", shown) or "executor: prompt 13 -> 12" in shown
    assert "revision 8 of prod" in shown
