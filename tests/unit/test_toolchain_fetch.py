"""Official releases, from a real HTTP server on loopback that serves real archives."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.release_server import FILLER, Server, serving, tar_gz, zipped

from toolchain.errors import ChecksumError, ToolchainError
from toolchain.fetch import Downloads, UnavailableError, extract
from toolchain.recipes import Release

SCRIPT = b"#!/bin/sh\necho tiny, version 1.0.0\n"


ARCHIVE = tar_gz({"tiny-1.0.0/tiny": SCRIPT, "tiny-1.0.0/tinytool": SCRIPT, "tiny-1.0.0/filler": FILLER})


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"/tiny.tar.gz": ARCHIVE}) as state:
        yield state


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads")


def no_tick() -> None:
    """Nobody watches."""


def test_a_good_archive_is_verified_and_its_named_members_are_installed(
    server: Server, downloads: Downloads, tmp_path: Path
) -> None:
    release = Release(
        url=f"{server.url}/tiny.tar.gz",
        sha256=hashlib.sha256(ARCHIVE).hexdigest(),
        members={"tiny-1.0.0/tiny": "renamed", "tiny-*/tinytool": ""},
    )

    written = extract(downloads.get(release, no_tick), release, tmp_path)

    assert sorted(path.name for path in written) == ["renamed", "tinytool"]
    for path in written:
        assert path.read_bytes() == SCRIPT
        assert path.stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "filler").exists()


def test_a_zip_archive_is_opened_as_one(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    server.files["/tiny.zip"] = zipped({"tiny-linux-amd64": SCRIPT})
    release = server.release("tiny.zip", **{"tiny-linux-amd64": "tiny"})

    extract(downloads.get(release, no_tick), release, tmp_path)

    assert (tmp_path / "tiny").read_bytes() == SCRIPT


def test_a_path_that_leaves_the_archive_stays_in_the_target_folder(
    server: Server, downloads: Downloads, tmp_path: Path
) -> None:
    server.files["/evil.tar.gz"] = tar_gz({"../../evil/tiny": SCRIPT})
    release = server.release("evil.tar.gz")
    target = tmp_path / "a" / "b"
    target.mkdir(parents=True)

    assert extract(downloads.get(release, no_tick), release, target) == [target / "tiny"]


def test_a_wrong_checksum_is_a_loud_error_with_both_sums_and_leaves_nothing(
    server: Server, downloads: Downloads, tmp_path: Path
) -> None:
    expected = "0" * 64

    with pytest.raises(ChecksumError) as caught:
        downloads.get(server.release("tiny.tar.gz", sha256=expected), no_tick)

    assert expected in str(caught.value)
    assert hashlib.sha256(ARCHIVE).hexdigest() in str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_download_that_breaks_off_is_resumed_where_it_stopped(server: Server, downloads: Downloads) -> None:
    server.cut_after = [300_000, 400_000]

    archive = downloads.get(server.release("tiny.tar.gz"), no_tick)

    assert archive.read_bytes() == ARCHIVE
    starts = [int(wanted.removeprefix("bytes=").removesuffix("-")) for _, wanted in server.asked[1:] if wanted]
    assert len(server.asked) == 3
    assert 0 < starts[0] < starts[1] < len(ARCHIVE)


def test_a_part_left_by_an_earlier_run_is_resumed(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    release = server.release("tiny.tar.gz")
    part = tmp_path / "downloads" / f"{release.sha256}.part"
    part.parent.mkdir()
    part.write_bytes(ARCHIVE[:1000])

    assert downloads.get(release, no_tick).read_bytes() == ARCHIVE
    assert server.asked == [("/tiny.tar.gz", "bytes=1000-")]


def test_a_bad_part_is_thrown_away_once_and_the_file_fetched_anew(
    server: Server, downloads: Downloads, tmp_path: Path
) -> None:
    release = server.release("tiny.tar.gz")
    part = tmp_path / "downloads" / f"{release.sha256}.part"
    part.parent.mkdir()
    part.write_bytes(b"something else")

    assert downloads.get(release, no_tick).read_bytes() == ARCHIVE


def test_a_server_without_ranges_sends_the_whole_file_again(server: Server, downloads: Downloads) -> None:
    server.ranges = False
    server.cut_after = [300_000]

    assert downloads.get(server.release("tiny.tar.gz"), no_tick).read_bytes() == ARCHIVE


def test_a_file_that_is_not_there_is_unavailable_and_the_host_still_counts(
    server: Server, downloads: Downloads
) -> None:
    with pytest.raises(UnavailableError, match="404"):
        downloads.get(server.release("absent.tar.gz"), no_tick)

    assert downloads.get(server.release("tiny.tar.gz"), no_tick).exists()


def test_a_host_that_cannot_be_reached_is_asked_once_per_run(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    release = Release(url=f"http://127.0.0.1:{port}/tiny.tar.gz", sha256="0" * 64, members={})
    downloads = Downloads(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        downloads.get(release, no_tick)

    # The host comes to life; this run has already gone on without it.
    with socket.create_server(("127.0.0.1", port)) as listening:
        listening.settimeout(0.2)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            downloads.get(release, no_tick)
        with pytest.raises(TimeoutError):
            listening.accept()


def test_an_archive_without_the_named_member_is_an_error(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    release = server.release("tiny.tar.gz", **{"other/name": ""})

    with pytest.raises(ToolchainError, match="does not hold other/name"):
        extract(downloads.get(release, no_tick), release, tmp_path)
