"""One run of the deployment checklist: the context of its items, results of an earlier run, the record, its files."""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboards.report import Period
from runbooks import checklist
from runbooks.baseline import Baseline, BaselineError
from runbooks.checklist import ChecklistError, Context, Evidence, Item, Limits, Phase, Record, Result
from runbooks.signature import Namespace
from stacks import atomic, baselines, signing
from stacks.checklist import kept as kept_results
from stacks.checklist.running import ERRORS, RunningStack
from stacks.clients.grafana import TOKEN, Grafana
from stacks.endpoints import STORES, Endpoints, resolve
from stacks.environments import EnvName
from stacks.workspace import Workspace

_SERVICES = ("alertmanager", *STORES)
Tell = Callable[[Item, Result, bool], None]
"""Takes every item as it is judged, and whether its result is one of an earlier run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
    addresses: Mapping[str, str]
    limits: Limits
    seed: str = ""
    grafana: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The record of a run, and the files that hold it."""

    record: Record
    files: list[Path]


def run(asked: Asked, tell: Tell) -> Recorded:
    """Look at every item, keep what is found as it is found, write the record. Raises one of ERRORS."""
    with resolve(asked.stack, _SERVICES, asked.addresses) as stores:
        context, inputs = _context(asked, stores)
        results = _judged(asked, context, inputs, tell)
    record = _signed(asked, context, results)
    return Recorded(record=record, files=_write(asked.out / asked.release, record))


def _judged(asked: Asked, context: Context, inputs: Mapping[str, str], tell: Tell) -> list[Result]:
    question = {
        "phase": str(asked.phase),
        "stack": str(asked.stack),
        "environment": context.environment,
        "release": asked.release,
    }
    earlier = [] if asked.fresh else kept_results.load(question)
    done: list[Result] = []

    def keep(item: Item, result: Result, kept: bool) -> None:  # noqa: FBT001 a callback
        done.append(result)
        # After every item: whatever ends this run, what was found stands.
        kept_results.save(question, [*done, *_rest(earlier, done)])
        tell(item, result, kept)

    return checklist.run(checklist.items(asked.phase), context, before=earlier, inputs=inputs, tell=keep)


def _context(asked: Asked, stores: Endpoints) -> tuple[Context, dict[str, str]]:
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


def _inputs(asked: Asked, context: Context) -> dict[str, str]:
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


def _evidence(asked: Asked) -> Evidence:
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
    try:
        atomic.write(path, text)
    except OSError as error:
        raise ChecklistError(f"{path} cannot be written: {error.strerror}; fix: --out FOLDER") from None


def _signed(asked: Asked, context: Context, results: list[Result]) -> Record:
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
    return record.model_copy(update={"signature": signing.sign(record.digest, asked.key, by, Namespace.CHECKLIST)})


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
