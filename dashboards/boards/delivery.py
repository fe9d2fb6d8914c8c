"""Delivery: what was released where, and what does it do to the KPIs?"""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue import TASK_SUCCESS
from alerts.catalogue import counts as c
from alerts.catalogue.model import HOUR
from alerts.promql import matchers, sum_by
from alerts.recording import versions
from dashboards.boards import shared
from dashboards.lib import variables
from dashboards.lib.model import Board, Column, Format, Prom, Section, Table, TimeSeries
from dashboards.lib.panels import Reader, legend

_READ: Final = Reader((Label.ENVIRONMENT, Label.WORKFLOW))
_OWNERS: Final = tuple(label for label in versions.ENTITIES if label is not Label.ENVIRONMENT)


def _environments() -> Table:
    """Not narrowed to the chosen environment: it is about the differences between them."""
    labels = ("environment", "dimension", *_OWNERS, "version")
    newest = f"max by ({', '.join(labels)}) (last_over_time({versions.CURRENT}[$__range])) * 1000"
    return Table(
        title="What runs where",
        description="The version in use of everything that has one, in every environment, newest first.",
        no_data="No call carried a version in this time range.",
        queries=(Prom(expr=newest, instant=True),),
        columns=(
            *(Column(title=shared.title(label), label=label) for label in labels),
            Column(title="First seen", query=0, format=Format.AGO),
        ),
        sort_by="First seen",
        descending=True,
        width=24,
        height=10,
    )


def _returned() -> TimeSeries:
    """A version that comes back was first seen long before the one it replaces was last seen."""
    seen = _READ.narrowed(versions.CURRENT, versions.ENTITIES)
    changed = f"count by (dimension) (changes({seen}[1h]) > 0)"
    back = f"count by (dimension) (delta({seen}[1h]) < 0)"
    return TimeSeries(
        title="Changes of versions",
        description=(
            "Owners whose newest version in use changed within the hour before; back: the older version is in use again"
            " and the newer one is not, which is a rollback."
        ),
        no_data="No call carried a version in this time range.",
        queries=(
            Prom(expr=f"{changed} or 0 * count by (dimension) ({seen})", legend="changed {{dimension}}"),
            Prom(expr=f"{back} or 0 * count by (dimension) ({seen})", legend="back {{dimension}}"),
        ),
        width=12,
    )


def _by_track() -> TimeSeries:
    where = matchers(variables.scope((Label.ENVIRONMENT, Label.WORKFLOW)))
    tasks = f"rate({contract.TASK_CALLS.series}{where}[$__rate_interval])"
    return TimeSeries(
        title="Tasks by track",
        description="The part of the tasks on each rollout track: stable, canary, shadow.",
        no_data="No task ended in this time range.",
        queries=(
            Prom(
                expr=f"{sum_by((Label.TRACK,), tasks)} / ignoring ({Label.TRACK}) group_left () sum({tasks})",
                legend=legend((Label.TRACK,)),
            ),
        ),
        format=Format.SHARE,
        stacked=True,
        maximum=1.0,
        width=12,
    )


BOARD: Final = Board(
    slug="delivery",
    title="Delivery",
    question="What was released where, and did it help?",
    variables=(variables.ENVIRONMENT, variables.WORKFLOW),
    sections=(
        Section(title="Releases", panels=(_environments(), _returned(), _by_track())),
        Section(
            title="What they did",
            panels=(
                shared.regressions(_READ, width=24, height=7),
                _READ.line(TASK_SUCCESS, width=12),
                TimeSeries(
                    title="Tasks ended",
                    description="Tasks in the hour before: without traffic a release proves nothing.",
                    no_data="No task ended in this time range.",
                    queries=(Prom(expr=_READ.count(c.TASKS, HOUR), legend="tasks"),),
                    width=12,
                    alerts=("TasksStuck",),
                ),
            ),
        ),
        Section(
            title="Starts",
            panels=(
                _READ.watching(
                    "ProcessCrashLoop",
                    title="Starts of processes",
                    description="Starts of each service within ten minutes. A deployment starts each once.",
                    no_data="No process started in this time range; services report a start only if instrumented.",
                    by=c.PROCESS_STARTS.by,
                    width=24,
                ),
            ),
        ),
    ),
    next=("fleet", "versions", "quality"),
)
