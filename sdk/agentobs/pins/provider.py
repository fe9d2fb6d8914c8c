"""The same pins for code that speaks OpenFeature. Flags: `release`, `agent.NAME.enabled`, `tool.NAME.enabled`.

The targeting key of the evaluation context is the session.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider
from openfeature.provider.metadata import Metadata

from agentobs.pins.client import Client, NoSnapshotError

_KINDS = ("agent", "tool")


class PinsProvider(AbstractProvider):
    """Answers flags from the snapshot that a client holds; without one, the caller's default with an error code."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata(name="agentobs-pins")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 the interface
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 the interface
    ) -> FlagResolutionDetails[bool]:
        """`agent.NAME.enabled`, `tool.NAME.enabled`: false where a kill switch holds it."""
        kind, _, rest = flag_key.partition(".")
        name, _, last = rest.rpartition(".")
        if kind not in _KINDS or not name or last != "enabled":
            return _unknown(flag_key, default_value)
        try:
            mark = self._client.killed.of(**{kind: name})
        except NoSnapshotError as error:
            # Closed: who does not know whether it may, may not.
            return FlagResolutionDetails(False, error_code=ErrorCode.PROVIDER_NOT_READY, error_message=str(error))
        return FlagResolutionDetails(mark is None, reason=Reason.TARGETING_MATCH)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """`release`: the id of the release that a session runs."""
        if flag_key != "release":
            return _unknown(flag_key, default_value)
        session = evaluation_context.targeting_key if evaluation_context else None
        try:
            pins = self._client.pins(session)
        except NoSnapshotError as error:
            return FlagResolutionDetails(
                default_value, error_code=ErrorCode.PROVIDER_NOT_READY, error_message=str(error)
            )
        return FlagResolutionDetails(pins.release, variant=pins.track.value, reason=Reason.SPLIT)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """`agent.NAME.limits`: the ceilings of an agent; a copy, so that no caller changes ours."""
        kind, _, rest = flag_key.partition(".")
        name, _, last = rest.rpartition(".")
        session = evaluation_context.targeting_key if evaluation_context else None
        if kind != "agent" or last != "limits":
            return _unknown(flag_key, default_value)
        try:
            agent = self._client.pins(session).agents.get(name)
        except NoSnapshotError as error:
            return FlagResolutionDetails(
                default_value, error_code=ErrorCode.PROVIDER_NOT_READY, error_message=str(error)
            )
        if agent is None:
            return _unknown(flag_key, default_value)
        limits = {"usd_per_task": agent.usd_per_task, "calls_per_min": agent.calls_per_min}
        said: dict[str, FlagValueType] = {key: value for key, value in limits.items() if value is not None}
        return FlagResolutionDetails(said, reason=Reason.TARGETING_MATCH)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 the interface
    ) -> FlagResolutionDetails[int]:
        """There are none."""
        return _unknown(flag_key, default_value)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 the interface
    ) -> FlagResolutionDetails[float]:
        """There are none."""
        return _unknown(flag_key, default_value)


def _unknown(flag_key: str, default: Any) -> FlagResolutionDetails[Any]:  # noqa: ANN401 any flag's
    return FlagResolutionDetails(
        default, error_code=ErrorCode.FLAG_NOT_FOUND, error_message=f"there is no flag {flag_key!r}"
    )
