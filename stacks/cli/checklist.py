"""`agentobs checklist`: what must hold before a release and after it, looked at, recorded, signed and verified."""

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from alerts.catalogue.readiness import DISK_MIN_FREE, MEMORY_MIN_FREE, REVIEW_PER_STRATUM
from runbooks import checklist
from runbooks.checklist import Item, Limits, Phase, Record, Release, Result, Status
from stacks.checklist import session, verification
from stacks.checklist.session import Asked
from stacks.cli import safe, show_checklist
from stacks.cli.options import (
    AsJson,
    JaegerUrl,
    LokiUrl,
    Since,
    Stack,
    Store,
    TempoUrl,
    VictoriaLogsUrl,
    Where,
    duration,
)
from stacks.clients.grafana import TOKEN
from stacks.environments import EnvName

app = typer.Typer(help="The deployment checklist: before a release, after it, and its records.", no_args_is_help=True)

_LOCAL: Final = EnvName.LOCAL
_CODES: Final = {Status.PASS: 0, Status.FAIL: 1, Status.UNJUDGED: 2}


class Published(StrEnum):
    """Documents with a published schema."""

    RECORD = "record"
    EVIDENCE = "evidence"


def _schema(which: Published | None) -> Published | None:
    if which is not None:
        model = Record if which is Published.RECORD else Release
        safe.document(json.dumps(model.model_json_schema(), indent=2))
        raise typer.Exit
    return which


ReleaseName = Annotated[str, typer.Option("--release", "-r", help="The release that is deployed.")]
EvidenceFile = Annotated[
    Path | None, typer.Option("--evidence", help="What the release process says, YAML or JSON; --schema evidence.")
]
BaselineName = Annotated[str, typer.Option("--baseline", help="Name or file of the KPI baseline.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of records.")]
By = Annotated[str, typer.Option("--by", help="Who runs it; default: this user and computer.")]
Key = Annotated[Path | None, typer.Option("--key", help="SSH key that signs the record; without one only a digest.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Look at everything again, also at what passed lately.")]
Alerts = Annotated[str, typer.Option("--alertmanager", help="Another Alertmanager than ours.")]
SchemaOf = Annotated[
    Published | None,
    typer.Option("--schema", callback=_schema, is_eager=True, help="Print the JSON Schema of a document and exit."),
]
GrafanaUrl = Annotated[
    str, typer.Option("--grafana", envvar="GRAFANA_URL", help=f"Grafana to look at, with its token in {TOKEN}.")
]
Share = Annotated[float, typer.Option(min=0, max=1)]


@app.command()
def before(
    stack: Stack = _LOCAL,
    release: ReleaseName = "",
    environment: Where = "",
    evidence: EvidenceFile = None,
    baseline: BaselineName = "",
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    min_disk: Annotated[float, typer.Option(min=0, max=1, help="Share of the disk that must be free.")] = DISK_MIN_FREE,
    min_memory: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the memory that must be available.")
    ] = MEMORY_MIN_FREE,
    grafana: GrafanaUrl = "",
    out: Out = Path("checklists"),
    by: By = "",
    key: Key = None,
    fresh: Fresh = False,
    prometheus: Store = "",
    alertmanager: Alerts = "",
    loki: LokiUrl = "",
    victorialogs: VictoriaLogsUrl = "",
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
    as_json: AsJson = False,
    schema: SchemaOf = None,  # noqa: ARG001 its callback did it
) -> None:
    """Look at everything that must hold before a release is deployed.

    Sends one test alert of severity ticket, and takes it back. Exit code: 0 all pass, 1 something fails, 2 something
    could not be judged. Run again, it looks only at what did not pass.
    """
    _run(
        Asked(
            phase=Phase.BEFORE,
            stack=stack,
            release=release,
            environment=environment,
            evidence=evidence,
            baseline=baseline,
            window_s=since,
            out=out,
            by=by,
            key=key,
            fresh=fresh,
            addresses={
                "prometheus": prometheus,
                "alertmanager": alertmanager,
                "loki": loki,
                "victorialogs": victorialogs,
                "tempo": tempo,
                "jaeger": jaeger,
            },
            limits=Limits(disk_free=min_disk, memory_free=min_memory, per_stratum=REVIEW_PER_STRATUM),
            grafana=grafana,
        ),
        as_json=as_json,
    )


@app.command()
def after(
    stack: Stack = _LOCAL,
    release: ReleaseName = "",
    environment: Where = "",
    evidence: EvidenceFile = None,
    baseline: BaselineName = "",
    window: Annotated[str, typer.Option(metavar="DURATION", help="How long since the deployment: 24h.")] = "24h",
    sample: Annotated[int, typer.Option(min=1, help="Traces to read of each kind.")] = REVIEW_PER_STRATUM,
    seed: Annotated[str, typer.Option(help="Seed of the sample; default: the release.")] = "",
    out: Out = Path("checklists"),
    by: By = "",
    key: Key = None,
    fresh: Fresh = False,
    prometheus: Store = "",
    alertmanager: Alerts = "",
    loki: LokiUrl = "",
    victorialogs: VictoriaLogsUrl = "",
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
    as_json: AsJson = False,
    schema: SchemaOf = None,  # noqa: ARG001 its callback did it
) -> None:
    """Look at the first hours of a release: objectives, baseline, canary, cost, and traces for people to read.

    Exit code: 0 all pass, 1 something fails, 2 something could not be judged.
    """
    _run(
        Asked(
            phase=Phase.AFTER,
            stack=stack,
            release=release,
            environment=environment,
            evidence=evidence,
            baseline=baseline,
            window_s=duration(window),
            out=out,
            by=by,
            key=key,
            fresh=fresh,
            addresses={
                "prometheus": prometheus,
                "alertmanager": alertmanager,
                "loki": loki,
                "victorialogs": victorialogs,
                "tempo": tempo,
                "jaeger": jaeger,
            },
            limits=Limits(disk_free=DISK_MIN_FREE, memory_free=MEMORY_MIN_FREE, per_stratum=sample),
            seed=seed,
        ),
        as_json=as_json,
    )


@app.command("list")
def list_items() -> None:
    """Show every item with its owner and what it is judged from."""
    for phase in Phase:
        safe.Console().print(Text(f"{phase}", style="bold"))
        for item in checklist.items(phase):
            source = {"": "the platform", "evidence": "the evidence file", "baseline": "the platform and a baseline"}[
                item.reads
            ]
            safe.Console().print(
                Text.assemble(f"  {item.key:<20} {item.title} ", (f"({item.owner}; from {source})", "dim"))
            )


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A record: its .json, .md or .html.")],
    signers: Annotated[
        Path | None, typer.Option("--signers", help="Allowed signers of ssh-keygen: who may sign with which key.")
    ] = None,
) -> None:
    """Check that a record was not changed since it was made, and who signed it; exit 1 where it does not hold."""
    safe.say(verification.verify(file, signers))


def _run(asked: Asked, *, as_json: bool) -> None:
    if not asked.release:
        raise typer.BadParameter("name the release that is deployed: --release NAME")
    if "/" in asked.release or asked.release.startswith("."):
        raise typer.BadParameter(f"--release {asked.release!r} would be a path; use letters, digits, - _ and .")
    began = time.monotonic()
    console = safe.Console(stderr=as_json)

    def tell(item: Item, result: Result, kept: bool) -> None:  # noqa: FBT001 a callback
        show_checklist.item(console, item, result, kept=kept)

    made = session.run(asked, tell)
    if as_json:
        safe.document(made.record)
    show_checklist.summary(console, made, time.monotonic() - began)
    raise typer.Exit(_CODES[made.record.verdict])
