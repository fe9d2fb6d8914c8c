"""The one table of native binaries: version, way to build it, official archives. A new binary is one more row.

Not here: the versions of container images. A release is listed only when its checksum was confirmed in public
checksum files; a binary without one is found on PATH or built.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from toolchain.errors import UnknownNameError
from toolchain.recipes import Binary, GoBuild, Recipe, Release

_PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
_KUBERNETES_VERSION = "k8s.io/component-base/version.gitVersion"
_KUBERNETES: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_NODE: Final = ("kubelet", "kube-proxy")


def _pulumi(platform: str, sha256: str) -> Release:
    # The language host, the dynamic provider and the policy host for Python ship in the same archive.
    url = f"https://github.com/pulumi/pulumi/releases/download/v3.230.0/pulumi-v3.230.0-{platform}.tar.gz"
    return Release(url=url, sha256=sha256, members={"pulumi/pulumi": "", "pulumi/pulumi-*python*": ""})


def _collector(platform: str, sha256: str) -> Release:
    base = "https://github.com/open-telemetry/opentelemetry-collector-releases/releases/download/v0.161.0"
    url = f"{base}/otelcol-contrib_0.161.0_{platform}.tar.gz"
    return Release(url=url, sha256=sha256, members={"otelcol-contrib": "otelcol"})


def _victoria_logs(platform: str, sha256: str) -> Release:
    base = "https://github.com/VictoriaMetrics/VictoriaLogs/releases/download/v1.52.0"
    url = f"{base}/victoria-logs-{platform}-v1.52.0.tar.gz"
    return Release(url=url, sha256=sha256, members={"victoria-logs-prod": "victoria-logs"}, version="1.52.0")


def _jaeger(platform: str, sha256: str) -> Release:
    # The file's name has no v.
    url = f"https://github.com/jaegertracing/jaeger/releases/download/v2.20.0/jaeger-2.20.0-{platform}.tar.gz"
    return Release(url=url, sha256=sha256, members={"jaeger-2.20.0-*/jaeger": ""}, version="2.20.0")


def _prometheus(platform: str, sha256: str) -> Release:
    url = f"https://github.com/prometheus/prometheus/releases/download/v3.15.0/prometheus-3.15.0.{platform}.tar.gz"
    folder = f"prometheus-3.15.0.{platform}"
    members = {f"{folder}/prometheus": "", f"{folder}/promtool": ""}
    return Release(url=url, sha256=sha256, members=members, version="3.15.0")


def _alertmanager(platform: str, sha256: str) -> Release:
    url = f"https://github.com/prometheus/alertmanager/releases/download/v0.34.1/alertmanager-0.34.1.{platform}.tar.gz"
    folder = f"alertmanager-0.34.1.{platform}"
    members = {f"{folder}/alertmanager": "", f"{folder}/amtool": ""}
    return Release(url=url, sha256=sha256, members=members, version="0.34.1")


def _etcd(archive: str, sha256: str) -> Release:
    url = f"https://github.com/etcd-io/etcd/releases/download/v3.6.14/{archive}"
    return Release(url=url, sha256=sha256, members={"etcd-v3.6.14-*/etcd": ""}, version="3.6.14")


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
        releases={
            "linux/amd64": _alertmanager(
                "linux-amd64", "265b9d1e55ef0d5306a436018af6d2b686c2ce051f03d968f7464ecb1372a7e8"
            ),
            "linux/arm64": _alertmanager(
                "linux-arm64", "d98d6cbaf52151c7e76e24355fec88b11cebcb9875d4cdd8b76ddce7a7e5535c"
            ),
            "darwin/arm64": _alertmanager(
                "darwin-arm64", "a3941879f340ef12a4cc1a479c82bd8520611265ea8d1ee25c88bd5f944d8293"
            ),
        },
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
        releases={
            "linux/amd64": _pulumi("linux-x64", "52337212db85636fa598689cdcf6f54c0aa8a7ccd676dc04e00f2b6334eee8ec"),
            "linux/arm64": _pulumi("linux-arm64", "e9684f6909335aed95657c006e62d606a88fa09ef098378aff2f3a847d462325"),
            "darwin/arm64": _pulumi("darwin-arm64", "8e279fa8199053a592dc0c91659c327c144c73f0632a0f0047b342010f76d535"),
        },
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
        releases={
            "linux/amd64": _prometheus(
                "linux-amd64", "2a542df32eac02ee17b9d844fb2aa1de00dafa5476579ba8a3ba862e9d572ea0"
            ),
            "linux/arm64": _prometheus(
                "linux-arm64", "f1f90ec08e849d494ca66c611470afc50192f0355f1a61c33f2cbde02d067823"
            ),
            "darwin/arm64": _prometheus(
                "darwin-arm64", "920df4d17e78b3b0175af144eb318b0c74d1cf7b1d1251b326966f0e81977260"
            ),
        },
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
        releases={
            "linux/amd64": _victoria_logs(
                "linux-amd64", "d14f585144b8d6813f15e11f0041f487e15e10e5f5e5a31be0311367e93d3494"
            ),
            "linux/arm64": _victoria_logs(
                "linux-arm64", "91338c3e5e3d743a862c0a8665bf80862f639dbd4de6f6ff19ada7df5e9acf45"
            ),
            "darwin/arm64": _victoria_logs(
                "darwin-arm64", "3157d4b6181d8a7e3e30918e2cbfcd4cc4cb66263e3ef21ea91e4f20f8980883"
            ),
        },
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
        releases={
            "linux/amd64": _jaeger("linux-amd64", "c967368ba09be356089ef7e8aab2a76d170dc007ff6ccf7925c8167ede2900d7"),
            "darwin/arm64": _jaeger("darwin-arm64", "b2d21051b27f06535c288dd63e15a42d5aae653d0113695014d7e6b502736e5d"),
        },
    ),
    # Under the AGPL: only ever their publisher's own programs, never built or linked. Of Tempo no archive's checksum is
    # public in two places.
    Recipe(name="tempo", binaries=(Binary(name="tempo", version="2.10.8"),)),
    Recipe(
        name="loki",
        binaries=(Binary(name="loki", version="3.7.8"),),
        releases={
            "linux/amd64": Release(
                url="https://github.com/grafana/loki/releases/download/v3.7.8/loki-linux-amd64.zip",
                sha256="62aea42c9cba52cd1642b3666ab37019a0ce4c24ab50b07e85dccc8d812f7d61",
                members={"loki-linux-amd64": "loki"},
            ),
        },
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
        releases={
            "linux/amd64": _collector(
                "linux_amd64", "778c689efa681ff6e4722ce9f66b9b7f57c3ba009ab2e2b43dc2e0315862c731"
            ),
            "linux/arm64": _collector(
                "linux_arm64", "cd5de93213a0dbb90e4998b3b9e4e15ed691ec635cf7cf4147f95799fb16b676"
            ),
            "darwin/arm64": _collector(
                "darwin_arm64",
                "ccc0cf5de5242adcaedc7b5aebed43a1dc56aa2dc7de6ebc495d5db60512d34c",
            ),
        },
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
    Recipe(
        name="etcd",
        binaries=(Binary(name="etcd", version="3.6.5"),),
        build=GoBuild(folder="etcd", packages=("go.etcd.io/etcd/server/v3",), minimum_go="1.26.0"),
        minutes=1,
        releases={
            "linux/amd64": _etcd(
                "etcd-v3.6.14-linux-amd64.tar.gz", "ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5"
            ),
            "darwin/arm64": _etcd(
                "etcd-v3.6.14-darwin-arm64.zip", "fd154573a1f4c098c214d8233507d2766c43a164f7e339c0385aae71d9a1afaf"
            ),
        },
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
    "local": ("alertmanager", "amtool", "pulumi", "prometheus", "promtool", "victoria-logs", "jaeger", "otelcol"),
    "grafana-stores": ("tempo", "loki"),
    "cluster": ("kube-score", "etcd", "kwok", *_KUBERNETES, "pulumi-resource-kubernetes"),
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
