"""What may go wrong in a way that a person can mend: one message and exit code 1, without a traceback."""

from typing import Final

EXPECTED: Final = frozenset(
    (
        "agentobs.scores:ScoreError",
        "collector.search.model:SearchError",
        "dashboards.push:PushError",
        "runbooks.baseline.document:BaselineError",
        "runbooks.book.prose:ProseError",
        "runbooks.checklist.model:ChecklistError",
        "runbooks.run.labels:LabelError",
        "stacks.cli.browser:BrowserError",
        "stacks.cli.lifecycle:LifecycleError",
        "stacks.cli.prometheus:PrometheusError",
        "stacks.cli.report:ReportError",
        "stacks.cli.runbooks:RunbookError",
        "stacks.cli.workspace:WorkspaceError",
        "stacks.clients.http:StoreError",
        "stacks.cluster.forward:ForwardError",
        "stacks.cluster.rollout:RolloutError",
        "stacks.cluster.snapshots:SnapshotError",
        "stacks.generated:StaleError",
        "stacks.process.archive:ArchiveError",
        "stacks.process.private:PrivateError",
        "stacks.settings:SettingsError",
        "toolchain.errors:ToolchainError",
    )
)
"""By name, because importing every class for the one that is raised would import every verb for the one that is run."""


def is_expected(error: Exception) -> bool:
    """Whether an error is of one of those classes, or of a class that is made from one."""
    return not EXPECTED.isdisjoint(f"{kind.__module__}:{kind.__qualname__}" for kind in type(error).__mro__)
