"""Evidence for an alert: queries that show whether it is true, how bad it is, since which version, and in which traces.

They are the very expressions of its rules, narrowed to one instance. Not here: the prose around them (`runbooks`).
"""

from alerts.evidence.counters import of_counters
from alerts.evidence.model import About, QuickCheck
from alerts.evidence.narrow import Mark, identity, narrowed
from alerts.evidence.quick import quick_checks, rules_of

__all__ = ["About", "Mark", "QuickCheck", "identity", "narrowed", "of_counters", "quick_checks", "rules_of"]
