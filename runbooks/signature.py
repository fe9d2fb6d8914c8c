"""A signature of a record or a release with a person's SSH key; `stacks.signing` makes and checks them."""

from enum import StrEnum

from pydantic import ConfigDict, Field

from agentobs.errors import AgentobsError
from runbooks.document import Document


class SignatureError(AgentobsError):
    """A signature that cannot be made, or does not hold."""


class Namespace(StrEnum):
    """What is signed: a signature of one kind is none of another."""

    CHECKLIST = "agentobs-checklist"
    RELEASE = "agentobs-release"


class Signature(Document):
    """An SSH signature over a digest, in one namespace."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(description="Identity that the signer claims")
    fingerprint: str
    armored: str = Field(description="As `ssh-keygen -Y sign` wrote it")
