"""The store: nothing lost, nothing changed, nothing half; also with many writers, killed ones among them."""

import contextlib
import json
import multiprocessing
import os
import signal
import time

import pytest
from support.delivered import ENVIRONMENT, Desk, release, request

from agentobs.canonical import digest
from delivery.environments.operations import Kill, Target
from delivery.environments.snapshot import snapshot
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.releases import Dim
from delivery.store import FileBlobs, StoreError, Taken


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    desk.promote(release(planner="13"))
    return desk


def test_what_is_there_is_not_written_again(tmp_path):
    blobs = FileBlobs(tmp_path)
    blobs.create("releases/a", b"1")
    with pytest.raises(Taken):
        blobs.create("releases/a", b"2")
    assert (blobs.read("releases/a"), blobs.read("releases/b"), blobs.keys("releases")) == (b"1", None, ["releases/a"])


@pytest.mark.parametrize(
    "key", ["../x", "releases/../../x", "/etc/passwd", "releases", "releases//x", "releases/.x", ""]
)
def test_a_key_stays_below_the_store(tmp_path, key):
    for use in (lambda blobs: blobs.create(key, b""), lambda blobs: blobs.read(key)):
        with pytest.raises(StoreError, match="no key of a store"):
            use(FileBlobs(tmp_path))


@pytest.mark.usefixtures("desk")
def test_files_are_their_owners_alone(tmp_path):
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "store").rglob("*")}
    assert modes == {0}


def _change(path, change):
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))


def _read_all(desk):
    for id_ in desk.store.releases():
        for agent in desk.store.release(id_).agents.values():
            desk.store.text(agent.prompt.sha256)
    list(desk.store.history(ENVIRONMENT))


@pytest.mark.parametrize("where", ["releases", "content", "environments/prod"])
@pytest.mark.usefixtures("desk")
def test_a_changed_byte_is_found_wherever_it_is(tmp_path, where):
    for path in (tmp_path / "store" / where).iterdir():
        _change(path, lambda data: data.replace(b"planner", b"plunner").replace(b'"ada"', b'"bob"'))
    with pytest.raises(DeliveryError):
        _read_all(Desk(tmp_path / "store"))


@pytest.mark.usefixtures("desk")
def test_a_revision_that_was_exchanged_for_another_valid_one_breaks_the_chain(tmp_path):
    path = tmp_path / "store" / "environments" / ENVIRONMENT / "00000001"
    document = json.loads(path.read_bytes())
    document["operation"]["by"] = "mallory"
    _change(path, lambda _: Revision.model_validate(document).spelled)
    with pytest.raises(StoreError, match="somebody changed the history"):
        list(Desk(tmp_path / "store").store.history(ENVIRONMENT))


def test_a_missing_revision_is_named(desk, tmp_path):
    (tmp_path / "store" / "environments" / ENVIRONMENT / "00000001").unlink()
    with pytest.raises(StoreError, match="revision 1 is missing"):
        desk.store.head(ENVIRONMENT)


def test_a_full_disk_changes_nothing_and_says_so(desk, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device; nothing was changed"):
        desk.do(Kill(request=request(), target=Target()))
    monkeypatch.undo()
    assert desk.head.revision == 2
    assert desk.do(Kill(request=request(), target=Target())).revision.revision == 3


def _operator(folder, number, start):
    time.sleep(max(0.0, start - time.time()))
    desk = Desk(folder)
    desk.do(Kill(request=request(id=f"op-{number}"), target=Target(agent=f"agent-{number}")))


def test_a_hundred_operators_at_once_some_of_them_killed_lose_nothing(tmp_path):
    folder = tmp_path / "store"
    Desk(folder).promote(release())
    fork = multiprocessing.get_context("fork")
    start = time.time() + 1.0  # no event: one that is killed while it waits would hold up who sets it
    operators = [fork.Process(target=_operator, args=(folder, number, start)) for number in range(100)]
    for operator in operators:
        operator.start()
    time.sleep(max(0.0, start - time.time()))
    for operator in operators[::5]:
        time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):  # it may be done already
            os.kill(operator.pid, signal.SIGKILL)
    for operator in operators:
        operator.join(120)
    assert not any(operator.is_alive() for operator in operators)
    desk = Desk(folder)
    history = list(desk.store.history(ENVIRONMENT))
    done = [revision.operation.id for revision in history]
    expected = {f"op-{number}" for number in range(100) if number % 5}
    assert len(done) == len(set(done)) == desk.head.revision
    assert expected <= set(done)
    # Every operation that is in the history is in effect: no update was lost under another.
    assert {one.replace("op", "agent") for one in done if one.startswith("op-")} == set(desk.head.killed.agents)


def test_the_snapshot_has_overrides_in_place_and_names_what_is_killed(desk):
    desk.roll_back(Dim.PROMPT, "12", agent="planner")
    desk.do(Kill(request=request("loops"), target=Target(tool="search")))
    document = snapshot(desk.head, desk.store)
    assert document["tracks"]["stable"]["agents"] == release().content["agents"]
    assert document["tracks"]["stable"]["release"] == release(planner="13").id
    assert document["killed"]["tools"]["search"]["reason"] == "loops"
    assert document["digest"] == digest({key: value for key, value in document.items() if key != "digest"})
