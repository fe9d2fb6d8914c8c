"""What counts as ready for a deployment and as good after it, where no KPI or alert says so already."""

from typing import Final

from alerts.catalogue.model import DAY

BASELINE_MAX_AGE_S: Final = 14 * DAY
"""An older baseline speaks of other traffic, models and prices."""

REHEARSAL_MAX_AGE_S: Final = 90 * DAY
"""A rollback that nobody has tried for a quarter is a guess."""

ROLLBACK_MAX_S: Final = 300
"""A rollback that takes longer costs more than the error budget of a day."""

GOLDEN_MAX_AGE_S: Final = 7 * DAY
"""Models behind a provider's name change: an older run of the golden dataset says little."""

CANARY_MAX_SHARE: Final = 0.5
"""A canary that gets more is the release."""

DISK_MIN_FREE: Final = 0.15
"""Share of a disk that is free: stores stop writing at 10 % and less."""

MEMORY_MIN_FREE: Final = 0.1
"""Share of the memory that is available."""

REVIEW_PER_STRATUM: Final = 5
"""Traces that a person reads of each kind: failed, slow, costly, new version, random."""

REVIEW_MAX_BAD: Final = 0.2
"""Share of reviewed traces that people may find bad; most are drawn because something was odd about them."""
