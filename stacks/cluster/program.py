"""What `pulumi up` declares for an environment on Kubernetes, and what it tells at the end."""

from collections.abc import Collection, Mapping

import pulumi
import pulumi_kubernetes as k8s

from stacks.cluster import load, plan
from stacks.cluster.outputs import outputs
from stacks.cluster.provision import Platform, Target
from stacks.environments import Environment
from stacks.policy import rules


def declare(environment: Environment, raw: Mapping[str, str], secure: Collection[str]) -> None:
    """Read the settings and declare everything. Raises SettingsError or PolicyError before anything is declared.

    The policy is asked here, whatever tool runs the program: the policy pack is a flag that one can forget, and its
    rules about the whole stack speak only after an `up` without a preview has made everything.
    """
    read = load.parse(raw, secure, environment)
    made = plan.make(environment, read.settings)
    rules.require(made.manifests)
    provider = k8s.Provider(
        "cluster",
        context=read.settings.context,
        cluster_identifier=str(environment.name),
        # What is read again while running changes in place; what is immutable is still replaced.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
    target = Target(
        context=read.settings.context,
        timeout=read.settings.rollout_timeout,
        on_destroy=plan.cluster_of(environment).on_destroy,
    )
    Platform("agentobs", made, provider, target)
    for name, value in outputs(environment, made, read.settings).items():
        pulumi.export(name, value)
