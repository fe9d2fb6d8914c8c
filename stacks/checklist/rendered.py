"""What the settings of a stack render to: the intent that a running stack is compared with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import toolchain
import toolchain.table
from stacks import live as machine
from stacks import observability, settings
from stacks.cluster import load
from stacks.cluster import plan as plans
from stacks.cluster.render import stack_settings
from stacks.cluster.resolve import resolve
from stacks.deployment import Deployment
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.process.spec import ProcessSpec
from stacks.process.supervisor import Supervisor
from stacks.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The deployment and every workload's files; processes on a computer, in a cluster the plan."""

    deployment: Deployment
    files: Mapping[str, Mapping[str, str]]
    specs: Sequence[ProcessSpec] = ()
    plan: plans.Plan | None = None
    context: str = ""

    def rules(self) -> list[dict[str, Any]]:
        """The groups of rules of Prometheus."""
        return list(yaml.safe_load(self.files["prometheus"]["rules.yml"])["groups"])

    def alertmanager(self) -> dict[str, Any]:
        """The configuration of Alertmanager."""
        return dict(yaml.safe_load(self.files["alertmanager"]["alertmanager.yml"]))


def of_stack(workspace: Workspace) -> Rendered:
    """Raises SettingsError for settings that cannot be used, WorkspaceError where there is no such stack."""
    environment = ENVIRONMENTS[EnvName(workspace.stack)]
    if environment.cluster is None:
        chosen = _settings(workspace)
        specs = observability.process_specs(environment, chosen, workspace.layout, toolchain.require)
        return Rendered(
            deployment=chosen.deployment(environment), files={spec.name: spec.files for spec in specs}, specs=specs
        )
    values, encrypted = stack_settings(workspace.settings)
    chosen_there = load.parse(values, encrypted, environment).settings
    made = plans.make(environment, chosen_there)
    return Rendered(
        deployment=resolve(chosen_there, environment),
        files={workload.name: workload.files for workload in made.workloads},
        plan=made,
        context=chosen_there.context,
    )


def _settings(workspace: Workspace) -> settings.Settings:
    said = json.loads(workspace.pulumi("config", "--json", quiet=True) or "{}")
    return settings.parse({key: str(each.get("value", "")) for key, each in said.items()}, workspace.stack)


def expected(workspace: Workspace, rendered: Rendered) -> machine.Expected:
    """What the processes, ports and files of a stack on this computer should look like."""
    pids = Supervisor(workspace.layout).pids()
    pinned = {binary.name: binary for recipe in toolchain.table.RECIPES for binary in recipe.binaries}
    # What is no binary of the toolchain runs on the Python of this command.
    binaries = {spec.name: spec.command[0] for spec in rendered.specs if Path(spec.command[0]).name in pinned}
    names = {name: Path(path).name for name, path in binaries.items()}
    keys = rendered.deployment.langfuse_keys_file
    alertmanagers = [spec for spec in rendered.specs if spec.name == "alertmanager"]
    return machine.Expected(
        processes={spec.name: pids.get(spec.name) for spec in rendered.specs},
        binaries=binaries,
        version_arguments={name: pinned[binary].version_args for name, binary in names.items()},
        versions={name: pinned[binary].version for name, binary in names.items()},
        ports={name: number for spec in rendered.specs for name, number in spec.ports.items()},
        secrets=[str(path) for path in (*workspace.secret_files, *([keys] if keys else []))],
        private=[
            str(workspace.checkpoint),
            *(str(spec.config_dir / name) for spec in alertmanagers for name in spec.files),
        ],
    )
