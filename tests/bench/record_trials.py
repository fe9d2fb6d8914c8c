"""Record the trials that the tests replay: play them once through the real collector, keep the raw series and times.

PYTHONPATH=tests .venv/bin/python tests/bench/record_trials.py      # about 3 minutes
"""

import json
import tempfile
import time
from pathlib import Path

from support import recorded
from support.play import play
from support.trial_stack import arrived, trial_stack
from support.trials import draw_all

FOLDER = Path(__file__).resolve().parents[1] / "rules" / "golden"
SEED, SCALE, SECONDS = 7, 0.2, 120.0


def main() -> None:
    trials = draw_all(SEED, SCALE)
    print(f"{len(trials)} trials of seed {SEED} for {SECONDS:.0f} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="agentobs-trials-") as place:
        folder = Path(place)
        with trial_stack(folder) as (prometheus, collector):
            start = time.time()
            times = play(trials, lambda message: collector.send(message).raise_for_status(), SECONDS)
            arrived(prometheus, trials)
        samples = recorded.record(folder / "prometheus" / "data", FOLDER / "trials.om.xz", start)
    facts = {"seed": SEED, "scale": SCALE, "times": [round(at - start, 2) for at in times]}
    (FOLDER / "trials.json").write_text(json.dumps(facts) + "\n")
    print(f"{samples} samples, {(FOLDER / 'trials.om.xz').stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
