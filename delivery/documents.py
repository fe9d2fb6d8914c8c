"""The base of every document that is kept: no key that nobody knows, and errors that name the place and the fix."""

from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from agentobs.canonical import canonical, digest
from delivery.errors import DeliveryError
from runbooks.document import Document

_SHOWN: Final = 5

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ReleaseId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,119}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+:@/-]{0,119}$")]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class Kept(Document):
    """A document that is stored, and read again by other programs; `schema` is written as such."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def content(self) -> dict[str, Any]:
        """The JSON of it; what was not said is left out, so that a later optional key changes no digest."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical form. Raises CanonicalError."""
        return digest(self.content)

    @property
    def spelled(self) -> bytes:
        """Its canonical form: the SHA-256 of these bytes is `digest`. Raises CanonicalError."""
        return canonical(self.content)

    @classmethod
    def parse(cls, text: str | bytes, where: str, fix: str) -> Self:
        """Read a document. Raises DeliveryError that names every bad key, the file and the fix."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DeliveryError(f"{where}: {problems(error)}. Fix: {fix}") from None


def problems(error: ValidationError) -> str:
    """What is wrong where, in one line; input is data of somebody else and is not repeated."""
    found = error.errors(include_url=False, include_input=False)
    told = [f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}" for each in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "; ".join([*told, *more])
