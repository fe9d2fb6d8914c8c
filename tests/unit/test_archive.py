"""A backup of the local stack as a file: whole or not at all, and never over data."""

import tarfile

import pytest

from stacks.process import archive
from stacks.process.archive import ArchiveError
from stacks.process.layout import StackDir


@pytest.fixture
def layout(tmp_path):
    made = StackDir(tmp_path / "stack")
    (made.data / "prometheus").mkdir(parents=True)
    (made.data / "prometheus" / "block").write_text("series")
    return made


def test_what_was_stored_comes_back(layout, tmp_path):
    archive.create(layout, "local", tmp_path / "kept" / "backup.tar.gz")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["backup.tar.gz"]
    assert [path.name for path in layout.root.iterdir()] == ["data"]
    fresh = StackDir(tmp_path / "fresh")
    archive.restore(fresh, "local", tmp_path / "kept" / "backup.tar.gz")
    assert (fresh.data / "prometheus" / "block").read_text() == "series"
    assert [path.name for path in fresh.root.iterdir()] == ["data"]


def test_data_that_is_there_is_not_replaced(layout, tmp_path):
    archive.create(layout, "local", tmp_path / "backup.tar.gz")
    (layout.data / "prometheus" / "block").write_text("newer")
    with pytest.raises(ArchiveError, match=r"has data in .* Fix: agentobs backup create"):
        archive.restore(layout, "local", tmp_path / "backup.tar.gz")
    assert (layout.data / "prometheus" / "block").read_text() == "newer"


def test_a_stack_without_data_and_a_folder_that_cannot_be_written_are_said(layout, tmp_path):
    with pytest.raises(ArchiveError, match="has stored nothing yet; fix: agentobs up"):
        archive.create(StackDir(tmp_path / "empty"), "local", tmp_path / "backup.tar.gz")
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match=r"cannot be written: .*; fix: --out"):
        archive.create(layout, "local", tmp_path / "file" / "backup.tar.gz")


def _half(good, bad):
    bad.write_bytes(good.read_bytes()[:-20])


def _foreign(_good, bad):
    with tarfile.open(bad, "w:gz") as other:
        other.add(__file__, "other")


def _escaping(_good, bad):
    """A member that would lie beside the folder."""
    with tarfile.open(bad, "w:gz") as other:
        other.add(__file__, "../outside")


@pytest.mark.parametrize("spoil", [_half, _foreign, _escaping, lambda _good, bad: bad.write_text("text")])
def test_a_file_that_is_no_whole_backup_changes_nothing(layout, tmp_path, spoil):
    good, bad = tmp_path / "good.tar.gz", tmp_path / "bad.tar.gz"
    (layout.data / "large").write_bytes(b"0123456789" * 50_000)
    archive.create(layout, "local", good)
    spoil(good, bad)
    fresh = StackDir(tmp_path / "fresh")
    with pytest.raises(ArchiveError, match="is no whole backup of ours"):
        archive.restore(fresh, "local", bad)
    assert list(fresh.root.iterdir()) == []
    assert not (tmp_path / "outside").exists()
