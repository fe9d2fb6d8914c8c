"""Command line of one tool server process; started by the runner, not by people."""

import argparse
from pathlib import Path

from demo.system import ServerName
from demo.tools.serve import Settings, serve


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m demo.tools", description=__doc__)
    parser.add_argument("server", choices=[name.value for name in ServerName])
    parser.add_argument("--version-label", required=True)
    parser.add_argument("--environment", default="local")
    parser.add_argument("--endpoint", help="OTLP/HTTP base address; without it nothing is emitted")
    parser.add_argument("--faults", type=Path, required=True)
    parser.add_argument("--tally", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-scale", type=float, default=1.0)
    given = parser.parse_args()
    serve(
        Settings(
            name=ServerName(given.server),
            version=given.version_label,
            environment=given.environment,
            endpoint=given.endpoint,
            faults=given.faults,
            tally=given.tally,
            seed=given.seed,
            time_scale=given.time_scale,
        )
    )


if __name__ == "__main__":
    main()
