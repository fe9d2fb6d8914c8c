"""Images of the node tier: found under the references of the manifests, with the programs where these start them."""

import io
import json
import tarfile

import pytest
from support import stores
from support.node import images
from support.node.images import Image
from support.node.platform import planned_dev

STORES = (stores.BINARIES[stores.TRACES], stores.BINARIES[stores.LOGS])
BINARIES = ("coredns", "otelcol", "prometheus", "alertmanager", *STORES, "kube-state-metrics")


@pytest.fixture
def made(tmp_path, monkeypatch) -> dict[str, Image]:
    for name in (*BINARIES, "busybox"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(images, "BUSYBOX", tmp_path / "busybox")
    return {each.name: each for each in images.all_images({name: tmp_path / name for name in BINARIES})}


def _containers():
    for manifest in planned_dev().manifests:
        template = manifest.get("spec", {}).get("template", {})
        yield from template.get("spec", {}).get("containers", [])


def test_every_container_of_dev_has_an_image_by_repository_and_digest(made):
    for container in _containers():
        repository, _, digest = container["image"].partition("@")
        assert f"{repository.rpartition(':')[0]}@{digest}" in made


def test_an_entry_point_of_a_manifest_is_a_file_of_the_image(made):
    for container in _containers():
        for path in container.get("command", []):
            (image,) = [each for name, each in made.items() if name.endswith(container["image"].partition("@")[2])]
            assert path.lstrip("/") in image.files


def test_the_archive_is_a_layout_whose_blobs_have_the_names_of_their_content(made):
    written = io.BytesIO()
    images.write(list(made.values()), written)
    written.seek(0)
    with tarfile.open(fileobj=written) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
    index = json.loads(files["index.json"])
    assert [entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"]] == list(made)
    for entry in index["manifests"]:
        manifest = json.loads(files[f"blobs/sha256/{entry['digest'].partition(':')[2]}"])
        (layer,) = manifest["layers"]
        content = files[f"blobs/sha256/{layer['digest'].partition(':')[2]}"]
        assert len(content) == layer["size"]
        with tarfile.open(fileobj=io.BytesIO(content)) as inner:
            # A user without rights can start the program.
            assert all(member.mode & 0o555 for member in inner if member.isfile())
