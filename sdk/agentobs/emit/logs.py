"""Python `logging` to OpenTelemetry log records with trace ids.

Own code because the SDK's handler is deprecated in favour of a package that is not a dependency here.
"""

import logging
from typing import Final

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider

# The exporters' own complaints would be exported again, for ever.
_OWN_LOGGERS: Final = ("opentelemetry", "urllib3", "requests")
_SEVERITIES: Final = (
    (logging.CRITICAL, SeverityNumber.FATAL, "FATAL"),
    (logging.ERROR, SeverityNumber.ERROR, "ERROR"),
    (logging.WARNING, SeverityNumber.WARN, "WARN"),
    (logging.INFO, SeverityNumber.INFO, "INFO"),
)


class OtlpLoggingHandler(logging.Handler):
    """Sends each record to a logger provider: logger name as scope, message as body, exception as attributes."""

    def __init__(self, provider: LoggerProvider, level: int) -> None:
        super().__init__(level)
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        """Translate and emit one record; never raises (`logging` reports failures through `handleError`)."""
        if record.name.split(".", 1)[0] in _OWN_LOGGERS:
            return
        try:
            number, text = _severity(record.levelno)
            error = record.exc_info[1] if record.exc_info else None
            translated = LogRecord(
                timestamp=int(record.created * 1e9),
                severity_number=number,
                severity_text=text,
                body=record.getMessage(),
                exception=error,
            )
            self._provider.get_logger(record.name).emit(translated)
        except Exception:  # noqa: BLE001 a log call must not break the program
            self.handleError(record)


def _severity(level: int) -> tuple[SeverityNumber, str]:
    for bound, number, text in _SEVERITIES:
        if level >= bound:
            return number, text
    return SeverityNumber.DEBUG, "DEBUG"
