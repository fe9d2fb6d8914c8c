"""The Pulumi program: settings -> environment -> workloads -> processes or Kubernetes objects -> outputs."""

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

import toolchain
from agentobs.errors import AgentobsError
from stacks import observability, paths, settings
from stacks.environments import ENVIRONMENTS, Environment, EnvName
from stacks.process import preflight


def _environment_of(stack: str) -> Environment:
    try:
        return ENVIRONMENTS[EnvName(stack)]
    except ValueError:
        known = ", ".join(EnvName)
        raise settings.SettingsError(f"{stack} is not an environment of this project; the stacks are {known}") from None


def _local(stack: str, environment: Environment) -> None:
    chosen = settings.parse({**get_config_env(), **CONFIG.get()}, stack)
    layout = paths.stack_dir(stack)
    specs = observability.process_specs(environment, chosen, layout, toolchain.require)
    preflight.run(specs, layout, observability.LOOPBACK, stack)
    observability.Observability("agentobs", specs, layout)
    pulumi.export("endpoints", observability.endpoints(chosen))
    pulumi.export("next", "agentobs status, agentobs why")


def main() -> None:
    """Declare the stack; every expected failure is one error without a traceback."""
    stack = pulumi.get_stack()
    try:
        environment = _environment_of(stack)
        if environment.cluster is None:
            _local(stack, environment)
        else:
            # Not at the top: the local stack would import as much again as it needs.
            from stacks.cluster import program  # noqa: PLC0415

            raw = {**get_config_env(), **CONFIG.get()}
            program.declare(environment, raw, [key for key in raw if is_config_secret(key)])
    except (AgentobsError, toolchain.ToolchainError) as error:
        raise pulumi.RunError(str(error)) from None


main()
