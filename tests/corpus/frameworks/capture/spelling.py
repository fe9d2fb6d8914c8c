"""How requests are read and replies are spelt: as the examples' model server does it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4] / "examples" / "model_server"))

import replies
import requested

__all__ = ["replies", "requested"]
