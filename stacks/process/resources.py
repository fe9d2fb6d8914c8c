"""Pulumi dynamic resources: `ProcessHost` is supervisord, `Process` is one program under it.

Providers hold no state and live in this importable module, so that Pulumi stores a reference to them, not code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import Output, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

from stacks.process import launch
from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec
from stacks.process.supervisor import Supervisor

_PROVIDER_KEY = "__provider"
Props = dict[str, Any]


def _own(props: Mapping[str, Any]) -> Props:
    return {key: value for key, value in props.items() if key != _PROVIDER_KEY}


class _HostProvider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        Supervisor(StackDir(Path(props["stack_dir"]))).start()
        return CreateResult(id_=str(props["stack_dir"]), outs=_own(props))

    def read(self, id_: str, props: Props) -> ReadResult:
        alive = Supervisor(StackDir(Path(id_))).alive()
        return ReadResult(id_ if alive else "", _own(props))

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        moved = _olds["stack_dir"] != _news["stack_dir"]
        return DiffResult(changes=moved, replaces=["stack_dir"] if moved else [])

    def delete(self, _id: str, _props: Props) -> None:
        Supervisor(StackDir(Path(_id))).stop()


class _ProcessProvider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        spec = ProcessSpec.from_props(props)
        launch.bring_up(spec)
        return CreateResult(id_=spec.name, outs=spec.to_props())

    def read(self, id_: str, props: Props) -> ReadResult:
        spec = ProcessSpec.from_props(props)
        present = Supervisor(spec.layout).is_up(spec.name)
        return ReadResult(id_ if present else "", spec.to_props())

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        if set(ProcessSpec.__dataclass_fields__) - set(_olds):
            return DiffResult(changes=True)  # state of an older version of this class
        return DiffResult(changes=ProcessSpec.from_props(_olds) != ProcessSpec.from_props(_news))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        spec = ProcessSpec.from_props(_news)
        launch.replace(ProcessSpec.from_props(_olds), spec)
        return UpdateResult(outs=spec.to_props())

    def delete(self, _id: str, _props: Props) -> None:
        launch.take_down(ProcessSpec.from_props(_props))


class ProcessHost(Resource, module="agentobs", name="ProcessHost"):
    """supervisord of one local stack; deleting it ends every process and removes the run folder."""

    stack_dir: Output[str]

    def __init__(self, name: str, layout: StackDir, opts: ResourceOptions | None = None) -> None:
        super().__init__(_HostProvider(), name, {"stack_dir": str(layout.root)}, opts)


class Process(Resource, module="agentobs", name="Process"):
    """One supervised process. Ready when its readiness URL answers; a change restarts this process only."""

    ready_url: Output[str]

    def __init__(self, spec: ProcessSpec, opts: ResourceOptions | None = None) -> None:
        super().__init__(_ProcessProvider(), spec.name, spec.to_props(), opts)
