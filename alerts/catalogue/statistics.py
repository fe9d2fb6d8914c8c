"""What counts as enough evidence, for alerts and diagnosis alike."""

from typing import Final

MIN_EVENTS: Final = 10
"""Fewer events than this, on either side of a comparison, say nothing about a ratio or a mean. So few are enough to say
`worse`, because tests are exact; to say `not worse` takes more, see BLIND."""

MIN_BAD: Final = 4
"""Fewer bad events than this break no promise about a share: of ten events that fail with 2 %, two or more fail once in
60 times by chance, four or more once in 30,000."""

FALSE_ALARMS: Final = 0.01
"""How often a diagnosis names something where nothing is wrong, per hour of being asked, all comparisons together.
It is a rate, as `why` may be asked again every few seconds: one look gets a small part of it."""

LOOKS_PER_HOUR: Final = 180
"""Asked every 20 s."""

LOOK_LEVEL: Final = FALSE_ALARMS / LOOKS_PER_HOUR
"""What one look may claim (union bound: it needs no independence), of `why` and of the rules that compare versions and
tracks alike, though these look once a minute."""

HALVES: Final = 2
"""Half of what a look may claim is for versions, half for faults without one."""

VERSION_LEVEL: Final = LOOK_LEVEL / HALVES

FAMILY_LEVEL: Final = 0.01
"""How often one report (a baseline against now, a canary against stable) may call something worse where nothing is, all
its comparisons together. It is per report, not per hour: a checklist is run once for a release, and whoever runs it
again until it fails asks more often than was paid for."""

BLIND: Final = 5.0
"""A comparison that would have missed a worsening of so many tolerances is blind: `not worse` would be no news, so it
says that there are not enough data. With a hundred tasks on either side, of which one in twenty fails, and sixty
comparisons, a fall by four tolerances is found; with a thousand, a single one."""

CONFIDENCE: Final = 0.95
"""Of intervals: so often they hold the true value."""

TAIL: Final = 0.1
"""Of values of a histogram (seconds, tokens, dollars): about so many of the old ones count as bad. A share is tested,
not the mean, so that one call that hangs is one bad event, however long it hangs."""

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
