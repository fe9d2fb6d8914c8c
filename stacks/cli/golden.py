"""`agentobs golden`: datasets of cases, their replay, and the gate. Exit codes: docs/golden.md."""

import asyncio
import datetime as dt
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from delivery.golden import baseline, calibration, dataset, freezing, recording, report, results, starting, taping
from delivery.golden.dataset import Dataset
from delivery.golden.errors import GoldenError
from delivery.golden.example import Example
from delivery.golden.gate import Answer
from delivery.golden.judge import FAKE, Judge, Mode
from delivery.golden.running import Settings
from delivery.golden.session import PAGE, RUN, Session
from delivery.golden.systems import named
from delivery.tools import verifying
from stacks import baselines
from stacks.cli import golden_cases, safe, show
from stacks.cli.options import print_schema

app = typer.Typer(
    help="Golden datasets: cases with what is expected of each, their replay, and a gate.", no_args_is_help=True
)

golden_cases.add_to(app)

_OUT: Final = Path("golden-results")
_CACHE: Final = Path("golden-judge-cache")
_SHOWN: Final = 20

Folder = Annotated[Path, typer.Argument(help="The folder of the dataset.")]
SystemName = Annotated[
    str, typer.Argument(metavar="SYSTEM", help="module:function, http(s)://address, or a command in quotes.")
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Cases at a time.")]
Limit = Annotated[float, typer.Option("--limit", min=0.1, help="Seconds that one run may take.")]
Vary = Annotated[bool, typer.Option("--vary-seed", help="Another seed for every run, for systems that draw.")]
Online = Annotated[bool, typer.Option("--online", help="Let the system connect to other machines (a live model).")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for run.json, JUnit, Markdown and the page.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what --out has of this dataset.")]
By = Annotated[str, typer.Option("--by", help="Who does it; default: this user and computer.")]


JudgeModel = Annotated[str, typer.Option("--judge", help="Model that answers the cases' judge questions.")]
JudgeUrl = Annotated[str, typer.Option("--judge-url", help="Its OpenAI-compatible endpoint; key: OPENAI_API_KEY.")]
JudgeMode = Annotated[Mode, typer.Option("--judge-mode", help="live, only what is in the cache, or fake (for tests).")]
JudgeCache = Annotated[Path, typer.Option("--judge-cache", help="Folder that keeps verdicts by their content.")]


def _judge(model: str, url: str, mode: Mode, cache: Path) -> Judge | None:
    """The judge that was asked for."""
    named_ = FAKE if mode is Mode.FAKE else model
    return Judge(model=named_, base_url=url or None, mode=mode, cache=cache) if named_ else None


@contextmanager
def _not_run() -> Iterator[None]:
    """What could not be run is exit code 3, never green and never 1: that means regressed."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # what the system under test logs is its own affair
    try:
        yield
    except GoldenError as error:
        show.error_console().print(show.failure(error), soft_wrap=True)
        raise typer.Exit(Answer.NOT_RUN.exit_code) from None
    except Exception:  # noqa: BLE001 a defect of ours must not look like a regression either
        traceback.print_exc()
        raise typer.Exit(Answer.NOT_RUN.exit_code) from None
    finally:
        root.setLevel(level)


@app.command()
def init(folder: Folder) -> None:
    """Make a dataset with two cases, and a system that they pass on, to start from."""
    with _not_run():
        for path in starting.write(folder):
            safe.say(f"wrote {path}")
    safe.say(f"Next: agentobs golden check {folder}")


@app.command()
def check(
    folder: Folder = Path(),
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a case and exit.")] = False,
) -> None:
    """Read a dataset and say what is wrong with it, by file and line."""
    if schema:
        return print_schema(Example)
    with _not_run():
        found = dataset.load(folder)
        for line in starting.warnings(found):
            safe.say(f"warning: {line}")
        problems = [*freezing.unfit(found)]
        if problems:
            raise GoldenError("\n".join(problems))
        counted = found.counted(dt.datetime.now(tz=dt.UTC).date())
    quarantined = len(found.cases) - len(counted)
    safe.say(f"{found.reference}: {len(found.cases)} cases, {quarantined} quarantined, {len(found.tapes)} tapes: fine")
    return None


@app.command()
def record(
    system: SystemName,
    folder: Folder,
    servers: Annotated[Path, typer.Option("--servers", help='Live servers: a file {"mcpServers": {...}}.')],
    case: Annotated[list[str] | None, typer.Option("--case", help="Only this case; may be repeated.")] = None,
    limit: Limit = 60.0,
) -> None:
    """Run cases against live MCP servers and keep what these answer as tapes."""
    with _not_run():
        wrong = asyncio.run(taping.record(folder, named(system), taping.servers_of(servers), case or [], limit))
    for line in wrong:
        safe.say(line)
    safe.say(f"recorded {folder}; next: agentobs golden check {folder}")
    raise typer.Exit(Answer.NOT_RUN.exit_code if wrong else 0)


@app.command("verify-tools")
def verify_tools(
    folder: Folder,
    servers: Annotated[Path, typer.Option("--servers", help='Live servers: a file {"mcpServers": {...}}.')],
    most: Annotated[int, typer.Option("--most", min=0, help="Recorded calls of a tool that are made again.")] = 20,
    limit: Limit = 10.0,
) -> None:
    """Find what tapes hide: changed schemas and answers of the servers that run now; exit 1 where something breaks."""
    with _not_run():
        found = asyncio.run(_verified(dataset.load(folder), taping.servers_of(servers), most, limit))
    for difference in found:
        safe.say(difference)
    breaking = sum(each.breaks for each in found)
    safe.say(f"{breaking} differences that may break agents, {len(found) - breaking} others")
    raise typer.Exit(1 if breaking else 0)


async def _verified(found: Dataset, servers: Mapping[str, Any], most: int, limit: float) -> list[verifying.Difference]:
    async with AsyncExitStack() as stack:
        return await verifying.verify(found, await recording.opened(stack, servers), most, limit)


@app.command()
def freeze(
    folder: Folder,
    version: Annotated[str, typer.Option("--version", help="Name of this version, for example 2.")],
    reason: Annotated[str, typer.Option("--reason", help="Why there is a new version.")],
    by: By = "",
) -> None:
    """Fix the content under a version: from then on a change is another version."""
    with _not_run():
        at, who = dt.datetime.now(tz=dt.UTC), by or baselines.operator()
        lock = freezing.freeze(dataset.draft(folder), version=version, reason=reason, by=who, at=at)
    safe.say(f"froze {lock.name}@{lock.version}#{lock.digest[:12]}: {len(lock.cases)} cases")


@app.command()
def diff(
    folder: Folder,
    other: Annotated[Path | None, typer.Argument(help="Another folder; without: what is frozen.")] = None,
) -> None:
    """Say which cases were added, removed or changed; exit 1 where any was."""
    with _not_run():
        found = dataset.draft(folder)
        if other is None and found.lock is None:
            raise GoldenError(f"{folder}: nothing is frozen yet; fix: agentobs golden freeze {folder}")
        before = freezing.digests(dataset.draft(other)) if other else found.lock.cases if found.lock else {}
        made = freezing.difference(before, freezing.digests(found))
    for word, cases in (("added", made.added), ("removed", made.removed), ("changed", made.changed)):
        for case in cases[:_SHOWN]:
            safe.say(f"{word} {case}")
        if len(cases) > _SHOWN:
            safe.say(f"{word}: {len(cases) - _SHOWN} more")
    if made.empty and found.lock is not None and not other and not found.frozen:
        safe.say("the cases are as frozen; a tape is not")
    raise typer.Exit(0 if made.empty else 1)


@app.command()
def run(
    system: SystemName,
    folder: Folder,
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, help="Runs of every case.")] = 1,
    resume: Resume = False,
    jobs: Jobs = 8,
    limit: Limit = 60.0,
    vary_seed: Vary = False,
    online: Online = False,
    out: Out = _OUT,
    judge: JudgeModel = "",
    judge_url: JudgeUrl = "",
    judge_mode: JudgeMode = Mode.LIVE,
    judge_cache: JudgeCache = _CACHE,
) -> None:
    """Replay a dataset and keep what came; exit 1 where a run fails. No baseline is needed: that is `gate`."""
    settings = Settings(jobs=jobs, limit_s=limit, vary_seed=vary_seed, online=online)
    asked = _judge(judge, judge_url, judge_mode, judge_cache)
    with _not_run():
        made = Session(folder=folder, system=system, out=out, settings=settings, judge=asked).run(runs, resume=resume)
    failed = [result for result in made.results if not result.passed]
    for result in failed[:_SHOWN]:
        check = result.failed[0]
        safe.say(f"failed {result.case} run {result.run}: {check.name}: expected {check.expected}, got {check.got}")
    safe.say(f"{len(made.results) - len(failed)} of {len(made.results)} runs passed; {out / RUN}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def bless(
    system: SystemName,
    folder: Folder,
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, help="Runs of a case; 10 tell a flicker from harm.")] = 10,
    jobs: Jobs = 8,
    limit: Limit = 60.0,
    vary_seed: Vary = False,
    online: Online = False,
    out: Out = _OUT,
    by: By = "",
    judge: JudgeModel = "",
    judge_url: JudgeUrl = "",
    judge_mode: JudgeMode = Mode.LIVE,
    judge_cache: JudgeCache = _CACHE,
) -> None:
    """Keep what the system does now as the baseline that the gate compares with. Nothing else moves it."""
    settings = Settings(jobs=jobs, limit_s=limit, vary_seed=vary_seed, online=online)
    asked = _judge(judge, judge_url, judge_mode, judge_cache)
    with _not_run():
        session = Session(folder=folder, system=system, out=out, settings=settings, judge=asked)
        past = session.bless(runs, by or baselines.operator())
    passed = sum(each.passed == each.runs for each in past.cases.values())
    alike = "every run of a case is alike" if past.deterministic else "runs of a case differ"
    safe.say(f"wrote {folder / baseline.FILE}: {passed} of {len(past.cases)} cases always pass, {alike}")


@app.command("gate")
def gate_(
    system: SystemName,
    folder: Folder,
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, help="Runs of every case.")] = 1,
    margin: Annotated[float, typer.Option("--margin", min=0.1, max=50, help="Points that may be lost unseen.")] = 5.0,
    resume: Resume = False,
    jobs: Jobs = 8,
    limit: Limit = 60.0,
    vary_seed: Vary = False,
    online: Online = False,
    out: Out = _OUT,
    judge: JudgeModel = "",
    judge_url: JudgeUrl = "",
    judge_mode: JudgeMode = Mode.LIVE,
    judge_cache: JudgeCache = _CACHE,
) -> None:
    """Compare with the baseline: exit 0 passed, 1 regressed, 2 undecided, 3 not run."""
    settings = Settings(jobs=jobs, limit_s=limit, vary_seed=vary_seed, online=online)
    asked = _judge(judge, judge_url, judge_mode, judge_cache)
    with _not_run():
        session = Session(folder=folder, system=system, out=out, settings=settings, judge=asked)
        decision = session.gate(runs, margin / 100, resume=resume)
    for line in report.figures(decision):
        safe.say(line)
    for reason in decision.reasons[:_SHOWN]:
        safe.say(f"{'blocks' if reason.blocks else 'open'} {reason.rule} {reason.case or 'all cases'}: {reason.text}")
    if (left := len(decision.reasons) - _SHOWN) > 0:
        safe.say(f"{left} more in {out / PAGE}")
    safe.say(decision.answer)
    raise typer.Exit(decision.answer.exit_code)


@app.command()
def calibrate(
    folder: Folder,
    answers: Annotated[Path, typer.Option("--answers", help="The run.json that holds the labelled answers.")],
    judge: JudgeModel = "",
    judge_url: JudgeUrl = "",
    judge_mode: JudgeMode = Mode.LIVE,
    judge_cache: JudgeCache = _CACHE,
) -> None:
    """Measure a judge against labels of people; it takes part in the gate only where it is good enough."""
    with _not_run():
        asked = _judge(judge, judge_url, judge_mode, judge_cache)
        if asked is None:
            raise GoldenError("no judge is named; fix: --judge MODEL")
        found, given = dataset.load(folder), calibration.labels(folder / calibration.LABELS)
        made = asyncio.run(calibration.calibrate(found, results.read(answers).results, given, asked))
        calibration.write(folder, made)
    for criterion, each in made.items():
        for line in each.told():
            safe.say(f"{criterion}: {line}")
