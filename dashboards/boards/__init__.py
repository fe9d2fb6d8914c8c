"""All boards, in the order in which a reader meets them: from the fleet to one trace, then the platform."""

from typing import Final

from dashboards.boards import (
    agent,
    cost,
    delivery,
    explore,
    fleet,
    langfuse,
    platform,
    quality,
    slo,
    tool,
    versions,
)
from dashboards.lib.model import Board

BOARDS: Final[tuple[Board, ...]] = (
    fleet.BOARD,
    agent.BOARD,
    tool.BOARD,
    versions.BOARD,
    quality.BOARD,
    cost.BOARD,
    slo.BOARD,
    explore.BOARD,
    delivery.BOARD,
    platform.BOARD,
    langfuse.BOARD,
)
