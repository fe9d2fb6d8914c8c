"""Container images assembled from static binaries, under the references that manifests name. No registry is asked.

The kubelet looks for `repository@digest` where a manifest gives tag and digest, so that this is an image's name here.
Its content is the native build of the same program, hence another digest than the one in the name.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from stacks.versions import IMAGES
from support.stores import BINARIES, LOGS, TRACES

_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_NOBODY: Final = "65532:65532"
BUSYBOX: Final = Path("/bin/busybox")
"""Static: from the Debian package busybox-static."""
_APPLETS: Final = ("sh", "sleep", "wget", "nc", "dd", "cat", "ls", "df", "rm", "true", "false", "fallocate")
_NATIVE: Final = {
    "collector": "otelcol",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    BINARIES[TRACES]: BINARIES[TRACES],
    BINARIES[LOGS]: BINARIES[LOGS],
    "kube-state-metrics": "kube-state-metrics",
}
"""Row of `stacks.versions` -> the binary of the toolchain that is the same program. Grafana and Langfuse have none."""
PAUSE: Final = "agentobs.test/pause:1"
DNS: Final = "agentobs.test/coredns:1"
SMALL: Final = "agentobs.test/small:1"
"""A shell with a few tools, for small checks and for things that go wrong on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What goes into one image: path -> file on this computer, -> text, -> target of a link; its variables."""

    name: str
    entrypoint: tuple[str, ...]
    files: Mapping[str, Path]
    texts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


def all_images(binaries: Mapping[str, Path]) -> list[Image]:
    """Every image of a node; `binaries` holds the group `node` of the toolchain and the backends."""
    shell = dict.fromkeys((f"bin/{applet}" for applet in _APPLETS), "/bin/busybox")
    box = {"bin/busybox": BUSYBOX}
    return [
        Image(name=PAUSE, entrypoint=("/bin/busybox", "sleep", "2147483647"), files=box),
        Image(name=SMALL, entrypoint=("/bin/sh",), files=box, links=shell),
        Image(name=DNS, entrypoint=("/coredns",), files={"coredns": binaries["coredns"]}),
        *(_backend(row, binaries[name]) for row, name in _NATIVE.items()),
    ]


def _reference(row: str) -> str:
    image = IMAGES[row]
    return f"{image.repository}@sha256:{image.digest}"


def _backend(row: str, binary: Path) -> Image:
    entry = IMAGES[row].entrypoint
    return Image(name=_reference(row), entrypoint=(entry,), files={entry.lstrip("/"): binary})


def write(images: list[Image], to: IO[bytes]) -> None:
    """Write an OCI layout of all images as one tar stream, as `ctr images import -` reads it."""
    with tarfile.open(fileobj=to, mode="w|") as archive:
        entries = [entry for image in images for entry in [_write_one(image, archive)]]
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": entries}).encode())


def _write_one(image: Image, archive: tarfile.TarFile) -> dict[str, Any]:
    layer = _layer(image)
    digest = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": [f"{name}={value}" for name, value in image.variables.items()],
            "User": _NOBODY,
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    text = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _blob(_CONFIG, text),
        "layers": [{"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": len(layer)}],
    }
    for content in (layer, text, json.dumps(manifest).encode()):
        _add(archive, f"blobs/sha256/{hashlib.sha256(content).hexdigest()}", content)
    return {**_blob(_MANIFEST, json.dumps(manifest).encode()), "annotations": {"io.containerd.image.name": image.name}}


def _blob(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}


def _layer(image: Image) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as layer:
        for folder in sorted({*_folders([*image.files, *image.texts, *image.links])}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(entry)
        for path, source in image.files.items():
            # With its time, by which Python knows whether what it compiled is current.
            _add(layer, path, source.read_bytes(), mode=0o755, time=source.stat().st_mtime)
        for path, text in image.texts.items():
            _add(layer, path, text.encode())
        for path, target in image.links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            layer.addfile(entry)
    return made.getvalue()


def _folders(paths: list[str]) -> Iterator[str]:
    for path in paths:
        parents = path.split("/")[:-1]
        yield from ("/".join(parents[: number + 1]) for number in range(len(parents)))


def _add(archive: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644, time: float = 0) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.mtime = len(content), mode, time
    archive.addfile(entry, io.BytesIO(content))
