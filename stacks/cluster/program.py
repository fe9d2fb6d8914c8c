"""What `pulumi up` declares for an environment on Kubernetes, and what it tells at the end."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from dashboards.boards import BOARDS
from stacks.cluster import names, plan, reading
from stacks.cluster.realise import Platform, Target
from stacks.environments import Environment
from stacks.policy import rules

_SHOWN: Final = {
    "otlp_http": "otlp-http",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "loki": "loki",
    "tempo": "tempo",
    "grafana": "grafana",
}


def declare(environment: Environment, raw: Mapping[str, str], secure: Collection[str]) -> None:
    """Read the settings and declare everything. Raises SettingsError or PolicyError before anything is declared.

    The policy is asked here, whatever tool runs the program: the policy pack is a flag that one can forget, and its
    rules about the whole stack speak only after an `up` without a preview has made everything.
    """
    read = reading.parse(raw, secure, environment)
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
    for name, value in outputs(environment, made.namespace, read.settings.context).items():
        pulumi.export(name, value)


def outputs(environment: Environment, namespace: str, context: str) -> dict[str, Any]:
    """Addresses inside the cluster, how to reach them from outside, the boards, and what to do next."""
    kubectl = f"kubectl --context {context} -n {namespace}"
    ports = {name: (names.owner(port), names.number(port)) for name, port in _SHOWN.items()}
    return {
        "endpoints": {
            **{key: f"http://{service}.{namespace}:{number}" for key, (service, number) in ports.items()},
            "otlp_grpc": f"{names.owner('otlp-grpc')}.{namespace}:{names.number('otlp-grpc')}",
        },
        "reach": {
            key: f"{kubectl} port-forward service/{service} {number}:{number}"
            for key, (service, number) in ports.items()
        },
        "boards": [board.uid for board in BOARDS],
        "senders": f"kubectl --context {context} label namespace NAME {names.SENDS_LABEL}=true",
        "next": f"{kubectl} get pods; agentobs status -s {environment.name}; agentobs why -s {environment.name}",
    }
