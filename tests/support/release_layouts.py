"""The archives of each publisher as they are laid out in truth, with tiny programs that print what the real ones do.

Known from the publishers' release scripts and from public install scripts, not from `toolchain/releases.py`: a pattern
there that misses its file must fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from support.release_server import tar_gz, zipped
from toolchain.recipes import Release

_PROMETHEUS: Final = "{name}, version {version} (branch: HEAD, revision: 0123456789abcdef)\n  go version: go1.26.8"
_JAEGER: Final = '{{"gitCommit":"0123456789abcdef","gitVersion":"v{version}","buildDate":"2026-07-20T03:41:33Z"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`{root}` is the archive's name without its ending."""

    programs: Mapping[str, str]
    """Path of a program -> what it prints of its version."""
    others: tuple[str, ...] = ()
    """What else is in there and must stay there."""


LAYOUTS: Final[dict[str, Layout]] = {
    "alertmanager": Layout(
        programs={"{root}/alertmanager": _PROMETHEUS, "{root}/amtool": _PROMETHEUS},
        others=("{root}/LICENSE", "{root}/NOTICE", "{root}/alertmanager.yml"),
    ),
    "pulumi": Layout(
        programs={"pulumi/pulumi": "v{version}"},
        others=("pulumi/pulumi-language-nodejs", "pulumi/pulumi-resource-pulumi-nodejs", "pulumi/pulumi-watch"),
    ),
    "prometheus": Layout(
        programs={"{root}/prometheus": _PROMETHEUS, "{root}/promtool": _PROMETHEUS},
        others=("{root}/LICENSE", "{root}/NOTICE", "{root}/prometheus.yml"),
    ),
    "victoria-logs": Layout(
        programs={"victoria-logs-prod": "victoria-logs-20260716-022147-tags-v{version}-0-g46a54c976f"}
    ),
    "jaeger": Layout(programs={"{root}/jaeger": _JAEGER}, others=("{root}/example-hotrod",)),
    "loki": Layout(programs={"{root}": _PROMETHEUS}),
    "collector": Layout(
        programs={"otelcol-contrib": "otelcol-contrib version {version}"}, others=("LICENSE", "README.md")
    ),
    "etcd": Layout(
        programs={"{root}/etcd": "etcd Version: {version}\nGit SHA: 0123456\nGo Version: go1.26.8"},
        others=("{root}/etcdctl", "{root}/etcdutl", "{root}/README.md"),
    ),
}
_PYTHON: Final = ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
"""Of Pulumi, beside its own program: what a program in Python needs."""


def archive(recipe: str, release: Release, version: str, more: Mapping[str, bytes] | None = None) -> bytes:
    """The archive of a release whose programs say `version`; `more` is added to it."""
    layout, name = LAYOUTS[recipe], PurePosixPath(urlsplit(release.url).path).name
    root = name.removesuffix(".zip").removesuffix(".tar.gz")
    others = (*layout.others, *(f"pulumi/{each}" for each in _PYTHON if recipe == "pulumi"))
    files = {
        **{path.format(root=root): b"something else" for path in others},
        **{
            path.format(root=root): _program(
                text.format(name=path.rpartition("/")[2].replace(root, recipe), version=version)
            )
            for path, text in layout.programs.items()
        },
        **(more or {}),
    }
    return zipped(files) if name.endswith(".zip") else tar_gz(files)


def _program(prints: str) -> bytes:
    return f"#!/bin/sh\nprintf '%s\\n' '{prints}'\n".encode()
