"""The verbs of `agentobs`, each imported when it is run: all together take ten times as long to import as one."""

import importlib
from dataclasses import dataclass
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Where a verb lies (module:attribute, a function or a typer.Typer), and the first line of its help.

    `passes_on`: whether it hands what it does not know to another program.
    """

    at: str
    help: str
    passes_on: bool = False


VERBS: Final = {
    "up": Verb(
        at="stacks.cli.local:up",
        help="Build what is missing, run `pulumi up`, run the sample workload, print addresses and KPIs.",
    ),
    "down": Verb(
        at="stacks.cli.local:down",
        help="Run `pulumi destroy`: stop every process and remove its files; stored data stays unless told otherwise.",
    ),
    "status": Verb(
        at="stacks.cli.status:status", help="Show KPIs per task graph, agent, model and tool, with their versions."
    ),
    "why": Verb(
        at="stacks.cli.why:why",
        help="Name the agent or tool that broke, the version dimension to blame and since when, how sure that is and"
        " why.",
    ),
    "traces": Verb(
        at="stacks.cli.look:traces",
        help="Find traces by what a step in them is: one step has to fulfil every condition. With an id: show that"
        " trace.",
    ),
    "logs": Verb(at="stacks.cli.look:logs", help="Find lines and events by who wrote them and what about."),
    "report": Verb(
        at="stacks.cli.report:report",
        help="Write all boards with the data of the last hours as one HTML page that needs no network.",
    ),
    "telemetry": Verb(at="stacks.cli.check:app", help="Look at the telemetry itself."),
    "dashboards": Verb(at="stacks.cli.dashboards:app", help="The boards of Grafana."),
    "runbooks": Verb(
        at="stacks.cli.runbooks:app", help="The runbooks: a page for every alert, procedures, the on-call guide."
    ),
    "baseline": Verb(at="stacks.cli.baseline:app", help="KPI baselines: what a release is compared with."),
    "checklist": Verb(
        at="stacks.cli.checklist:app", help="The deployment checklist: before a release, after it, and its records."
    ),
    "release": Verb(
        at="stacks.cli.release:app",
        help="What each agent runs, by version: build, promote, try, take back, stop, and who did it.",
    ),
    "golden": Verb(
        at="stacks.cli.golden:app",
        help="Golden datasets: cases with what is expected of each, their replay, and a gate.",
    ),
    "ci": Verb(at="stacks.cli.ci:app", help="Workflows for a repository of agents."),
    "tools": Verb(at="stacks.cli.tools:app", help="MCP servers looked at from outside."),
    "prompts": Verb(at="stacks.cli.prompts:app", help="Prompts as files."),
    "langfuse": Verb(at="stacks.cli.langfuse:app", help="The project in Langfuse."),
    "gateway": Verb(
        at="stacks.cli.gateway:app",
        help="The MCP gateway: who may call which tool, how often, how long, for how much money.",
    ),
    "backup": Verb(at="stacks.cli.backup:app", help="Keep what a stack has stored, and put it back."),
    "doctor": Verb(
        at="stacks.cli.doctor:doctor",
        help="List everything that is missing or unsafe before `pulumi up`, with fixes; exit 1 where there is"
        " something.",
    ),
    "render": Verb(
        at="stacks.cli.render:app",
        help="Write the generated files of the repository: collector configurations, rules, boards, manifests.",
    ),
    "env": Verb(
        at="stacks.cli.plain:env",
        help='Print the variables for plain `pulumi` commands on the local stack: eval "$(agentobs env)".',
    ),
    "pulumi": Verb(
        at="stacks.cli.plain:pulumi",
        help="Run any Pulumi command on a stack: agentobs pulumi preview --diff.",
        passes_on=True,
    ),
}


class VerbGroup(TyperGroup):
    """A group that shows a line of each verb, and loads the one that is run."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 typer's own
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=verb.help) for name, verb in VERBS.items()}

    # Any: typer brings its own click, and exports no type of it.
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401
        """The verb that the words name. Ends the command where there is none."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else None, rest

    @property
    def loaded(self) -> dict[str, Any]:
        """Every verb with its options, for those who look at the whole command line."""
        return {name: load(name) for name in self.commands}


def load(name: str) -> Any:  # noqa: ANN401 typer brings its own click, and exports no type of it
    """Import a verb and make its command."""
    module, _, attribute = VERBS[name].at.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    parent = typer.Typer()
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        passing = {"allow_extra_args": True, "ignore_unknown_options": True} if VERBS[name].passes_on else {}
        parent.command(name, context_settings=passing)(found)
    return typer.main.get_group(parent).commands[name]
