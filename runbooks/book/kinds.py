"""The three kinds of pages that people write: where they lie, which sections they have, which there must be."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """A kind of page. The value is the folder below `runbooks/`."""

    ALERT = "pages"
    PROCEDURE = "procedures"
    GUIDE = "guide"

    @property
    def sections(self) -> tuple[str, ...]:
        """The headings, in order; empty where they are free."""
        return _SECTIONS[self]

    @property
    def has_title(self) -> bool:
        """Whether the first line is `# Title`; the title of an alert's page is generated."""
        return self is not Kind.ALERT


_SECTIONS: Final = {
    Kind.ALERT: ("Meaning", "Impact", "Diagnosis", "Mitigation", "Verify", "Do not", "Escalation"),
    Kind.PROCEDURE: ("When", "Before you start", "Steps", "Verify", "Undo", "Do not"),
    Kind.GUIDE: (),
}

PROCEDURES: Final = (
    "rollback-prompt",
    "rollback-tool",
    "rollback-model",
    "rollback-graph",
    "kill-switch",
    "cost-ceiling",
    "data-drift",
    "provider-outage",
    "telemetry-platform",
)
GUIDES: Final = (
    "first-ten-minutes",
    "severity-and-paging",
    "silences-and-maintenance",
    "hand-over",
    "post-incident",
)
