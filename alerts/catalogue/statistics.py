"""What counts as enough evidence, for alerts and diagnosis alike."""

from typing import Final

MIN_EVENTS: Final = 10
"""Fewer events than this say nothing about a ratio or a mean."""

MIN_BAD: Final = 4
"""Fewer bad events than this break no promise about a share: of ten events that fail with 2 %, two or more fail once in
60 times by chance, four or more once in 30,000."""

SIGNIFICANT_Z: Final = 3.0
"""How many standard errors a change must span before a version is blamed (about 1 in 740 by chance alone)."""

FALSE_ALARMS: Final = 0.002
"""How often a diagnosis may name something where nothing is wrong, over all the comparisons that it makes."""

SUGGESTIVE_P: Final = 0.05
"""A p-value, corrected for the number of comparisons, below which more data are worth waiting for."""

LIKELY: Final = 0.8
"""A hypothesis less probable than this is shown with those that the data support about as well."""

PROBABLE: Final = 0.5
"""A version this probably guilty comes before whatever else got worse: it can be rolled back."""

POSSIBLE: Final = 0.05
"""A hypothesis less probable than this is not worth a reader's time."""

POWER: Final = 0.8
"""The chance to see an effect that is there, when the events still needed are worked out."""

DRIFT: Final = 0.1
"""The share of tasks that must have become of another type before the inputs count as drifted."""

RESTLESS: Final = 3
"""So many changes of one prompt within a day are edits in the dark: compare traces before another one."""
