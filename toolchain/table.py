"""The one table of native binaries: version, way to build it, official archives. A new binary is one more row.

Not here: the versions of container images. A binary without an archive (`releases.py`) is found on PATH or built.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from toolchain import releases
from toolchain.errors import UnknownNameError
from toolchain.recipes import Binary, GoBuild, Recipe

_PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
_KUBERNETES_VERSION = "k8s.io/component-base/version.gitVersion"
_KUBERNETES: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_NODE: Final = ("kubelet", "kube-proxy")
_PLATFORM: Final = ("alertmanager", "amtool", "pulumi", "prometheus", "promtool", "otelcol")


# Small ones first: what is wrong with a computer or its network shows within the first minutes.
RECIPES: Final[tuple[Recipe, ...]] = (
    Recipe(
        name="alertmanager",
        binaries=(Binary(name="alertmanager", version="0.31.1"), Binary(name="amtool", version="0.31.1")),
        build=GoBuild(
            folder="alertmanager",
            packages=(
                "github.com/prometheus/alertmanager/cmd/alertmanager",
                "github.com/prometheus/alertmanager/cmd/amtool",
            ),
            minimum_go="1.25.0",
            variables={_PROMETHEUS_VERSION: "0.31.1"},
        ),
        minutes=1,
        releases=releases.ALERTMANAGER,
    ),
    Recipe(
        name="pulumi",
        binaries=(Binary(name="pulumi", version="3.230.0", version_args=("version",)),),
        build=GoBuild(
            folder="pulumi",
            packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
            minimum_go="1.25.8",
            variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "3.230.0"},
        ),
        minutes=2.5,
        releases=releases.PULUMI,
    ),
    Recipe(
        name="prometheus",
        binaries=(Binary(name="prometheus", version="3.16.0"), Binary(name="promtool", version="3.16.0")),
        build=GoBuild(
            folder="prometheus",
            packages=(
                "github.com/prometheus/prometheus/cmd/prometheus",
                "github.com/prometheus/prometheus/cmd/promtool",
            ),
            minimum_go="1.26.7",
            # One of the many service discoveries has a dependency that does not resolve; Kubernetes' is the one in use.
            tags="remove_all_sd,enable_kubernetes_sd",
            variables={_PROMETHEUS_VERSION: "3.16.0"},
        ),
        minutes=3.5,
        releases=releases.PROMETHEUS,
    ),
    Recipe(
        name="victoria-logs",
        binaries=(Binary(name="victoria-logs", version="1.52.1"),),
        build=GoBuild(
            module="github.com/VictoriaMetrics/VictoriaLogs@v1.52.1",
            module_sum="h1:B83xu4usTNPrpsFZFH/Dei3nWIsQizIeSRghFxj4ZJo=",
            packages=("./app/victoria-logs",),
            minimum_go="1.26.5",
            variables={"github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version": "victoria-logs-v1.52.1"},
        ),
        minutes=1,
        releases=releases.VICTORIA_LOGS,
    ),
    # Jaeger 2 is released under two numbers: v1.76.0 is what the module is called, 2.13.0 what the program is.
    Recipe(
        name="jaeger",
        binaries=(Binary(name="jaeger", version="2.13.0", version_args=("version",)),),
        build=GoBuild(
            module="github.com/jaegertracing/jaeger@v1.76.0",
            module_sum="h1:sWCOOF1dr+NL0PLil7mFo3BqqQL8k4WiM7aguFbc14g=",
            packages=("./cmd/jaeger",),
            minimum_go="1.25.4",
            variables={"github.com/jaegertracing/jaeger/internal/version.latestVersion": "v2.13.0"},
        ),
        minutes=4.5,
        releases=releases.JAEGER,
    ),
    # Under the AGPL: only ever their publisher's own programs, never built or linked. Of Tempo no archive's checksum is
    # public in two places.
    Recipe(name="tempo", binaries=(Binary(name="tempo", version="2.10.8"),)),
    Recipe(
        name="loki",
        binaries=(Binary(name="loki", version="3.7.8"),),
        releases=releases.LOKI,
    ),
    Recipe(
        name="collector",
        # An `otelcol` on PATH may be the core distribution, which says the same version and lacks most components.
        binaries=(Binary(name="otelcol", version="0.161.0", path_names=("otelcol-contrib",)),),
        build=GoBuild(
            folder="collector",
            generator="go.opentelemetry.io/collector/cmd/builder@v0.161.0",
            packages=(".",),
            minimum_go="1.26.0",
        ),
        minutes=8,
        releases=releases.COLLECTOR,
    ),
    # What follows is for tests against a real API server; no user needs it.
    Recipe(
        name="kube-score",
        binaries=(Binary(name="kube-score", version="1.20.0", version_args=("version",)),),
        build=GoBuild(
            folder="kube-score",
            packages=("github.com/zegl/kube-score/cmd/kube-score",),
            minimum_go="1.26.0",
            variables={"main.version": "1.20.0"},
        ),
        minutes=1,
    ),
    # Where releases are pushed to as OCI artifacts.
    Recipe(
        name="registry",
        binaries=(Binary(name="registry", version="3.1.2"),),
        build=GoBuild(
            module="github.com/distribution/distribution/v3@v3.1.2",
            module_sum="h1:/Bv2YIqqSR00HiO49FT93hovy6r9IlrzwUDsJjCN5qg=",
            packages=("./cmd/registry",),
            minimum_go="1.26.0",
            variables={"github.com/distribution/distribution/v3/version.version": "v3.1.2"},
        ),
        minutes=2,
    ),
    Recipe(
        name="etcd",
        binaries=(Binary(name="etcd", version="3.6.5"),),
        build=GoBuild(folder="etcd", packages=("go.etcd.io/etcd/server/v3",), minimum_go="1.26.0"),
        minutes=1,
        releases=releases.ETCD,
    ),
    Recipe(
        name="kwok",
        binaries=(Binary(name="kwok", version="0.8.0"),),
        build=GoBuild(folder="kwok", packages=("sigs.k8s.io/kwok/cmd/kwok",), minimum_go="1.26.0"),
        minutes=2,
    ),
    Recipe(
        name="kubernetes",
        binaries=tuple(Binary(name=name, version="1.36.3") for name in _KUBERNETES),
        build=GoBuild(
            folder="kubernetes",
            packages=tuple(f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES),
            minimum_go="1.26.0",
            variables={_KUBERNETES_VERSION: "v1.36.3"},
        ),
        minutes=12.5,
    ),
    Recipe(
        name="kubernetes-provider",
        binaries=(Binary(name="pulumi-resource-kubernetes", version="4.25.0"),),
        build=GoBuild(folder="kubernetes-provider", packages=(".",), minimum_go="1.26.0", quick=True),
        minutes=11,
    ),
    # For tests on a real node. The module is one of its own, so that a change here builds no API server anew.
    Recipe(
        name="kubelet",
        binaries=tuple(Binary(name=name, version="1.36.3") for name in _NODE),
        build=GoBuild(
            folder="kubelet",
            packages=tuple(f"k8s.io/kubernetes/cmd/{name}" for name in _NODE),
            minimum_go="1.26.0",
            variables={_KUBERNETES_VERSION: "v1.36.3"},
        ),
        minutes=2.5,
    ),
    Recipe(
        name="coredns",
        binaries=(Binary(name="coredns", version="1.15.0"),),
        build=GoBuild(folder="coredns", packages=(".",), minimum_go="1.26.0"),
        minutes=2,
    ),
    Recipe(
        name="kube-network-policies",
        binaries=(Binary(name="kube-network-policies", version="0.8.0"),),
        build=GoBuild(folder="kube-network-policies", packages=(".",), minimum_go="1.26.0"),
        minutes=1,
    ),
    Recipe(
        name="kube-state-metrics",
        binaries=(Binary(name="kube-state-metrics", version="2.18.0", version_args=("version",)),),
        build=GoBuild(
            folder="kube-state-metrics",
            packages=("k8s.io/kube-state-metrics/v2",),
            minimum_go="1.26.0",
            variables={_PROMETHEUS_VERSION: "v2.18.0"},
        ),
        minutes=2,
    ),
)

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "platform": _PLATFORM,
    "local": (*_PLATFORM, "victoria-logs", "jaeger"),
    "grafana-stores": ("tempo", "loki"),
    "cluster": ("kube-score", "registry", "etcd", "kwok", *_KUBERNETES, "pulumi-resource-kubernetes"),
    "node": (*_NODE, "coredns", "kube-network-policies", "kube-state-metrics"),
}


def select(names: Iterable[str]) -> list[tuple[Recipe, Binary]]:
    """Return recipe and binary of each name or group, in the order of the table, without repetition.

    Raises:
        UnknownNameError: a name that is neither a binary nor a group.

    """
    known = [binary.name for recipe in RECIPES for binary in recipe.binaries]
    wanted: set[str] = set()
    for name in names:
        if name not in GROUPS and name not in known:
            raise UnknownNameError(name, [*GROUPS, *known])
        wanted.update(GROUPS.get(name, (name,)))
    return [(recipe, binary) for recipe in RECIPES for binary in recipe.binaries if binary.name in wanted]
