"""Alerts as Alertmanager tells them (webhook, version 4): read, counted, and kept before they are answered for.

An alert is one of a fingerprint and a beginning; told again, by whichever replica, it is the same one.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from delivery.controller.journal import Journal
from delivery.documents import problems
from delivery.errors import DeliveryError

LARGEST: Final = 1024 * 1024
"""Bytes of one notification; a thousand alerts have fewer."""
_MOST: Final = 1000
_PER_S: Final = 10.0
_BURST: Final = 50.0
_LONG: Final = 2000


class AlertError(DeliveryError):
    """What came is no notification of Alertmanager."""


class Alert(BaseModel):
    """One alert of a notification; what else it says is not ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    starts_at: str = Field(alias="startsAt", min_length=1, max_length=64)
    fingerprint: str = Field(pattern=r"^[0-9a-fA-F]{8,64}$")

    @property
    def key(self) -> str:
        """The same for the same fingerprint and beginning."""
        return hashlib.sha256(f"{self.fingerprint}\0{self.starts_at}".encode()).hexdigest()[:32]

    @property
    def document(self) -> dict[str, Any]:
        """As it is kept; long labels are cut."""
        labels = {name[:_LONG]: value[:_LONG] for name, value in self.labels.items()}
        return {"status": self.status, "labels": labels, "startsAt": self.starts_at, "fingerprint": self.fingerprint}


class _Notification(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal["4"]
    alerts: list[Alert] = Field(max_length=_MOST)


def read(body: bytes) -> list[Alert]:
    """The alerts of a notification. Raises AlertError."""
    try:
        return _Notification.model_validate_json(body).alerts
    except ValidationError as error:
        raise AlertError(f"this is no notification of Alertmanager (webhook version 4): {problems(error)}") from None


def keep(journal: Journal, alerts: list[Alert], at: str) -> list[str]:
    """Keep what is new; the keys of that. Raises StoreError, and then Alertmanager sends it again."""
    return [alert.key for alert in alerts if journal.add(f"alerts/{alert.key}", {**alert.document, "received": at})]


class Gate:
    """So many notifications a second, with room for a burst; thread-safe."""

    def __init__(
        self, per_s: float = _PER_S, burst: float = _BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._left, self._at = burst, clock()
        self._lock = threading.Lock()

    def lets_in(self) -> bool:
        """Whether one more may come now."""
        with self._lock:
            now = self._clock()
            self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
