"""Redaction before anything is stored: secrets and personal data masked, content dropped where policy says so."""

from collector.redaction.content import DEV, LOCAL, PROD, STAGING, Content, ContentPolicy, content_processor
from collector.redaction.processors import log_processors, trace_processors

__all__ = [
    "DEV",
    "LOCAL",
    "PROD",
    "STAGING",
    "Content",
    "ContentPolicy",
    "content_processor",
    "log_processors",
    "trace_processors",
]
