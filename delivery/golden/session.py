"""One use of a dataset from its files to its files: run, bless, gate. Not here: words on a terminal (`stacks.cli`)."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from delivery.golden import baseline, calibration, dataset, files, gate, judging, report, results
from delivery.golden.baseline import Baseline
from delivery.golden.dataset import Case, Dataset
from delivery.golden.errors import GoldenError
from delivery.golden.gate import Compared, Decision
from delivery.golden.judge import Judge
from delivery.golden.results import Journal, Result, RunFile
from delivery.golden.running import Runner, Settings
from delivery.golden.systems import System, named

RUN: Final = "run.json"
JUNIT: Final = "junit.xml"
MARKDOWN: Final = "report.md"
PAGE: Final = "report.html"
EVIDENCE: Final = "evidence.json"
_JOURNAL: Final = "runs.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A dataset, a system as somebody spelled it, and where results go."""

    folder: Path
    system: str
    out: Path
    settings: Settings = field(default_factory=Settings)
    judge: Judge | None = None
    today: dt.date = field(default_factory=lambda: dt.datetime.now(tz=dt.UTC).date())

    def run(self, runs: int, *, resume: bool = False) -> RunFile:
        """Replay all cases that count. Raises GoldenError."""
        found = dataset.load(self.folder)
        cases = found.counted(self.today)
        made = asyncio.run(self._played(found, cases, runs, resume=resume))
        files.write(self.out / JUNIT, report.junit(found, made.results, None, _skipped(found, cases)))
        return made

    def bless(self, runs: int, by: str) -> Baseline:
        """Keep what the system does now as the baseline; cases in quarantine too, for that ends. Raises GoldenError."""
        found = self._frozen()
        made = asyncio.run(self._played(found, found.cases, runs, resume=False))
        past = baseline.made(
            found, made.results, system=self.system, by=by, at=results.now(), judge=self._judge_of(found)
        )
        baseline.write(self.folder / baseline.FILE, past)
        return past

    def gate(self, runs: int, margin: float = gate.MARGIN, *, resume: bool = False) -> Decision:
        """Compare with the baseline, run again what looks broken, write the reports. Raises GoldenError."""
        found = self._frozen()
        cases, past = found.counted(self.today), baseline.read(self.folder / baseline.FILE)
        gate.belongs(found, cases, past, self._judge_of(found))  # before any run is paid for
        made, compared, fresh = asyncio.run(self._compared(found, cases, past, runs, resume=resume))
        decision = gate.decide(compared, past, fresh, margin)
        files.write(self.out / JUNIT, report.junit(found, made.results, decision, _skipped(found, cases)))
        files.write(self.out / MARKDOWN, report.markdown(found, decision).encode())
        files.write(self.out / PAGE, report.page(found, decision, made.results).encode())
        section = {"golden_dataset": report.evidence(found, decision, made.results, made.ended)}
        files.write(self.out / EVIDENCE, f"{json.dumps(section, indent=2)}\n".encode())
        return decision

    def _frozen(self) -> Dataset:
        found = dataset.load(self.folder)
        if not found.frozen:
            raise GoldenError(f"{self.folder}: baseline and gate take frozen cases only; fix: agentobs golden freeze")
        return found

    def _judge_of(self, found: Dataset) -> str:
        """Whose verdicts count, at which criteria: another model, or a criterion more, is another judge."""
        trusted = calibration.trusted(found, self.judge, calibration.read(self.folder)) if self.judge else ()
        return f"{self.judge.model}: {', '.join(sorted(trusted))}" if self.judge and trusted else ""

    async def _judged(self, found: Dataset, new: list[Result]) -> list[Result]:
        if self.judge is None:
            return new
        trusted = calibration.trusted(found, self.judge, calibration.read(self.folder))
        return await judging.judged(found, new, self.judge, trusted)

    async def _played(self, found: Dataset, cases: Sequence[Case], runs: int, *, resume: bool) -> RunFile:
        async with named(self.system) as system:
            return await self._play(system, found, cases, runs, resume=resume)

    async def _play(self, system: System, found: Dataset, cases: Sequence[Case], runs: int, *, resume: bool) -> RunFile:
        journal = Journal(self.out / _JOURNAL, found.digest, self.system)
        done = journal.finished() if resume else []
        journal.begin(done)
        started = results.now()
        new = await Runner(found, system, self.settings, journal.keep).play(cases, range(runs), done)
        new = await self._judged(found, new)
        made = RunFile(
            dataset=found.reference,
            digest=found.digest,
            system=self.system,
            results=tuple(new),
            started=started,
            ended=results.now(),
        )
        made.write(self.out / RUN)
        return made

    async def _compared(
        self, found: Dataset, cases: Sequence[Case], past: Baseline, runs: int, *, resume: bool
    ) -> tuple[RunFile, list[Compared], dict[str, list[Result]]]:
        """All runs, and fresh ones of what looks broken."""
        async with named(self.system) as system:
            made = await self._play(system, found, cases, runs, resume=resume)
            compared = gate.paired(found, cases, past, made.results)
            runner, fresh = Runner(found, system, self.settings), {}
            for suspect in gate.suspects(compared, past):
                again = [case for case in cases if case.example.id == suspect.case]
                more = await runner.play(again, range(runs, runs + suspect.fresh))
                fresh[suspect.case] = await self._judged(found, more)
        return made, compared, fresh


def _skipped(found: Dataset, cases: Sequence[Case]) -> list[Case]:
    return [case for case in found.cases if case not in cases]
