"""A model provider on the loopback that plays the scenario: chat completions, responses and Anthropic messages.

It knows an agent by the marker in its system prompt and a task by the marker in the conversation, and counts its own
replies: telemetry has no part in it.
"""

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import wire
from scenario import SLOW_IS_DONE, TASKS, Broken, HandOver, Say, Step, Throttled, marked, usage
from spelling import replies, requested


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Model:
    """Where each agent is in each task, and a record of every request."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self._position: Counter[tuple[str, str]] = Counter()
        self._turn: Counter[tuple[str, str]] = Counter()
        self._failed: set[str] = set()
        # Whose a response was: a client of the responses API sends the rest of its conversation by reference.
        self._answered: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def answer(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, replies.Reply | None]:
        """Status and reply of one request."""
        text = json.dumps(body, ensure_ascii=False)
        agent = marked("agent", requested.system_text(body)) or marked("agent", text)
        task = marked("task", text)
        with self._lock:
            if body.get("previous_response_id") in self._answered:
                task, agent = self._answered[body["previous_response_id"]]
            record: dict[str, Any] = {"task": task, "agent": agent, "slow_answered": SLOW_IS_DONE in text}
            self.records.append(record)
            if agent is None or task not in TASKS:
                record.update(status=200, repeated=False, usage={"input": 10, "output": 5})
                return 200, replies.Reply("Nothing to add.", [], record["usage"])
            status, reply = self._play(record, body, repeated=self._is_repeated(text, headers))
            if reply and path.endswith("/messages"):
                reply.usage["reasoning"] = 0  # Anthropic does not tell them apart
            if reply:
                self._answered[f"resp_{reply.number}"] = (task, agent)
            return status, reply

    def _is_repeated(self, text: str, headers: dict[str, str]) -> bool:
        """A client that tries again by itself says so (OpenAI's, Anthropic's) or sends the same once more (others)."""
        return headers.get("x-stainless-retry-count", "0") != "0" or _digest(text) in self._failed

    def _play(
        self, record: dict[str, Any], body: dict[str, Any], *, repeated: bool
    ) -> tuple[int, replies.Reply | None]:
        key = (record["task"], record["agent"])
        script = TASKS[key[0]].script(key[1])
        offered = wire.tools(body)
        step: Step = script[self._position[key]] if self._position[key] < len(script) else Say()
        if isinstance(step, HandOver) and not wire.handover_tool(offered):
            # The program hands over by itself, or has done so already.
            self._position[key] += 1
            step = script[self._position[key]]
        record["repeated"] = repeated
        if isinstance(step, Throttled | Broken):
            self._position[key] += isinstance(step, Throttled)
            record["status"] = 429 if isinstance(step, Throttled) else 500
            self._failed.add(_digest(json.dumps(body, ensure_ascii=False)))
            return record["status"], None
        self._position[key] += 1
        record.update(status=200, usage=usage(*key, self._turn[key]))
        self._turn[key] += 1
        if isinstance(step, HandOver):
            record["handed_over"] = True
            team = TASKS[key[0]].team
            return 200, replies.Reply(None, [wire.handover_call(offered, key[0], team)], record["usage"])
        if isinstance(step, Say) and "final_answer" in offered:
            # smolagents takes no text for an answer.
            text = f"{key[1]} says: {key[0]} is settled."
            return 200, replies.Reply(None, [("final_answer", {"answer": text})], record["usage"])
        if isinstance(step, Say):
            return 200, replies.Reply(f"{key[1]} says: {key[0]} is settled.", [], record["usage"])
        calls = [(wire.named(offered, call.name), wire.arguments(offered, call)) for call in step]
        return 200, replies.Reply(None, calls, record["usage"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "ModelServer"

    def do_POST(self) -> None:
        body = json.loads(requested.read_body(self))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        status, reply = self.server.model.answer(path, body, headers)
        if reply is None:
            self._send(status, "application/json", replies.failure(path, status))
            return
        payload, kind = replies.render(path, body, wire.in_fields(body, reply))
        self._send(200, kind, payload)

    def do_GET(self) -> None:
        self._send(200, "application/json", b'{"object": "list", "data": []}')

    def _send(self, status: int, kind: str, payload: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(payload)))
        # Clients wait as long as they are told to before they try again.
        self.send_header("retry-after-ms", "20")
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Nothing: a capture's output is its own."""


class ModelServer(ThreadingHTTPServer):
    """The server; `url` is the base that OpenAI's clients expect."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = Model()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
