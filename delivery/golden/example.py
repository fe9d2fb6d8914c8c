"""One golden case: the input, what is expected, where it comes from. `Example.model_json_schema()` is its format."""

import datetime as dt
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA: Final = "agentobs/golden-case/1"

Words = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Pointer = Annotated[str, Field(pattern=r"^(/[^/]*)+$")]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """No other keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class PathRule(Strict):
    """How the agents that ran are compared with `agent_path_expected`.

    in_order: they occur in this order, others between them. subset: no agent but these. superset: at least these.
    """

    mode: Literal["exact", "in_order", "any_order", "subset", "superset", "off"] = "exact"


class ToolRule(Strict):
    """Calls of one tool: how many, and with which arguments. `ignore` are JSON pointers of arguments that vary."""

    name: Words
    args: dict[str, Any] | None = None
    match: Literal["exact", "subset", "superset", "schema", "ignore"] = "exact"
    ignore: tuple[Pointer, ...] = ()
    min: Count = 1
    max: Count | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}; fix: raise max, or lower min")
        return self


class Number(Strict):
    """A number that the answer must hold."""

    equals: float
    tolerance: Amount = 0.0


class AnswerRule(Strict):
    """What the final answer must be or hold. All that is given has to be true."""

    equals: Any = None
    contains: tuple[Words, ...] = ()
    absent: tuple[Words, ...] = ()
    regex: str | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    number: Number | None = None


class JudgeRule(Strict):
    """One question to the judge about the answer; it answers pass, fail or cannot tell."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    rubric: Words


class Limits(Strict):
    """The most that one run may use."""

    cost_usd: Amount | None = None
    tokens: Count | None = None
    tool_calls: Count | None = None
    model_calls: Count | None = None
    retries: Count | None = None


class Criteria(Strict):
    """What makes a run of the case a success. `violations`: policy violations that it may have."""

    outcome: Literal["success", "failure", "timeout", "cancelled", "needs_human"] | None = None
    path: PathRule = PathRule()
    tools: tuple[ToolRule, ...] = ()
    answer: AnswerRule | None = None
    judge: tuple[JudgeRule, ...] = ()
    limits: Limits = Limits()
    violations: Count = 0

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError('says nothing; fix: at least one criterion, for example {"outcome": "success"}')
        return self


class Context(Strict):
    """What is frozen while the case runs."""

    seed: int = 1
    now: str | None = None
    task_type: str | None = None


class Provenance(Strict):
    """Where the case comes from, and who let it in."""

    source: Literal["production", "human_reviewed", "edge", "customer"] = "human_reviewed"
    trace_id: str = ""
    versions: dict[Literal["prompt", "tool", "model", "graph"], dict[str, str]] = {}
    reviewed_by: str = ""
    approved_by: str = ""
    at: str = ""
    consent: str = ""
    redaction: str = ""


class Quarantine(Strict):
    """A case that is known to be unreliable: not counted until that day, and counted again from then on."""

    reason: Words
    until: dt.date


class Example(Strict):
    """One golden case."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
    input: Any
    expected_behavior: Words
    tools_allowed: tuple[Words, ...]
    success_criteria: Criteria
    agent_path_expected: tuple[Words, ...]
    kind: Literal["normal", "edge", "failure"] = "normal"
    critical: bool = False
    cluster: str = ""
    tags: tuple[Words, ...] = ()
    tape: Digest | None = None
    context: Context = Context()
    provenance: Provenance = Provenance()
    quarantine: Quarantine | None = None

    @model_validator(mode="after")
    def _tools_are_allowed(self) -> Self:
        for rule in self.success_criteria.tools:
            if rule.min and rule.name not in self.tools_allowed:
                raise ValueError(
                    f"tools_allowed lacks {rule.name!r}, which success_criteria.tools asks for; fix: add it to "
                    "tools_allowed"
                )
        return self

    def counts(self, today: dt.date) -> bool:
        """Whether the case counts on that day: its quarantine is over, or there is none."""
        return self.quarantine is None or today >= self.quarantine.until
