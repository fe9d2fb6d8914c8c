"""The deployment checklist: what must hold before a release and after it, judged from facts; and its record.

Not here: who is asked and how (`stacks.checklist`), thresholds (`alerts.catalogue.readiness` and the KPIs' own).
"""

from runbooks.checklist.catalogue import ITEMS, items
from runbooks.checklist.evidence import Evidence, Release
from runbooks.checklist.evidence import none as no_evidence
from runbooks.checklist.evidence import parse as parse_evidence
from runbooks.checklist.model import (
    ChecklistError,
    Context,
    Item,
    Limits,
    Outcome,
    Owner,
    Phase,
    Proof,
    Result,
    Section,
    Status,
)
from runbooks.checklist.record import Record, check, digest, parse, sealed
from runbooks.checklist.rendering import html, markdown
from runbooks.checklist.running import run

__all__ = [
    "ITEMS",
    "ChecklistError",
    "Context",
    "Evidence",
    "Item",
    "Limits",
    "Outcome",
    "Owner",
    "Phase",
    "Proof",
    "Record",
    "Release",
    "Result",
    "Section",
    "Status",
    "check",
    "digest",
    "html",
    "items",
    "markdown",
    "no_evidence",
    "parse",
    "parse_evidence",
    "run",
    "sealed",
]
