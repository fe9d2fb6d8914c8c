"""What is kept of runs: one line per run while they go on, and `run.json` in the one spelling of JSON.

The same seed twice gives the same bytes but for `times`.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from agentobs import canonical
from delivery.golden import files, parsing
from delivery.golden.criteria import Check
from delivery.golden.errors import GoldenError
from delivery.golden.observed import ANSWER_KEPT, Observation

SCHEMA: Final = "agentobs/golden-run/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run of one case: whether it passed, what failed, what it did.

    `unjudged`: criteria at which the judge takes part in the gate and gave no verdict.
    """

    case: str
    run: int
    passed: bool
    failed: tuple[Check, ...]
    behaviour: str
    outcome: str
    path: tuple[tuple[str, ...], ...]
    tools: tuple[str, ...]
    answer: str
    answer_digest: str
    cost_usd: float
    tokens: int
    tool_calls: int
    model_calls: int
    retries: int
    invalid: str = ""
    notes: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    tries: int = 1
    ms: float = 0.0

    @classmethod
    def of(cls, case: str, run: int, seen: Observation, checks: Sequence[Check], tries: int) -> Self:
        """What is kept of an observation and its checks."""
        return cls(
            case=case,
            run=run,
            passed=all(check.passed for check in checks),
            failed=tuple(check for check in checks if not check.passed),
            behaviour=seen.behaviour,
            outcome=seen.outcome,
            path=seen.path,
            tools=tuple(call.name + (f"!{call.error}" if call.error else "") for call in seen.tools),
            answer=seen.answer_text[:ANSWER_KEPT],
            answer_digest=canonical.digest(seen.answer_text),
            cost_usd=seen.cost_usd,
            tokens=seen.tokens,
            tool_calls=len(seen.tools),
            model_calls=seen.model_calls,
            retries=seen.retries,
            invalid=seen.invalid,
            notes=seen.notes,
            tries=tries,
            ms=seen.ms,
        )

    @property
    def hard(self) -> tuple[Check, ...]:
        """What is never acceptable."""
        return tuple(check for check in self.failed if check.hard)

    def document(self) -> dict[str, Any]:
        """The JSON of a run."""
        text = json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "replace")  # halves of pairs are no text
        return json.loads(text)  # type: ignore[no-any-return]

    @classmethod
    def read(cls, made: Mapping[str, Any]) -> Self:
        """The run that a JSON document says. Raises TypeError, KeyError."""
        failed = tuple(Check(**check) for check in made["failed"])
        path = tuple(tuple(step) for step in made["path"])
        lists = {key: tuple(made.get(key, ())) for key in ("tools", "notes", "unjudged")}
        return cls(**{**made, "failed": failed, "path": path, **lists})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """All runs of a dataset by one system."""

    dataset: str
    digest: str
    system: str
    results: tuple[Result, ...]
    started: str = ""
    ended: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON of the file: everything that a clock decides is under `times`."""
        results = sorted(self.results, key=lambda result: (result.case, result.run))
        runs = [{key: value for key, value in result.document().items() if key != "ms"} for result in results]
        ms = {f"{result.case}/{result.run}": result.ms for result in results}
        times = {"started": self.started, "ended": self.ended, "ms": ms}
        head = {"schema": SCHEMA, "dataset": self.dataset, "digest": self.digest, "system": self.system}
        return {**head, "runs": runs, "times": times}

    def write(self, path: Path) -> None:
        """Write `run.json`. Raises GoldenError."""
        files.write(path, canonical.canonical(self.document()) + b"\n")


def read(path: Path) -> RunFile:
    """Read `run.json`. Raises GoldenError naming the file."""
    made = parsing.strictly(files.text_of(path, "agentobs golden run"), str(path))
    try:
        if made["schema"] == SCHEMA:
            return _run_of(made)
        problem: object = f"schema {made['schema']!r}"
    except (KeyError, TypeError, AttributeError) as error:
        problem = error
    raise GoldenError(f"{path}: is no run of this version ({problem}); fix: agentobs golden run")


def _run_of(made: Mapping[str, Any]) -> RunFile:
    times = made["times"]
    runs = [{**each, "ms": times["ms"].get(f"{each['case']}/{each['run']}", 0.0)} for each in made["runs"]]
    return RunFile(
        dataset=made["dataset"],
        digest=made["digest"],
        system=made["system"],
        results=tuple(Result.read(each) for each in runs),
        started=times["started"],
        ended=times["ended"],
    )


class Journal:
    """Finished runs, line by line: what a run that was cut short goes on with."""

    def __init__(self, path: Path, digest: str, system: str) -> None:
        self._path, self._of = path, {"digest": digest, "system": system}

    def finished(self) -> list[Result]:
        """What is there of this dataset and system; a last line that was cut short counts as not run."""
        if not self._path.exists():
            return []
        found = []
        for line in self._path.read_text("utf-8").splitlines():
            try:
                made = json.loads(line)
                if made.pop("of") == self._of:
                    found.append(Result.read(made))
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def begin(self, results: Iterable[Result]) -> None:
        """Start the file anew with what is finished."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("", "utf-8")
        for result in results:
            self.keep(result)

    def keep(self, result: Result) -> None:
        """Add a run."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"of": self._of, **result.document()}, ensure_ascii=False) + "\n")


def now() -> str:
    """This moment, as documents carry it."""
    return dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
