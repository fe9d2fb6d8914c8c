"""The rules as policies of Pulumi: what the engine is about to send to a cluster, as plain manifests.

Not here: the rules. The program itself asks them as well before it declares anything, see `stacks.cluster.program`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from stacks.policy.rules import RULES, STACK_RULES, Manifest, said_of

_TYPES: Final = "kubernetes:"
_VALUES: Final = ("data", "stringData", "binaryData")
UNKNOWN: Final = "(known after up)"
"""Stands for what a preview cannot know yet: text, so that no rule takes it for absent."""


def manifest(props: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties as a manifest; the contents of ConfigMaps and Secrets, which no rule reads, stay out."""
    return {key: _plain(props, key) for key in props if key not in _VALUES}


def _plain(holder: Any, key: Any) -> Any:  # noqa: ANN401 a document
    try:
        value = holder[key]
    except UnknownValueError:
        return UNKNOWN
    if isinstance(value, Mapping):
        return {each: _plain(value, each) for each in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(value, index) for index in range(len(value))]
    return value


def _resource_policy(name: str, rule: Callable[[Manifest], Iterator[str]]) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type.startswith(_TYPES):
            for said in said_of(rule, manifest(args.props)):
                report(said, None)

    return ResourceValidationPolicy(name, _sentence(rule), validate)


def _stack_policy(name: str, rule: Callable[[Sequence[Manifest]], Iterator[str]]) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        objects = [manifest(each.props) for each in args.resources if each.resource_type.startswith(_TYPES)]
        for said in rule([each for each in objects if "kind" in each]):
            report(said, None)

    return StackValidationPolicy(name, _sentence(rule), validate)


def _sentence(rule: Callable[..., Iterator[str]]) -> str:
    return (rule.__doc__ or "").strip()


def run() -> None:
    """Serve the pack to the engine until it ends. Every rule is mandatory: what breaks one is not deployed."""
    policies = [
        *(_resource_policy(name, rule) for name, rule in RULES.items()),
        *(_stack_policy(name, rule) for name, rule in STACK_RULES.items()),
    ]
    PolicyPack("agentobs", policies, EnforcementLevel.MANDATORY)
