"""The client of a Prometheus-compatible store: a login, a store without `anchored`, and refusals."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest

from alerts.prometheus import Prometheus, PrometheusError

LOGIN = {"Authorization": "Bearer sesame"}
EXACT = "sum(increase(c_total[5m] anchored))"


class _Store(BaseHTTPRequestHandler):
    """Answers 7 to every query that it can read; what it was asked is in `asked` of the server."""

    def do_POST(self) -> None:
        query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
        self.server.asked.append(query)  # type: ignore[attr-defined]
        status, answer = 200, {"status": "success", "data": {"result": [{"metric": {}, "value": [0, "7"]}]}}
        if self.headers.get("Authorization") != LOGIN["Authorization"]:
            status, answer = 401, {}
        elif "anchored" in query or "nonsense(" in query:
            status, answer = 400, {"status": "error", "errorType": "bad_data", "error": "1:9: parse error"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def store() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Store)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _client(store: ThreadingHTTPServer, headers=LOGIN) -> Prometheus:
    return Prometheus(f"http://127.0.0.1:{store.server_address[1]}", headers)


def test_a_store_without_the_modifier_is_asked_in_the_plain_form_and_from_then_on_only_so(store, caplog):
    client = _client(store)
    assert [sample.value for sample in client.instant(EXACT, 0)] == [7]
    assert [sample.value for sample in client.instant(EXACT, 0)] == [7]
    plain = EXACT.replace(" anchored", "")
    assert store.asked == [EXACT, plain, plain]
    assert caplog.text.count("does not know `anchored`") == 1


def test_a_query_that_is_wrong_in_both_forms_is_an_error(store):
    with pytest.raises(PrometheusError, match="parse error"):
        _client(store).instant(EXACT.replace("sum(", "nonsense("), 0)
    assert len(store.asked) == 2


def test_a_login_that_is_refused_is_said_without_it(store):
    with pytest.raises(PrometheusError, match="refuses the login: HTTP 401") as refused:
        _client(store, {"Authorization": "Bearer wrong"}).instant("up", 0)
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("data", [None, [], {"result": [{}]}, {"result": [{"metric": 3, "value": 3}]}], ids=str)
def test_an_answer_of_another_form_is_one_error_that_names_the_address(monkeypatch, data):
    client = Prometheus("http://127.0.0.1:1")
    answer = SimpleNamespace(status_code=200, json=lambda: [3] if data is None else {"status": "success", "data": data})
    monkeypatch.setattr(client._session, "post", lambda *_, **__: answer)
    with pytest.raises(PrometheusError, match=r"what answers at http://127\.0\.0\.1:1 is no Prometheus"):
        client.instant("up", 0)


def test_text_that_is_no_utf_8_cannot_be_asked_for():
    """A shell passes on any bytes."""
    said = b"\xff".decode("utf-8", "surrogateescape")
    with pytest.raises(PrometheusError, match="only for text in UTF-8"):
        Prometheus("http://127.0.0.1:9").instant(f'up{{job="{said}"}}', 0.0)
