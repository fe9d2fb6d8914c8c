"""The gate before local services: what passes, what does not, and that nothing comes in behind a request."""

import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import ClassVar

import pytest
from support.ports import free_ports

from stacks import gated
from stacks.process import gate
from stacks.process.gate import RefusedError
from stacks.process.layout import StackDir

HOST = "127.0.0.1:9090"
OWN = {"host": HOST}


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", OWN),
        ("POST", {**OWN, "content-type": "application/x-protobuf"}),
        ("GET", {"host": "localhost:9090"}),
        ("GET", {"host": "LOCALHOST"}),
        ("GET", {"host": "[::1]:9090"}),
        ("POST", {**OWN, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}),
        ("GET", {**OWN, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),
        ("GET", {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),
    ],
)
def test_programs_own_pages_and_links_pass(method, headers):
    gate.admit(method, headers)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {}),
        ("GET", {"host": ""}),
        ("GET", {"host": "evil.example:9090"}),
        ("GET", {"host": "127.0.0.1.evil.example:9090"}),
        ("GET", {"host": "127.0.0.1:9090.evil.example"}),
        ("GET", {"host": "evil.example@127.0.0.1:9090"}),
        ("GET", {"host": "127.0.0.1:9090,evil.example"}),
        ("GET", {"host": "localhost.:9090"}),
        ("GET", {"host": "0.0.0.0:9090"}),
        ("GET", {"host": "evil.example", "origin": "http://evil.example"}),
        ("GET", {**OWN, "origin": "http://evil.example"}),
        ("POST", {**OWN, "origin": "null"}),
        ("GET", {**OWN, "origin": "null"}),
        ("GET", {**OWN, "origin": ""}),
        ("OPTIONS", {**OWN, "origin": "https://evil.example"}),
        ("GET", {**OWN, "origin": "http://127.0.0.1:3000"}),
        ("GET", {**OWN, "origin": "http://localhost:9090"}),
        ("GET", {**OWN, "origin": f"http://{HOST}.evil.example"}),
        ("GET", {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}),
        ("GET", {**OWN, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}),
        ("POST", {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),
    ],
)
def test_pages_of_others_do_not(method, headers):
    with pytest.raises(RefusedError):
        gate.admit(method, headers)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\nHost: 127.0.0.1", b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1", b"",
        b"GET / HTTP/1.1\r\nHost : 127.0.0.1", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n folded", b"GET  / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nhost: evil.example", b"GET / HTTP/1.1\r\nA: b\x00c", b"\x16\x03\x01",
        b"GET / HTTP/1.1\nHost: x",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4", b"PRI * HTTP/2.0",
        b"GET / HTTP/1.1\r\nOrigin: http://127.0.0.1\r\nOrigin: http://evil.example",
    ],
)  # fmt: skip
def test_a_request_that_two_readers_read_in_two_ways_is_refused(head):
    with pytest.raises(RefusedError):
        gate.parsed(head + b"\r\n\r\n")


class Service(http.server.BaseHTTPRequestHandler):
    """Says what it was asked, and keeps the connection open if it may."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str]]] = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.command, self.path))
        said = json.dumps({"path": self.path, "headers": dict(self.headers), "bytes": len(body)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = answer  # noqa: N815 the library's names

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """The port of a real gate, run as the stack runs it, before a real server."""
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    (port,) = free_ports(1)
    layout = StackDir(tmp_path_factory.mktemp("gate"))
    spec = gated.spec(layout, "127.0.0.1", "127.0.0.1", {"prometheus": port})
    config = {"host": "127.0.0.1", "doors": {str(port): ["127.0.0.1", service.server_address[1]]}}
    for name, text in {**spec.files, "gate.json": json.dumps(config)}.items():
        (layout.root / name).write_text(text)
    command = [word.replace("{config_dir}", str(layout.root)) for word in spec.command]
    with subprocess.Popen(command) as process:
        for _ in range(600):
            if socket.socket().connect_ex(("127.0.0.1", port)) == 0:
                break
            threading.Event().wait(0.05)
        yield port
        process.terminate()
    service.shutdown()


def ask(port, method="GET", path="/x?y=1", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, headers={key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_it_answers_for_itself_and_hands_on_the_rest(door):
    assert ask(door, path=gate.READY) == (200, b"open\n")
    status, said = ask(door, X_Own="kept", Connection="keep-alive, x-own")
    assert status == 200
    asked = {key.lower(): value for key, value in json.loads(said)["headers"].items()}
    assert (asked["x-own"], asked["connection"], asked["host"]) == ("kept", "close", f"127.0.0.1:{door}")


def test_a_large_body_passes_whole(door):
    status, said = ask(door, "POST", body=b"x" * 20_000_000)
    assert (status, json.loads(said)["bytes"]) == (200, 20_000_000)


def test_what_is_refused_never_reaches_the_service(door):
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        status, said = ask(door, "POST", "/refused", b"x", **headers)
        assert status in {403, 421}
        assert b"127.0.0.1" in said
    assert ("POST", "/refused") not in Service.asked


def test_who_sends_much_that_is_refused_hears_why(door):
    """An answer that is closed behind would be lost with what was not read."""
    for _ in range(20):
        assert ask(door, "POST", "/refused", b"x" * 1_000_000, Origin="http://evil.example")[0] == 403


def test_nothing_comes_in_behind_a_request(door):
    """Two in one go, as a page would hide one: the second is not looked at, so it must not be answered."""
    first = f"GET /first HTTP/1.1\r\nHost: 127.0.0.1:{door}\r\n\r\n"
    hidden = "GET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", door), timeout=60) as raw:
        raw.sendall((first + hidden).encode())
        said = b""
        while chunk := raw.recv(65_536):
            said += chunk
    assert said.count(b"HTTP/1.1 200") == 1
    assert ("GET", "/first") in Service.asked
    assert ("GET", "/hidden") not in Service.asked


def test_headers_without_an_end_are_an_error_not_memory(door):
    with socket.create_connection(("127.0.0.1", door), timeout=60) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)
        assert raw.recv(100).startswith(b"HTTP/1.1 431")


def test_a_service_that_is_away_is_a_bad_gateway(tmp_path):
    door, away = free_ports(2)
    (tmp_path / "gate.json").write_text(json.dumps({"host": "127.0.0.1", "doors": {str(door): ["127.0.0.1", away]}}))
    with subprocess.Popen([sys.executable, "-I", str(Path(gate.__file__)), str(tmp_path / "gate.json")]) as process:
        while socket.socket().connect_ex(("127.0.0.1", door)) != 0:
            threading.Event().wait(0.05)
        assert ask(door)[0] == 502
        process.terminate()


def test_the_address_inside_is_drawn_once_and_kept_to_its_owner(tmp_path):
    one, two = StackDir(tmp_path / "a"), StackDir(tmp_path / "b")
    address = gated.inside(one)
    assert address is not None
    assert address.startswith("127.")
    assert gated.inside(one) == address
    assert gated.inside(two) != address
    assert (one.run / "inside").stat().st_mode & 0o077 == 0
