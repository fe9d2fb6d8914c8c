"""A secret value that is made once: a dynamic resource whose output stays what it was at the first `up`."""

import secrets
from typing import Any

from pulumi import Output, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

from stacks.cluster.secrets import Generated

Props = dict[str, Any]


class _Provider(ResourceProvider):
    # Its inputs are no secrets; its output is, and marked as one by the resource.
    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        value = f"{props['prefix']}{secrets.token_hex(int(props['bytes']))}"
        return CreateResult(id_=secrets.token_hex(8), outs={**props, "value": value})

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Never changes: a new length or prefix counts for what is made from now on."""
        return DiffResult(changes=False)


class GeneratedValue(Resource, module="agentobs", name="GeneratedValue"):
    """`value` is the secret; it is encrypted in the state."""

    value: Output[str]

    def __init__(self, name: str, kind: Generated, opts: ResourceOptions) -> None:
        hidden = ResourceOptions.merge(opts, ResourceOptions(additional_secret_outputs=["value"]))
        super().__init__(_Provider(), name, {"bytes": kind.bytes, "prefix": kind.prefix, "value": None}, hidden)
