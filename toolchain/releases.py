"""Official archives of the binaries, by platform. One is listed only when two public places agree on its checksum.

An archive may be of another version than the one that is built: what counts is what can be had, and both are accepted.
"""

from collections.abc import Mapping
from typing import Final

from toolchain.recipes import Release


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


ALERTMANAGER: Final[Mapping[str, Release]] = {
    "linux/amd64": _alertmanager("linux-amd64", "265b9d1e55ef0d5306a436018af6d2b686c2ce051f03d968f7464ecb1372a7e8"),
    "linux/arm64": _alertmanager("linux-arm64", "d98d6cbaf52151c7e76e24355fec88b11cebcb9875d4cdd8b76ddce7a7e5535c"),
    "darwin/arm64": _alertmanager("darwin-arm64", "a3941879f340ef12a4cc1a479c82bd8520611265ea8d1ee25c88bd5f944d8293"),
}
PULUMI: Final[Mapping[str, Release]] = {
    "linux/amd64": _pulumi("linux-x64", "52337212db85636fa598689cdcf6f54c0aa8a7ccd676dc04e00f2b6334eee8ec"),
    "linux/arm64": _pulumi("linux-arm64", "e9684f6909335aed95657c006e62d606a88fa09ef098378aff2f3a847d462325"),
    "darwin/arm64": _pulumi("darwin-arm64", "8e279fa8199053a592dc0c91659c327c144c73f0632a0f0047b342010f76d535"),
}
PROMETHEUS: Final[Mapping[str, Release]] = {
    "linux/amd64": _prometheus("linux-amd64", "2a542df32eac02ee17b9d844fb2aa1de00dafa5476579ba8a3ba862e9d572ea0"),
    "linux/arm64": _prometheus("linux-arm64", "f1f90ec08e849d494ca66c611470afc50192f0355f1a61c33f2cbde02d067823"),
    "darwin/arm64": _prometheus("darwin-arm64", "920df4d17e78b3b0175af144eb318b0c74d1cf7b1d1251b326966f0e81977260"),
}
VICTORIA_LOGS: Final[Mapping[str, Release]] = {
    "linux/amd64": _victoria_logs("linux-amd64", "d14f585144b8d6813f15e11f0041f487e15e10e5f5e5a31be0311367e93d3494"),
    "linux/arm64": _victoria_logs("linux-arm64", "91338c3e5e3d743a862c0a8665bf80862f639dbd4de6f6ff19ada7df5e9acf45"),
    "darwin/arm64": _victoria_logs("darwin-arm64", "3157d4b6181d8a7e3e30918e2cbfcd4cc4cb66263e3ef21ea91e4f20f8980883"),
}
JAEGER: Final[Mapping[str, Release]] = {
    "linux/amd64": _jaeger("linux-amd64", "c967368ba09be356089ef7e8aab2a76d170dc007ff6ccf7925c8167ede2900d7"),
    "darwin/arm64": _jaeger("darwin-arm64", "b2d21051b27f06535c288dd63e15a42d5aae653d0113695014d7e6b502736e5d"),
}
LOKI: Final[Mapping[str, Release]] = {
    "linux/amd64": Release(
        url="https://github.com/grafana/loki/releases/download/v3.7.8/loki-linux-amd64.zip",
        sha256="62aea42c9cba52cd1642b3666ab37019a0ce4c24ab50b07e85dccc8d812f7d61",
        members={"loki-linux-amd64": "loki"},
    ),
}
COLLECTOR: Final[Mapping[str, Release]] = {
    "linux/amd64": _collector("linux_amd64", "778c689efa681ff6e4722ce9f66b9b7f57c3ba009ab2e2b43dc2e0315862c731"),
    "linux/arm64": _collector("linux_arm64", "cd5de93213a0dbb90e4998b3b9e4e15ed691ec635cf7cf4147f95799fb16b676"),
    "darwin/arm64": _collector(
        "darwin_arm64",
        "ccc0cf5de5242adcaedc7b5aebed43a1dc56aa2dc7de6ebc495d5db60512d34c",
    ),
}
ETCD: Final[Mapping[str, Release]] = {
    "linux/amd64": _etcd(
        "etcd-v3.6.14-linux-amd64.tar.gz", "ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5"
    ),
    "darwin/arm64": _etcd(
        "etcd-v3.6.14-darwin-arm64.zip", "fd154573a1f4c098c214d8233507d2766c43a164f7e339c0385aae71d9a1afaf"
    ),
}
