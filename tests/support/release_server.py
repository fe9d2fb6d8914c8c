"""A publisher's archives on loopback: real archives, and an HTTP server that breaks off where it is told to."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from toolchain.recipes import Release

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


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """Serve these files (path -> content) on a free loopback port."""
    state = Server(files=files)

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
