"""Local services are not the web's: every service that `agentobs up` starts, asked as pages of others would ask it."""

import functools
import http.server
import threading

import pytest
import requests
from support.stores import LOGS, TRACES

PORTS = ("prometheus", "alertmanager", LOGS, TRACES, "otlp-http", "collector-health", "collector-metrics")
GATED = [port for port in PORTS if port not in {"tempo", "loki"}]
PATHS = {
    "prometheus": "/api/v1/query?query=up", "alertmanager": "/api/v2/silences",
    "victorialogs": "/select/logsql/query?query=*", "jaeger": "/api/services", "otlp-http": "/v1/traces",
    "collector-health": "/", "collector-metrics": "/metrics",
}  # fmt: skip
ORIGINS = (None, "own", "localhost", "http://evil.example", "https://evil.example", "null", "http://127.0.0.1:1", "")
HOSTS = ("own", "localhost", "evil.example", "127.0.0.1.evil.example", "127.0.0.2")
METHODS = ("GET", "POST", "OPTIONS", "PUT", "DELETE")
SILENCE = {
    "matchers": [{"name": "alertname", "value": "Watchdog", "isRegex": False, "isEqual": True}],
    "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "evil", "comment": "evil",
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("port", GATED)
def test_only_programs_and_own_pages_are_answered(stack, port, host, method):
    number = stack.ports[port]
    named = f"127.0.0.1:{number}" if host == "own" else f"{host}:{number}"
    for origin in ORIGINS:
        said = {"own": f"http://127.0.0.1:{number}", "localhost": f"http://localhost:{number}"}.get(
            origin or "", origin
        )
        headers = {"Host": named, **({} if said is None else {"Origin": said})}
        answer = requests.request(method, f"{stack.url(port)}{PATHS[port]}", headers=headers, timeout=30)
        foreign = host not in {"own", "localhost"} or (said is not None and said != f"http://{named}")
        assert (answer.status_code in {403, 421}) == foreign, (origin, answer.status_code, answer.text[:200])
        if foreign:
            assert "access-control-allow-origin" not in answer.headers


def silences(stack):
    return requests.get(f"{stack.url('alertmanager')}/api/v2/silences", timeout=30).json()


def test_a_page_silences_no_alert_and_writes_no_telemetry(stack):
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
        answer = requests.post(
            f"{stack.url('alertmanager')}/api/v2/silences", json=SILENCE, headers=headers, timeout=30
        )
        assert answer.status_code in {403, 421}
        answer = requests.post(f"{stack.url('otlp-http')}/v1/traces", json={}, headers=headers, timeout=30)
        assert answer.status_code in {403, 421}
    assert not [each for each in silences(stack) if each["createdBy"] == "evil"]
    assert requests.post(f"{stack.url('otlp-http')}/v1/traces", json={}, timeout=30).status_code == 200


WRITE = """async ([url, body]) => {
  for (const mode of ["cors", "no-cors"]) for (const type of ["application/json", "text/plain"])
    try {
      await fetch(url, { method: "POST", mode, headers: { "Content-Type": type }, body: JSON.stringify(body) });
    } catch { /* refused */ }
}"""
FOLLOW = "(url) => { const a = document.createElement('a'); a.href = url; document.body.append(a); a.click(); }"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A page of somebody else, at an origin of its own."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()


@pytest.mark.parametrize("port", GATED)
def test_a_real_browser_lets_a_page_read_nothing(stack, browser, elsewhere, port):
    page = browser.new_page()
    page.goto(elsewhere)
    ask = """async (url) => { try { const a = await fetch(url); return [a.status, (await a.text()).length]; }
                              catch (error) { return "refused"; } }"""
    assert page.evaluate(ask, f"{stack.url(port)}{PATHS[port]}") == "refused"
    page.close()


def test_a_real_browser_lets_a_page_silence_nothing(stack, browser, elsewhere):
    page = browser.new_page()
    page.goto(elsewhere)
    page.evaluate(WRITE, [f"{stack.url('alertmanager')}/api/v2/silences", SILENCE])
    page.close()
    assert not [each for each in silences(stack) if each["createdBy"] == "evil"]


@pytest.mark.parametrize("port", ["prometheus", "alertmanager"])
def test_links_lead_there_and_a_page_of_the_service_asks_its_own(stack, browser, elsewhere, port):
    """As the site of the runbooks leads to a query, and as Prometheus' page sends it: with its own origin."""
    page = browser.new_page()
    page.goto(elsewhere)
    with page.expect_navigation() as there:
        page.evaluate(FOLLOW, f"{stack.url(port)}/-/ready")
    assert there.value.status == 200
    ask = "async ([url, method]) => (await fetch(url, { method })).status"
    assert page.evaluate(ask, [PATHS[port], "GET"]) == 200
    asked = {"prometheus": "/api/v1/query?query=up", "alertmanager": "/-/reload"}[port]
    assert page.evaluate(ask, [asked, "POST"]) == 200
    page.close()


def test_services_listen_only_where_no_page_finds_them(stack):
    """Behind the gate they answer a foreign name too, so their address must be one that is not told to anybody."""
    inside = (stack.home / "stacks" / "local" / "run" / "inside").read_text()
    assert inside.startswith("127.")
    assert requests.get(f"http://{inside}:{stack.ports['prometheus']}/-/ready", timeout=30).status_code == 200
    for path in ("/api/v1/targets", "/api/v1/alertmanagers", "/metrics"):
        assert inside not in requests.get(f"{stack.url('prometheus')}{path}", timeout=30).text
