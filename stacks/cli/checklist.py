"""`agentobs checklist`: what must hold before a release and after it, looked at, recorded, signed and verified."""

import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from alerts.catalogue.readiness import DISK_MIN_FREE, MEMORY_MIN_FREE, REVIEW_PER_STRATUM
from dashboards.push import Grafana
from dashboards.report import Period
from runbooks import checklist
from runbooks.baseline import Baseline, BaselineError
from runbooks.checklist import ChecklistError, Context, Evidence, Item, Limits, Phase, Record, Release, Result, Status
from stacks.cli import baseline as baselines
from stacks.cli import kept as kept_results
from stacks.cli import safe, signing
from stacks.cli.dashboards import TOKEN
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
from stacks.cli.platform import ERRORS, RunningStack
from stacks.cli.reach import STORES, Reached, either
from stacks.cli.workspace import Workspace
from stacks.environments import EnvName

app = typer.Typer(help="The deployment checklist: before a release, after it, and its records.", no_args_is_help=True)

_LOCAL: Final = EnvName.LOCAL
_SERVICES: Final = ("alertmanager", *STORES)
_STYLES: Final = {
    Status.PASS: ("✔", "green"),
    Status.FAIL: ("✖", "bold red"),
    Status.NOT_APPLICABLE: ("-", "dim"),
    Status.UNJUDGED: ("?", "bold yellow"),
}
_CODES: Final = {Status.PASS: 0, Status.FAIL: 1, Status.UNJUDGED: 2}
_MINUTE_S: Final = 60


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a run was asked for."""

    phase: Phase
    stack: EnvName
    release: str
    environment: str
    evidence: Path | None
    baseline: str
    window_s: float
    out: Path
    by: str
    key: Path | None
    fresh: bool
    as_json: bool
    addresses: Mapping[str, str]
    limits: Limits
    seed: str = ""
    grafana: str = ""


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
        _Asked(
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
            as_json=as_json,
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
        )
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
        _Asked(
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
            as_json=as_json,
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
        )
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
    client = file.name.endswith("-client.html")
    source = file.with_name(file.name.removesuffix("-client.html") + ".json") if client else file.with_suffix(".json")
    record = checklist.parse(_read(source), str(source))
    checklist.check(record, str(source))
    pages: dict[str, Callable[[Record], str]] = {
        ".md": checklist.markdown,
        ".html": functools.partial(checklist.html, client=client),
    }
    if file.suffix in pages and _read(file) != pages[file.suffix](record):
        raise ChecklistError(f"{file} is not what {source} renders to: one of them was changed, or versions differ")
    signed = signing.verify(record.digest, record.signature, signers) if record.signature else "not signed"
    if signers is not None and record.signature is None:
        raise ChecklistError(f"{file} is not signed, so nobody in {signers} vouches for it")
    safe.say(f"{file} is unchanged: {record.phase} {record.release} on {record.stack}, {record.verdict}; {signed}")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ChecklistError(f"the record {path} cannot be read: {error}") from None


def _run(asked: _Asked) -> None:
    if not asked.release:
        raise typer.BadParameter("name the release that is deployed: --release NAME")
    if "/" in asked.release or asked.release.startswith("."):
        raise typer.BadParameter(f"--release {asked.release!r} would be a path; use letters, digits, - _ and .")
    with either(asked.stack, _SERVICES, asked.addresses) as stores:
        _judge(asked, *_context(asked, stores))


def _judge(asked: _Asked, context: Context, inputs: Mapping[str, str]) -> None:
    question = {
        "phase": str(asked.phase),
        "stack": str(asked.stack),
        "environment": context.environment,
        "release": asked.release,
    }
    earlier = [] if asked.fresh else kept_results.load(question)
    done: list[Result] = []
    began = time.monotonic()
    console = safe.Console(stderr=asked.as_json)

    def tell(item: Item, result: Result, kept: bool) -> None:  # noqa: FBT001 a callback
        done.append(result)
        # After every item: whatever ends this run, what was found stands.
        kept_results.save(question, [*done, *_rest(earlier, done)])
        _print(console, item, result, kept=kept)

    results = checklist.run(checklist.items(asked.phase), context, before=earlier, inputs=inputs, tell=tell)
    record = _signed(asked, context, results)
    written = _write(asked.out / asked.release, record)
    if asked.as_json:
        safe.document(record)
    _summary(console, record, written, time.monotonic() - began)
    raise typer.Exit(_CODES[record.verdict])


def _context(asked: _Asked, stores: Reached) -> tuple[Context, dict[str, str]]:
    end = time.time()
    environment = asked.environment or str(asked.stack)
    period = Period(start=end - asked.window_s, end=end)
    missing = {}
    grafana = _grafana(asked.grafana)
    if grafana is None:
        missing["grafana"] = "no Grafana was named (--grafana URL); item boards-fed looks at the data of every board"
    platform = RunningStack(Workspace(asked.stack), stores, period, environment, grafana)
    if not platform.is_local:
        missing["live"] = "on Kubernetes policies and namespaces see to that; pods cannot be looked into from here"
    found = _baseline(asked.baseline)
    evidence = _evidence(asked)
    context = Context(
        stack=str(asked.stack),
        environment=environment,
        release=asked.release,
        start=period.start,
        end=end,
        evidence=evidence,
        baseline=found,
        platform=platform,
        limits=asked.limits,
        seed=asked.seed or asked.release,
        trace_url=stores.trace_link,
        errors=ERRORS,
        missing=missing,
    )
    return context, _inputs(asked, context)


def _inputs(asked: _Asked, context: Context) -> dict[str, str]:
    """What a verdict rests on beside the platform, by what items read; with another one it does not stand."""
    common = [asked.window_s, asked.limits, asked.grafana, sorted(asked.addresses.items()), context.seed]
    files = {
        "": "",
        "evidence": context.evidence.digest,
        "baseline": context.baseline if isinstance(context.baseline, str) else context.baseline.model_dump_json(),
    }
    return {name: hashlib.sha256(repr([*common, text]).encode()).hexdigest()[:16] for name, text in files.items()}


def _grafana(url: str) -> Grafana | None:
    token = os.environ.get(TOKEN, "")
    if not url:
        return None
    if not token:
        raise ChecklistError(f"--grafana needs the token of a service account in the variable {TOKEN}")
    return Grafana(url, token)


def _baseline(name: str) -> Baseline | str:
    if not name:
        return "no baseline was named"
    try:
        return baselines.load(name)
    except BaselineError as error:
        return str(error)


def _evidence(asked: _Asked) -> Evidence:
    if asked.evidence is None:
        return checklist.no_evidence("no evidence file was named (--evidence FILE)")
    try:
        text = asked.evidence.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return checklist.no_evidence(f"the evidence file {asked.evidence} cannot be read: {error}")
    return checklist.parse_evidence(text, str(asked.evidence), asked.release)


def _rest(earlier: list[Result], done: list[Result]) -> list[Result]:
    looked = {result.key for result in done}
    return [result for result in earlier if result.key not in looked]


def _save(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ChecklistError(f"{path} cannot be written: {error.strerror}; fix: --out FOLDER") from None


def _signed(asked: _Asked, context: Context, results: list[Result]) -> Record:
    by = asked.by or baselines.operator()
    record = checklist.sealed(
        Record(
            phase=asked.phase,
            stack=context.stack,
            environment=context.environment,
            release=asked.release,
            by=by,
            made_at=time.time(),
            window_start=context.start,
            window_end=context.end,
            evidence=context.evidence.digest,
            baseline="" if isinstance(context.baseline, str) else context.baseline.name,
            results=results,
        )
    )
    if asked.key is None:
        return record
    return record.model_copy(update={"signature": signing.sign(record.digest, asked.key, by)})


def _write(folder: Path, record: Record) -> list[Path]:
    stem = folder / str(record.phase)
    pages = {
        stem.with_suffix(".json"): record.model_dump_json(indent=2) + "\n",
        stem.with_suffix(".md"): checklist.markdown(record),
        stem.with_suffix(".html"): checklist.html(record),
        stem.with_name(f"{stem.name}-client.html"): checklist.html(record, client=True),
    }
    for path, text in pages.items():
        _save(path, text)
    return list(pages)


def _print(console: safe.Console, item: Item, result: Result, *, kept: bool) -> None:
    mark, style = _STYLES[result.status]
    line = Text.assemble((f"{mark} ", style), (f"{item.key:<19}", "bold"), " ", result.said)
    if kept:
        line.append(f" (looked at {(time.time() - result.at) / _MINUTE_S:.0f} min ago)", style="dim")
    if result.fix:
        line.append(f"\n{'':<22}fix: {result.fix}", style="yellow")
    console.print(line, soft_wrap=True)


def _summary(console: safe.Console, record: Record, written: list[Path], seconds: float) -> None:
    _, style = _STYLES[record.verdict]
    counts = ", ".join(f"{record.count(status)} {status}" for status in Status if record.count(status))
    signed = f"signed with {record.signature.fingerprint}" if record.signature else "not signed (--key), digest only"
    console.print(Text(f"{record.verdict}: {counts}", style=style))
    console.print(
        f"{record.automated} of {len(record.results)} items asked of the platform, {seconds:.1f} s; {signed}\n"
        f"sha256 {record.digest}\nwrote {', '.join(map(str, written))}",
        highlight=False,
        soft_wrap=True,
    )
