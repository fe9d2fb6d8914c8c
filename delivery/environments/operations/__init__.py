"""The typed operations on an environment. Every one is pure, and is tried again on a newer head."""

from delivery.environments.operations.base import Operation, Request
from delivery.environments.operations.promote import Promote
from delivery.environments.operations.rehearsed import Rehearsed
from delivery.environments.operations.rollback import RollBack, RollBackRelease
from delivery.environments.operations.split import End, Share, Start
from delivery.environments.operations.stops import Freeze, Kill, LockOut, Resume, Target, Thaw, Unlock

__all__ = [
    "End",
    "Freeze",
    "Kill",
    "LockOut",
    "Operation",
    "Promote",
    "Rehearsed",
    "Request",
    "Resume",
    "RollBack",
    "RollBackRelease",
    "Share",
    "Start",
    "Target",
    "Thaw",
    "Unlock",
]
