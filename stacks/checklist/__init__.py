"""The deployment checklist of a running stack: what it asks of the platform, how a run is kept, recorded and signed.

Not here: what must hold (`runbooks.checklist`), the command (`stacks.cli.checklist`).
"""
