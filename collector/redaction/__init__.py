"""Redaction before anything is stored: secrets and personal data masked, content dropped where policy says so."""

from collector.redaction.content import DEV, LOCAL, PROD, STAGING, Content, ContentPolicy
from collector.redaction.processors import chain, kpi_processors, metric_processors

__all__ = [
    "DEV",
    "LOCAL",
    "PROD",
    "STAGING",
    "Content",
    "ContentPolicy",
    "chain",
    "kpi_processors",
    "metric_processors",
]
