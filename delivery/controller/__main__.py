"""Start the release controller: `python -m delivery.controller --store FOLDER --listen 127.0.0.1:8090`."""

import argparse
import logging
import sys
from pathlib import Path

from delivery.controller import settings
from delivery.controller.serve import serve
from delivery.errors import DeliveryError
from delivery.store import FileBlobs


def main() -> int:
    """Run the controller over a folder."""
    parser = argparse.ArgumentParser(prog="python -m delivery.controller", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="Folder of releases and revisions")
    parser.add_argument("--listen", default="127.0.0.1:8090", help="Where to answer (default: %(default)s)")
    parser.add_argument("--state", type=Path, help="Private folder of the console's token (default: beside the store)")
    said = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        found = settings.read(said.state or said.store.with_name(f"{said.store.name}-controller"))
        serve(found, FileBlobs(said.store), said.listen, said.store / "snapshots")
    except DeliveryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
