"""Stores that answer badly: one error that names the store and the fix, whatever they say."""

import json

import pytest
from support import otlp
from support.bad_server import bad_server
from support.ports import free_ports

from collector.search import LineSearch, Op, SpanSearch, Term
from stacks.clients import Jaeger, Loki, StoreError, Tempo, VictoriaLogs

STORES = {"Tempo": Tempo, "Jaeger": Jaeger, "Loki": Loki, "VictoriaLogs": VictoriaLogs}
HERE = SpanSearch(terms=(Term("service.name", Op.EQUAL, "agents"),))
ASKED = {
    "Tempo": {
        "find": lambda store: store.find(SpanSearch(), 0, 1, 10),
        "services": lambda store: store.services(SpanSearch(), 0, 1),
        "trace": lambda store: store.trace("0af7"),
    },
    "Jaeger": {
        "find": lambda store: store.find(HERE, 0, 1, 10),
        "services": lambda store: store.services(SpanSearch(), 0, 1),
        "trace": lambda store: store.trace("0af7"),
        "calls": lambda store: store.calls(HERE, 0, 1),
    },
    "Loki": {"lines": lambda store: store.lines(LineSearch(), 0, 1, 10)},
    "VictoriaLogs": {"lines": lambda store: store.lines(LineSearch(), 0, 1, 10)},
}
EVERY = [(name, ask) for name, asked in ASKED.items() for ask in asked]


@pytest.fixture(scope="module")
def server():
    with bad_server() as made:
        yield made


@pytest.fixture
def says(server):
    server.status, server.body, server.promised, server.headers, server.hangs_up = 200, b"", None, {}, False
    return server


def refused(says, name, ask):
    with pytest.raises(StoreError) as raised:
        ASKED[name][ask](STORES[name](says.url))
    said = str(raised.value)
    assert name in said
    assert says.url in said
    assert "\n" not in said
    assert said.isprintable()
    return said


GARBAGE = {
    "a page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "half a document": b'{"data": [{"traceID": ',
    "no text": b"\xff\xfe\x00\x01garbage",
    "deeper than Python": b"[" * 100_000,
    "a list": b"[1, 2]",
    "a number": b"7",
    "a text": b'"x"',
    "other fields": b'{"data": {"result": 3}, "traces": 3, "tagValues": 3}',
    "things of another kind": b'{"data": [3], "traces": [3], "tagValues": [3], "resourceSpans": 3}',
    "spans without anything": b'{"data": [{"spans": [{}], "processes": {}}], "traces": [{}], "tagValues": [{}]}',
}


@pytest.mark.parametrize(("name", "ask"), EVERY)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_an_answer_in_another_form_is_one_error_with_the_fix(says, name, ask, garbage):
    says.body = GARBAGE[garbage]
    said = refused(says, name, ask)
    assert "in a form that is not its own" in said
    assert f"--{name.lower()} URL" in said


def test_what_calls_itself_protobuf_and_is_none_is_an_error_too(says):
    says.headers = {"Content-Type": "application/protobuf"}
    for body in (GARBAGE["a page"], GARBAGE["half a document"], b"\x0a\xff"):
        says.body = body
        assert "in a form that is not its own" in refused(says, "Tempo", "trace")


@pytest.mark.parametrize(("name", "ask"), EVERY)
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503])
def test_a_refusal_says_status_and_reason_in_one_line(says, name, ask, status):
    says.status, says.body = status, b"<html>\n<b>no\x1b[31m room\x07</b>\n" + b"x" * 5000
    said = refused(says, name, ask)
    assert "refused /" in said
    assert f"{status} <html> <b>no [31m room </b>" in said
    assert len(said) < 500
    assert ("it wants another login" in said) == (status in {401, 403})


@pytest.mark.parametrize(("name", "ask"), EVERY)
def test_what_is_not_there_is_nothing_only_where_one_thing_was_asked_for(says, name, ask):
    says.status, says.body = 404, b'{"data": null, "errors": [{"code": 404, "msg": "trace not found"}]}'
    if ask == "trace":
        assert ASKED[name][ask](STORES[name](says.url)) == []
    else:
        assert "refused /" in refused(says, name, ask)


@pytest.mark.parametrize(("name", "ask"), EVERY)
def test_a_connection_that_breaks_off_is_an_error(says, name, ask):
    says.hangs_up = True
    assert f"--{name.lower()} URL" in refused(says, name, ask)
    says.hangs_up, says.body, says.promised = False, b'{"data": [', 5000
    assert f"--{name.lower()} URL" in refused(says, name, ask)


@pytest.mark.parametrize("name", STORES)
def test_where_nobody_listens_the_error_says_how_to_start_or_name_one(name):
    (port,) = free_ports(1)
    ask = next(iter(ASKED[name].values()))
    with pytest.raises(
        StoreError, match=rf"no {name} answers at .*`agentobs up` or name another one with --{name.lower()}"
    ):
        ask(STORES[name](f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize(
    "url", ["tempo:3200", "127.0.0.1", "http://", "ftp://127.0.0.1", "http://[::1", "http://.x", "http://a b"]
)
def test_an_address_that_is_none_is_an_error_of_the_store(name, url):
    ask = next(iter(ASKED[name].values()))
    with pytest.raises(StoreError, match=f"--{name.lower()} URL"):
        ask(STORES[name](url))


@pytest.mark.parametrize("name", STORES)
def test_text_that_is_no_utf_8_cannot_be_asked_for(says, name):
    """A shell passes on any bytes."""
    term = Term("service.name", Op.EQUAL, b"\xff".decode("utf-8", "surrogateescape"))
    store = STORES[name](says.url)
    says.body = b'{"data": ["agents"]}'
    lines = name in {"Loki", "VictoriaLogs"}
    ask, search = (store.lines, LineSearch(terms=(term,))) if lines else (store.find, SpanSearch(terms=(term,)))
    with pytest.raises(StoreError, match="only for text in UTF-8"):
        ask(search, 0, 1, 10)


def test_an_error_that_jaeger_puts_into_a_good_answer_is_an_error(says):
    says.body = b'{"data": null, "errors": [{"code": 500, "msg": "no space left\\non device"}]}'
    for ask in ("find", "services", "calls"):
        assert "no space left" in refused(says, "Jaeger", ask)
    says.body = b'{"data": null, "errors": null}'
    assert [ASKED["Jaeger"][ask](Jaeger(says.url)) for ask in ("find", "services", "trace", "calls")] == [
        [],
        [],
        [],
        [],
    ]


def test_nothing_found_is_nothing(says):
    for body in (b'{"traces": null, "tagValues": null}', b"{}"):
        says.body = body
        assert [ASKED["Tempo"][ask](Tempo(says.url)) for ask in ("find", "services")] == [[], []]
    says.body, says.headers = b"", {"Content-Type": "application/protobuf"}
    assert ASKED["VictoriaLogs"]["lines"](VictoriaLogs(says.url)) == []
    assert ASKED["Tempo"]["trace"](Tempo(says.url)) == []


def span(**rest):
    given = {
        "traceID": "af7", "spanID": "1", "operationName": "step", "references": [], "startTime": 1, "duration": 2,
        "tags": [], "processID": "p1",
    }  # fmt: skip
    return {**given, **rest}


def one_trace(*spans):
    programs = {"p1": {"serviceName": "agents"}}
    return json.dumps({"data": [{"traceID": "af7", "spans": spans, "processes": programs}]}).encode()


def tag(key, kind, value):
    return {"key": key, "type": kind, "value": value}


def test_what_jaeger_makes_of_opentelemetry_is_taken_back(says):
    tags = [
        tag("big", "int64", "1152921504606846976"), tag("f", "float64", 5), tag("ok", "bool", True),
        tag("error", "bool", True), tag("span.kind", "string", "client"), tag("otel.status_code", "string", "ERROR"),
    ]  # fmt: skip
    says.body = one_trace(span(tags=tags), span(tags=tags))
    (found,) = Jaeger(says.url).trace("af7")
    assert found.trace_id == "af7".rjust(32, "0")
    assert found.attributes == {"big": 2**60, "f": 5.0, "ok": True}
    assert isinstance(found.attributes["f"], float)
    assert (found.kind, found.failed, found.service) == ("client", True, "agents")


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("1970-01-01 00:00:00 +0000 UTC, adjusted to: 2026-12-01 14:57:33.415609558 +0000 UTC", 0.0),
        ("2026-12-01 09:57:34.415609557 +0000 UTC, adjusted to: 2026-12-01 14:57:34.4 +0000 UTC", 1796119054.415609),
    ],
)
def test_an_end_before_the_start_is_told_as_it_was_sent(says, said, end):
    """Jaeger corrects it; a span that nobody has ended would look like a quick one."""
    warning = f"Negative duration detected, sanitizing end timestamp. Original end timestamp: {said}"
    says.body = one_trace(span(startTime=1796137053415609, duration=0, warnings=["clock skew", warning]))
    assert [each.end for each in Jaeger(says.url).trace("af7")] == [end]


def test_every_store_knows_the_library_that_made_a_span(says):
    says.body = one_trace(span(tags=[tag("otel.scope.name", "string", "litellm")]), span(spanID="2"))
    assert [found.scope for found in Jaeger(says.url).trace("af7")] == ["litellm", ""]
    says.headers = {"Content-Type": "application/protobuf"}
    says.body = otlp.traces([otlp.span("step")], scope="litellm").SerializeToString()
    assert [found.scope for found in Tempo(says.url).trace("af7")] == ["litellm"]


def test_an_attribute_that_is_called_as_one_of_jaegers_own_is_kept(says):
    tags = [tag("error", "string", "mine"), tag("error", "bool", True), tag("span.kind", "string", "internal")]
    says.body = one_trace(span(tags=tags))
    (found,) = Jaeger(says.url).trace("af7")
    assert (found.attributes, found.failed, found.kind) == ({"error": "mine"}, True, "internal")


def test_half_a_letter_becomes_a_whole_one(says):
    """Else printing it would end in a traceback."""
    says.body = b'{"_time": "2026-01-01T00:00:00.123456789Z", "_msg": "a\\ud800b", "k\\udfff": "\\ud83d\\ude00"}\n'
    (line,) = VictoriaLogs(says.url).lines(LineSearch(), 0, 1, 10)
    assert (line.text, line.attributes) == ("a\ufffdb", {"k\ufffd": "😀"})
    says.body = one_trace(span(operationName="x\ud800"))
    assert [each.name for each in Jaeger(says.url).trace("af7")] == ["x\ufffd"]


def test_a_line_of_a_store_ends_where_the_store_says(says):
    """Text may hold other ends of lines, such as U+2028."""
    row = json.dumps({"_time": "2026-01-01T00:00:00Z", "_msg": "one\u2028two\x85three\x0cfour"}, ensure_ascii=False)
    says.body = f"{row}\n{row}\n".encode()
    lines = VictoriaLogs(says.url).lines(LineSearch(), 0, 1, 10)
    assert [line.text for line in lines] == ["one\u2028two\x85three\x0cfour"] * 2


def test_no_id_of_a_trace_leaves_its_place_in_the_address(says):
    for trace_id in ("../services", "a?b", "a/../..", "%2e%2e", "", "g", "0af7 "):
        before = len(says.asked)
        says.status, says.body = 404, b'{"data": null}'
        assert Jaeger(says.url).trace(trace_id) == []
        assert Tempo(says.url).trace(trace_id) == []
        assert all(path.startswith("/api/traces/") and path.count("/") == 3 for path in says.asked[before:])


def test_jaeger_is_asked_for_more_until_enough_fit_and_then_no_more(says):
    """Here none ever fits."""
    says.body = one_trace(*(span(traceID=f"{number:x}") for number in range(1)))
    wanted = SpanSearch(terms=(*HERE.terms, Term("k", Op.EQUAL, "v")))
    before = len(says.asked)
    assert Jaeger(says.url).find(wanted, 0, 1, 10) == []
    assert len(says.asked) == before + 1, "one trace is fewer than was asked for: there are no more"
    says.body = json.dumps({"data": [json.loads(one_trace(span()))["data"][0]] * 5000}).encode()
    assert Jaeger(says.url).find(wanted, 0, 1, 600) == []
    limits = [path.split("limit=")[1].split("&")[0] for path in says.asked[before + 1 :]]
    assert limits == ["600", "2000"]
