"""A model that costs nothing: `python3 examples/model_server` answers the examples as OpenAI's API would.

It speaks chat completions, responses and Anthropic's messages, plain or as a stream, and needs nothing but Python. What
it says is in `story.py`; how that is spelt, in `replies.py`.
"""

import argparse
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import replies
import requested
import story

PORT = 8642
PATHS = ("/chat/completions", "/responses", "/messages")


class Server(ThreadingHTTPServer):
    """The server; what it answered is a line on the terminal, and in a file where one is named."""

    daemon_threads = True

    def __init__(self, host: str, port: int, record: Path | None) -> None:
        super().__init__((host, port), _Handler)
        self._record = record
        self._lock = threading.Lock()

    def note(self, body: dict[str, Any], reply: replies.Reply) -> None:
        """Write down what was answered, so that a run's telemetry can be compared with it."""
        agent, asks_for = story.agent_of(body), [name for name, _ in reply.calls]
        said = {"agent": agent, "model": replies.ANSWERING_MODEL, "asks_for": asks_for, **reply.usage}
        with self._lock:
            print(f"{agent or 'a stranger'}: {', '.join(asks_for) or reply.text}", flush=True)
            if self._record is not None:
                with self._record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(said) + "\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        raw = requested.read_body(self)
        if not path.endswith(PATHS):
            self._refuse(404, f"no {path} here; expected a path that ends with one of {', '.join(PATHS)}")
            return
        try:
            body = json.loads(raw)
            reply = story.answer(body)
            payload, kind = replies.render(path, body, reply)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._refuse(400, f"this is no request of a model: {error!r}; expected what OpenAI's clients send")
            return
        self.server.note(body, reply)
        self._send(200, kind, payload)

    def do_GET(self) -> None:
        self._send(200, "application/json", b'{"object": "list", "data": []}')

    def _refuse(self, status: int, message: str) -> None:
        error = {"error": {"type": "invalid_request_error", "message": message}}
        self._send(status, "application/json", json.dumps(error).encode())

    def _send(self, status: int, kind: str, payload: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Nothing: `note` says more."""


def main() -> int:
    """Serve until Ctrl-C."""
    reader = argparse.ArgumentParser(description="A scripted model for the examples, on the loopback.")
    reader.add_argument("--host", default="127.0.0.1")
    reader.add_argument("--port", type=int, default=PORT, help=f"{PORT} is what the examples ask; 0 takes a free one")
    reader.add_argument("--record", type=Path, help="append each answer to this file, as a line of JSON")
    given = reader.parse_args()
    try:
        server = Server(given.host, given.port, given.record)
    except OSError as error:
        print(
            f"cannot listen on {given.host}:{given.port}: {error.strerror}. Fix: end what listens there, or take "
            "--port 8643 and set OPENAI_BASE_URL=http://127.0.0.1:8643/v1 for the examples",
            file=sys.stderr,
        )
        return 1
    print(f"a model on http://{given.host}:{server.server_address[1]}/v1; Ctrl-C ends it", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
