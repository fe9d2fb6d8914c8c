"""The release controller: tells agents what they run, hears alerts, decides about canaries, and shows all of it.

One process, `python -m delivery.controller`. It may be away: agents go on with what they hold, and the command line
works on the store. What it knows beside the store (who holds which revision) it learns again within half a minute.
"""
