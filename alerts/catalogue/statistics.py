"""What counts as enough evidence, for alerts and diagnosis alike."""

from typing import Final

MIN_EVENTS: Final = 10
"""Fewer events than this say nothing about a ratio or a mean."""

MIN_BAD: Final = 4
"""Fewer bad events than this break no promise about a share: of ten events that fail with 2 %, two or more fail once in
60 times by chance, four or more once in 30,000."""

SIGNIFICANT_Z: Final = 3.0
"""How many standard errors a change must span before a version is blamed (about 1 in 740 by chance alone)."""

SCAN_Z: Final = 4.5
"""The same where many moments are tried: 24 borders times some forty slices (by chance at most about 1 in 300)."""
