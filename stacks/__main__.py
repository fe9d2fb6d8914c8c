"""The Pulumi program: settings -> environment -> preflight -> Observability -> outputs."""

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

import toolchain
from stacks import home, observability, settings
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.process import preflight


def _environment_of(stack: str) -> EnvName:
    try:
        return EnvName(stack)
    except ValueError:
        known = ", ".join(EnvName)
        raise settings.SettingsError(f"{stack} is not an environment of this project; the stacks are {known}") from None


def main() -> None:
    """Declare the stack; every expected failure is one error without a traceback."""
    stack = pulumi.get_stack()
    try:
        environment = ENVIRONMENTS[_environment_of(stack)]
        chosen = settings.parse({**get_config_env(), **CONFIG.get()}, stack)
        layout = home.stack_dir(stack)
        specs = observability.process_specs(environment, chosen, layout, toolchain.require)
        preflight.run(specs, layout, observability.LOOPBACK, stack)
    except (settings.SettingsError, toolchain.ToolchainError, preflight.PreflightError) as error:
        raise pulumi.RunError(str(error)) from None
    observability.Observability("agentobs", specs, layout)
    pulumi.export("endpoints", observability.endpoints(chosen))
    pulumi.export("next", "agentobs status, agentobs why")


main()
