"""Releases in a real registry: pulled whole, under the release's own digest; a changed byte is found."""

import hashlib
import subprocess
import time

import pytest
import requests
from support.delivered import Desk, prompt_text, release, sha
from support.ports import free_ports

import toolchain
from collector.document import to_yaml
from delivery.errors import DeliveryError
from delivery.releases import artifact
from delivery.releases.artifact import Reference


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    (port,) = free_ports(1)
    config = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "config.yml").write_text(to_yaml(config))
    binary = str(toolchain.require(["registry"])["registry"])
    with subprocess.Popen([binary, "serve", str(folder / "config.yml")], stderr=subprocess.DEVNULL) as process:
        try:
            _answers(f"http://127.0.0.1:{port}/v2/")
            yield f"127.0.0.1:{port}", folder / "data"
        finally:
            process.terminate()


def _answers(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            requests.get(url, timeout=5).raise_for_status()
        except requests.RequestException:
            assert time.monotonic() < until, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return


def texts():
    return [
        prompt_text("planner", "12"), prompt_text("executor", "4"), "search 3.0.0", "graph 7",
    ]  # fmt: skip


def test_what_was_pushed_is_pulled_under_the_digest_of_the_release(registry, tmp_path):
    made = release()
    reference = Reference.parse(f"oci://{registry[0]}/team/support")
    assert artifact.push(reference, made, texts(), plain_http=True) == f"sha256:{made.digest}"
    pulled, found = artifact.pull(reference, made.id, plain_http=True)
    assert pulled == made
    assert found == {sha(text): text for text in texts()}
    desk = Desk(tmp_path / "store")
    desk.store.add_release(pulled, found)
    assert desk.store.text(made.agents["planner"].prompt.sha256) == prompt_text("planner", "12")
    manifest = requests.get(
        f"http://{registry[0]}/v2/team/support/manifests/{made.id}",
        headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
        timeout=10,
    ).json()
    assert manifest["config"]["digest"] == f"sha256:{made.digest}"


def test_pushing_again_is_the_same_artifact_and_a_tag_finds_it(registry):
    made = release()
    reference = Reference.parse(f"oci://{registry[0]}/team/tagged:stable-1")
    for _ in range(2):
        artifact.push(reference, made, texts(), plain_http=True)
    assert artifact.pull(reference, "", plain_http=True)[0].id == made.id


def test_a_changed_byte_in_the_registry_is_found(registry):
    made = release(planner="13")
    reference = Reference.parse(f"oci://{registry[0]}/team/changed")
    artifact.push(reference, made, [prompt_text("planner", "13"), *texts()[1:]], plain_http=True)
    blobs = registry[1] / "docker/registry/v2/blobs/sha256"
    digest = hashlib.sha256(prompt_text("planner", "13").encode()).hexdigest()
    data = blobs / digest[:2] / digest / "data"
    data.write_bytes(data.read_bytes().replace(b"planner", b"plunner"))
    with pytest.raises(DeliveryError, match="sent other bytes than sha256:"):
        artifact.pull(reference, made.id, plain_http=True)


def test_a_release_without_its_texts_is_not_used(registry):
    made = release(planner="14")
    reference = Reference.parse(f"oci://{registry[0]}/team/lacking")
    artifact.push(reference, made, texts()[1:], plain_http=True)
    with pytest.raises(DeliveryError, match="lacks 1 of the texts"):
        artifact.pull(reference, made.id, plain_http=True)


def test_what_is_not_there_and_who_is_not_there_are_named(registry):
    with pytest.raises(DeliveryError, match="refused"):
        artifact.pull(Reference.parse(f"oci://{registry[0]}/team/none"), "3f9ac1d07b52", plain_http=True)
    (port,) = free_ports(1)
    with pytest.raises(DeliveryError, match=f"127.0.0.1:{port} does not answer"):
        artifact.pull(Reference.parse(f"oci://127.0.0.1:{port}/team/none"), "3f9ac1d07b52", plain_http=True)


@pytest.mark.parametrize(
    "text", ["registry.example.com/x", "oci://", "oci://host", "https://host/x", "oci://h/x@sha256:a"]
)
def test_an_address_that_is_none_is_refused_with_its_form(text):
    with pytest.raises(DeliveryError, match=r"expected oci://registry\.example\.com/team/support"):
        Reference.parse(text)
