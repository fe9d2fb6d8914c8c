"""Operations as others ask for them: in JSON of the API, and in the address of a page of the console."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from delivery.documents import Kept, Name, ReleaseId, Version, problems
from delivery.environments.library import Place
from delivery.environments.operations import (
    End,
    Freeze,
    Kill,
    LockOut,
    Operation,
    Promote,
    Request,
    Resume,
    RollBack,
    RollBackRelease,
    Share,
    Start,
    Target,
    Thaw,
    Unlock,
)
from delivery.environments.state import WHOLE, Lock, SplitKind
from delivery.errors import DeliveryError
from delivery.releases import Dim


class WantedError(DeliveryError):
    """What was asked for is no operation."""


class _Wanted(Kept, ABC):
    """What to do, without who and why."""

    @abstractmethod
    def operation(self, request: Request) -> Operation:
        """The operation, asked for by somebody."""


class WantedPromote(_Wanted):
    """Make a release the stable one."""

    kind: Literal["promote"]
    release: ReleaseId
    expect: ReleaseId | None = None

    def operation(self, request: Request) -> Operation:
        """Promote."""
        return Promote(request=request, release=self.release, expect=self.expect)


class WantedStart(_Wanted):
    """Give a share (in 1/10,000) of the sessions to a second release."""

    kind: Literal["start"]
    release: ReleaseId
    share: int = Field(ge=1, le=WHOLE)
    split: SplitKind = SplitKind.CANARY

    def operation(self, request: Request) -> Operation:
        """Start."""
        return Start(request=request, release=self.release, share=self.share, split=self.split)


class WantedShare(_Wanted):
    """Give the running canary another share."""

    kind: Literal["share"]
    split: Name
    share: int = Field(ge=1, le=WHOLE)

    def operation(self, request: Request) -> Operation:
        """Share."""
        return Share(request=request, split_id=self.split, share=self.share)


class WantedEnd(_Wanted):
    """End the canary, and perhaps lock what it changed."""

    kind: Literal["end"]
    split: Name
    lock: bool = False

    def operation(self, request: Request) -> Operation:
        """End."""
        return End(request=request, split_id=self.split, lock=self.lock)


class WantedRollBack(_Wanted):
    """Take one dimension back."""

    kind: Literal["rollback"]
    dimension: Dim
    agent: Name | None = None
    tool: Name | None = None
    to: Version
    expect: Version | None = None

    @model_validator(mode="after")
    def _place(self) -> "WantedRollBack":
        needs = {Dim.PROMPT: self.agent, Dim.MODEL: self.agent, Dim.TOOL: self.tool, Dim.GRAPH: "nobody"}
        if not needs[self.dimension]:
            what = "the tool" if self.dimension is Dim.TOOL else "the agent"
            raise ValueError(f"a rollback of {self.dimension} names {what}")
        return self

    def operation(self, request: Request) -> Operation:
        """RollBack."""
        place = Place(self.dimension, self.agent, self.tool)
        return RollBack(request=request, place=place, to=self.to, expect=self.expect)


class WantedRollBackRelease(_Wanted):
    """Go back to a whole release."""

    kind: Literal["rollback-release"]
    to: ReleaseId
    expect: ReleaseId | None = None

    def operation(self, request: Request) -> Operation:
        """RollBackRelease."""
        return RollBackRelease(request=request, to=self.to, expect=self.expect)


class _OnTarget(_Wanted):
    agent: Name | None = None
    tool: Name | None = None
    all: bool = False

    @model_validator(mode="after")
    def _one(self) -> "_OnTarget":
        if sum((self.agent is not None, self.tool is not None, self.all)) != 1:
            raise ValueError("name one of agent, tool, all")
        return self

    @property
    def target(self) -> Target:
        """What it is about."""
        return Target(agent=self.agent, tool=self.tool)


class WantedKill(_OnTarget):
    """Let the target take no further step."""

    kind: Literal["kill"]

    def operation(self, request: Request) -> Operation:
        """Kill."""
        return Kill(request=request, target=self.target)


class WantedResume(_OnTarget):
    """Lift a kill."""

    kind: Literal["resume"]

    def operation(self, request: Request) -> Operation:
        """Resume."""
        return Resume(request=request, target=self.target)


class WantedFreeze(_Wanted):
    """Let nothing new start."""

    kind: Literal["freeze"]

    def operation(self, request: Request) -> Operation:
        """Freeze."""
        return Freeze(request=request)


class WantedThaw(_Wanted):
    """End a freeze."""

    kind: Literal["thaw"]

    def operation(self, request: Request) -> Operation:
        """Thaw."""
        return Thaw(request=request)


class _OnLock(_Wanted):
    dimension: Dim | Literal["release"]
    version: Version
    agent: Name | None = None
    name: Name | None = None

    def lock(self, request: Request) -> Lock:
        """The lock, marked with who asks."""
        return Lock(dimension=self.dimension, version=self.version, agent=self.agent, name=self.name, mark=request.mark)


class WantedLock(_OnLock):
    """Lock a version."""

    kind: Literal["lock"]

    def operation(self, request: Request) -> Operation:
        """LockOut."""
        return LockOut(request=request, lock=self.lock(request))


class WantedUnlock(_OnLock):
    """Allow a version again."""

    kind: Literal["unlock"]

    def operation(self, request: Request) -> Operation:
        """Unlock."""
        return Unlock(request=request, lock=self.lock(request))


Wanted = Annotated[
    WantedPromote
    | WantedStart
    | WantedShare
    | WantedEnd
    | WantedRollBack
    | WantedRollBackRelease
    | WantedKill
    | WantedResume
    | WantedFreeze
    | WantedThaw
    | WantedLock
    | WantedUnlock,
    Field(discriminator="kind"),
]
_WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)


def read(said: Mapping[str, Any]) -> Wanted:
    """An operation from JSON or from the words of an address. Raises WantedError naming what is wrong."""
    try:
        return _WANTED.validate_python(dict(said))
    except ValidationError as error:
        raise WantedError(f"this is no operation: {problems(error)}") from None
