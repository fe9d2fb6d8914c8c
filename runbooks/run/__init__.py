"""A page's quick checks, run: filled in with the labels of an alert, asked of the stores, each with what it means.

Not here: what the checks are (`alerts.evidence`), the stores' clients and the terminal (`stacks`).
"""

from runbooks.run.asking import Asked, Sources, ask
from runbooks.run.document import Result, Run, Step, Verdict
from runbooks.run.labels import LabelError, Named, named
from runbooks.run.onward import onward

__all__ = ["Asked", "LabelError", "Named", "Result", "Run", "Sources", "Step", "Verdict", "ask", "named", "onward"]
