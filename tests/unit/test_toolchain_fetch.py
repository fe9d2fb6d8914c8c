"""Official releases, from a real HTTP server on loopback that serves real archives."""

import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain.errors import ChecksumError, ToolchainError
from toolchain.fetch import Downloads, UnavailableError, extract
from toolchain.recipes import Release

SCRIPT = b"#!/bin/sh\necho tiny, version 1.0.0\n"
# Random enough not to compress away: a download must take several reads.
FILLER = b"".join(hashlib.sha512(str(number).encode()).digest() for number in range(20_000))


def tar_gz(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            tar.addfile(item, io.BytesIO(content))
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ARCHIVE = tar_gz({"tiny-1.0.0/tiny": SCRIPT, "tiny-1.0.0/tinytool": SCRIPT, "tiny-1.0.0/filler": FILLER})


@dataclass
class Server:
    """What the loopback server has, how it behaves, and what it was asked (path, Range header)."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    """For the next requests: break off after so many bytes of the body."""
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def release(self, name: str, sha256: str = "", **members: str) -> Release:
        content = self.files.get(f"/{name}", b"")
        digest = sha256 or hashlib.sha256(content).hexdigest()
        return Release(url=f"{self.url}/{name}", sha256=digest, members=members or {"*/tiny": ""})


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(files={"/tiny.tar.gz": ARCHIVE})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            if self.path not in state.files:
                self.send_error(404)
                return
            content = state.files[self.path]
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and state.ranges else 0
            if wanted and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            self.wfile.write(body[: state.cut_after.pop(0)] if state.cut_after else body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield state
        httpd.shutdown()


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
