"""The evidence file: what the release process says of a release, which no store knows. YAML or JSON, read strictly.

`Release.model_json_schema()` is its published schema; `runbooks/docs/evidence.example.yaml` is an example.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collector import quotes


def _zoned(at: dt.datetime) -> dt.datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone; write for example 2026-03-01T14:00:00Z")
    return at


def _web(address: str) -> str:
    if address and not quotes.web(address):
        raise ValueError("no address that a browser may be sent to; write one that begins with https:// or http://")
    return address


Moment = Annotated[dt.datetime, AfterValidator(_zoned)]
Words = Annotated[str, Field(min_length=1)]
DimensionKey = Literal["prompt", "tool", "model", "graph"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoldenDataset(_Strict):
    """A run of the golden dataset with this release."""

    dataset: Words = Field(description="Which dataset, with its version")
    cases: int = Field(gt=0)
    passed: int = Field(ge=0)
    required_share: float = Field(gt=0, le=1, description="Share of cases that must pass, agreed before the run")
    ran_at: Moment
    link: Annotated[str, AfterValidator(_web)] = ""


class Pin(_Strict):
    """One version that the release brings or keeps."""

    dimension: DimensionKey
    name: Words = Field(description="The prompt, tool, agent (of a model) or workflow (of a graph)")
    version: Words
    previous: str = Field(default="", description="What runs now; the same where the release keeps it, empty if new")


class Rehearsal(_Strict):
    """A rollback that was tried."""

    at: Moment
    environment: Words
    took_s: float = Field(gt=0)
    by: Words


class Rollback(_Strict):
    """How the release is taken back, for every dimension that it changes."""

    steps: dict[DimensionKey, Words] = Field(description="Dimension -> the command or the page that takes it back")
    owner: Words = Field(description="Who decides")
    rehearsed: Rehearsal | None = None


class Canary(_Strict):
    """How much traffic the release gets first."""

    percent: float = Field(ge=0, le=100)
    hold: Words = Field(description="How long, for example 24h")
    aborts_when: list[Words] = Field(min_length=1, description="Alerts or KPIs that end it")


class Approval(_Strict):
    """Somebody who agreed."""

    by: Words
    role: Words
    at: Moment


class Review(_Strict):
    """What people found in the traces that were drawn for them."""

    seed: str = Field(default="", description="Seed of the sample that was read, as the record shows it")
    read: int = Field(ge=0)
    bad: int = Field(ge=0)
    by: list[Words] = Field(min_length=1)
    at: Moment
    notes: str = ""


class Release(_Strict):
    """The whole file. Every section but `release` and `author` is asked for by the item of its name."""

    release: Words
    author: Words = Field(description="Who made the release; somebody else must approve it")
    versions: list[Pin] | None = None
    golden_dataset: GoldenDataset | None = None
    rollback: Rollback | None = None
    canary: Canary | None = None
    approvals: list[Approval] | None = None
    review: Review | None = None


_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The sections that could be read, and for the others why not. `digest` is that of the file."""

    sections: Mapping[str, Any]
    problems: Mapping[str, str]
    where: str
    digest: str = ""

    def section(self, name: str, kind: type[_Kind]) -> _Kind | str:
        """One section, or what is wrong with it."""
        found = self.sections.get(name)
        if isinstance(found, kind):
            return found
        return self.problems.get(name) or self.problems.get("") or f"{self.where} has no section `{name}`"


def none(why: str) -> Evidence:
    """No evidence at all, and why."""
    return Evidence(sections={}, problems={"": why}, where="the evidence file")


def parse(text: str, where: str, release: str) -> Evidence:
    """Read a file section by section, so that one bad key spoils one section. Raises nothing."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return _spoilt(f"{where} is neither YAML nor JSON: {' '.join(str(error).split())}", where, digest)
    if not isinstance(raw, dict):
        return _spoilt(f"{where} holds no keys; --schema evidence prints what is expected", where, digest)
    unknown = [str(key) for key in raw if key not in Release.model_fields]
    if unknown:
        known = ", ".join(Release.model_fields)
        return _spoilt(f"{where}: {', '.join(unknown)} is not known; the keys are {known}", where, digest)
    if raw.get("release") != release:
        said = raw.get("release")
        return _spoilt(f"{where} is for release {said!r}, and this is the checklist of {release!r}", where, digest)
    sections: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in Release.model_fields:
        if raw.get(name) is None or raw[name] == "":
            continue
        try:
            sections[name] = _kind(name).validate_python(raw[name])
        except ValidationError as error:
            problems[name] = f"{where}: " + "; ".join(_said(name, each) for each in error.errors(include_url=False))
    if "author" not in sections:
        problems.setdefault("author", f"{where}: `author` is missing")
    return Evidence(sections=sections, problems=problems, where=where, digest=digest)


def _kind(section: str) -> TypeAdapter[Any]:
    kind: Any = Release.model_fields[section].annotation
    return TypeAdapter(kind)


def _spoilt(why: str, where: str, digest: str) -> Evidence:
    return Evidence(sections={}, problems={"": why}, where=where, digest=digest)


def _said(section: str, problem: Any) -> str:  # noqa: ANN401 pydantic's own dict
    path = ".".join([section, *(str(part) for part in problem["loc"])])
    if problem["type"] == "missing":
        return f"`{path}` is missing"
    if problem["type"] == "extra_forbidden":
        return f"`{path}` is not known"
    return f"`{path}`: {problem['msg'].removeprefix('Value error, ')}, and it is {problem['input']!r}"
