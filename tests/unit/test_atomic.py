"""A file is written whole or not at all, whatever happens meanwhile."""

import os
import stat

import pytest

from stacks import atomic


def test_a_new_file_has_the_rights_that_the_user_gives(tmp_path):
    before = os.umask(0o027)
    try:
        atomic.write(tmp_path / "new" / "page", "text é")
    finally:
        os.umask(before)
    page = tmp_path / "new" / "page"
    assert page.read_text("utf-8") == "text é"
    assert stat.S_IMODE(page.stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_is_there_and_nothing_beside_it(tmp_path, error):
    page = tmp_path / "page"
    page.write_text("old")

    def fails():
        with atomic.replacing(page) as part:
            part.write_text("half of the ne")
            raise error

    with pytest.raises(type(error)):
        fails()
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_link_that_waits_under_the_name_of_the_new_file_is_not_followed(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    (tmp_path / f".page.{os.getpid()}.part").symlink_to(theirs)
    atomic.write(tmp_path / "page", "ours")
    assert (theirs.read_text(), (tmp_path / "page").read_text()) == ("theirs", "ours")
    assert not (tmp_path / "page").is_symlink()
