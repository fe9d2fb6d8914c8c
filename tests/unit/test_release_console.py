"""The console: who may look and press, what a press is bound to, and that foreign text stays text."""

import re
import threading
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
import requests
from support.browser import browser
from support.canaries import plan
from support.console import PAGE, PEER, Person, two_revisions
from support.controlled import in_thread
from support.delivered import ENVIRONMENT, Desk, release, request

from alerts.statistics import Outcomes
from delivery.controller.journal import Journal
from delivery.controller.looks import Look, Looks
from delivery.environments.operations import Freeze, Kill, LockOut, Start, Target
from delivery.environments.state import Lock
from delivery.releases import Dim
from delivery.rollout import Action, Decision, Effect, Finding, Standing, begin
from delivery.store import FileBlobs

BACK = f"{PAGE}/preview?kind=rollback&dimension=prompt&agent=planner&to=12&expect=13"
KILL = f"{PAGE}/preview?kind=kill&agent=planner"
HOSTILE = "<script>alert(1)</script>\u202e\"'&\x1b[2J"


@pytest.fixture
def desk(tmp_path):
    return two_revisions(tmp_path)


@pytest.fixture
def controlled(tmp_path, desk):  # noqa: ARG001 its store
    with in_thread(tmp_path) as controlled:
        yield controlled


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """A controller over two revisions that is asked for what it refuses, and looked at, by many tests."""
    folder = tmp_path_factory.mktemp("unchanged")
    desk = two_revisions(folder)
    with in_thread(folder) as controlled:
        yield controlled
    assert desk.head.revision == 2


@pytest.fixture
def bea(unchanged):
    """Somebody who is signed in there."""
    return Person(unchanged).signed_in(unchanged.token)


@pytest.fixture
def ada(controlled):
    return Person(controlled).signed_in(controlled.token)


def test_looking_and_pressing_takes_one_dimension_back(ada, desk):
    shown = ada.get(BACK).text
    assert "planner: prompt 13 -&gt; 12" in shown
    assert "agentobs release rollback planner --dimension prompt --to 12 --expect 13 -e prod" in shown
    pressed = ada.press(BACK)
    assert (pressed.status_code, pressed.headers["location"]) == (303, f"{PAGE}?done=3")
    done = desk.head.operation
    assert (desk.running.agents["planner"].prompt.version, done.via, done.reason) == ("12", "console", "it got worse")


def test_pressed_twice_it_is_done_once(ada, desk):
    shown = ada.get(BACK).text
    assert [ada.press(BACK, seen=shown).status_code for _ in range(2)] == [303, 409]
    kill = f"{PAGE}/preview?kind=kill&agent=executor"
    shown, statuses = ada.get(kill).text, []
    pressing = [
        threading.Thread(target=lambda: statuses.append(ada.press(kill, seen=shown).status_code)) for _ in range(8)
    ]
    for each in pressing:
        each.start()
    for each in pressing:
        each.join(timeout=30)
    assert sorted(statuses) == [303] + [409] * 7
    assert desk.head.revision == 4


def test_what_was_seen_is_not_there_any_more_so_nothing_is_done(ada, desk):
    shown = ada.get(BACK).text
    desk.do(Freeze(request=request("somebody else")))
    answer = ada.press(BACK, seen=shown)
    assert (answer.status_code, desk.head.revision) == (409, 3)
    assert "Revision 2, which you saw" in answer.text


@pytest.mark.parametrize(
    ("headers", "changed", "status"),
    [
        ({}, {}, 403),
        ({"Origin": "http://evil.example"}, {}, 403),
        ({"Origin": "null"}, {}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, {}, 403),
        ({"Sec-Fetch-Site": "same-site"}, {}, 403),
        ({"Sec-Fetch-Site": "none"}, {}, 403),
        (None, {"token": ""}, 403),
        (None, {"token": "0" * 64}, 403),
        (None, {"revision": "1"}, 403),
        (None, {"revision": "x"}, 403),
        (None, {"reason": "  "}, 400),
        (None, {"reason": "x" * 2001}, 400),
        (None, {"reason": "x" * 20_000}, 413),
    ],
)
def test_a_press_from_elsewhere_or_without_its_confirmation_does_nothing(bea, headers, changed, status):
    assert bea.press(BACK, headers=headers, **changed).status_code == status


@pytest.mark.parametrize(
    ("local", "origin", "status"),
    [
        (True, "http://localhost:{port}", 303),
        (True, "http://127.0.0.1:{port}", 303),
        (True, "https://releases.example.com", 303),
        (False, "https://releases.example.com", 303),
        (False, "http://127.0.0.1:{port}", 403),
        (True, "http://127.0.0.1:1", 403),
    ],
)
@pytest.mark.usefixtures("desk")
def test_a_form_comes_from_the_address_that_people_see_or_the_one_that_they_used(tmp_path, *, local, origin, status):
    with in_thread(
        tmp_path, {**({} if local else PEER), "AGENTOBS_CONTROLLER_ORIGIN": "https://releases.example.com"}
    ) as c:
        port = c.url.rpartition(":")[2]
        c.url = c.url.replace("127.0.0.1", "localhost") if "localhost" in origin else c.url
        person = Person(
            c, **({"Authorization": f"Bearer {c.token}"} if local else {"X-Forwarded-User": "bob@example.com"})
        )
        assert person.press(KILL, headers={"Origin": origin.format(port=port)}).status_code == status


def test_a_confirmation_is_for_one_target_and_one_person(controlled, ada, desk):
    shown = ada.get(BACK).text
    other = BACK.replace("to=12", "to=13").replace("planner", "executor")
    assert ada.press(other, seen=shown).status_code == 403
    assert ada.press(f"{BACK}&all=true", seen=shown).status_code == 403
    stranger = Person(controlled)
    assert stranger.press(BACK, seen=shown).status_code == 401
    assert desk.head.revision == 2


def test_the_token_of_this_computer_opens_and_nothing_else_does(unchanged):
    assert Person(unchanged).get(PAGE).status_code == 401
    assert Person(unchanged).signed_in("wrong").answer.status_code == 401
    ada = Person(unchanged).signed_in(unchanged.token)
    cookie = ada.answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert unchanged.token not in cookie
    assert ada.get(PAGE).status_code == 200
    assert Person(unchanged, Cookie=f"agentobs_console={'0' * 64}").get(PAGE).status_code == 401


def test_a_link_of_an_alert_leads_to_its_preview_after_signing_in(unchanged):
    person = Person(unchanged, **{"Sec-Fetch-Site": "cross-site"})
    asked = person.get(BACK)
    assert asked.status_code == 401
    assert f'href="{BACK.replace("&", "&amp;")}">Go on' in asked.text
    (wanted,) = re.findall(r'name="to" value="([^"]*)"', asked.text)
    sent = {"token": unchanged.token, "to": unescape(wanted)}
    own = {"Origin": unchanged.url, "Sec-Fetch-Site": "same-origin"}
    answer = requests.post(f"{unchanged.url}/sign-in", data=sent, headers=own, timeout=20, allow_redirects=False)
    assert answer.headers["location"] == BACK


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "/x\r\nSet-Cookie: a=b", ""]
)
def test_signing_in_leads_to_no_other_place(unchanged, to):
    own = {"Origin": unchanged.url}
    answer = unchanged.post("/sign-in", data={"token": unchanged.token, "to": to}, headers=own, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "path", ["/", PAGE, f"{PAGE}/history", "/sign-in", "/console.css", "/v1/operations", "/nowhere"]
)
def test_every_answer_has_its_protections(bea, path):
    headers = bea.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers
    assert "server" not in headers
    if path != "/console.css":
        assert headers["cache-control"] == "no-store"


def test_behind_tls_the_browser_is_told_to_stay_there(tmp_path):
    with in_thread(tmp_path, {"AGENTOBS_CONTROLLER_ORIGIN": "https://releases.example.com"}) as controlled:
        assert "max-age" in controlled.get("/healthz").headers["strict-transport-security"]
        own = {"Origin": "https://releases.example.com"}
        answer = controlled.post("/sign-in", data={"token": controlled.token}, headers=own, allow_redirects=False)
        assert "Secure" in answer.headers["set-cookie"]


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """An environment where everything that may be any text is hostile, with a canary that has numbers."""
    folder = tmp_path_factory.mktemp("foreign")
    desk = Desk(folder / "store")
    desk.promote(release(planner="12"))
    desk.promote(release(planner="13", name="support-2"))
    mark = request(HOSTILE).mark
    desk.do(Kill(request=request(HOSTILE, by=HOSTILE), target=Target(agent="planner")))
    desk.do(LockOut(request=request(HOSTILE), lock=Lock(dimension=Dim.PROMPT, version="9", agent="planner", mark=mark)))
    made = release(executor="5", name="support-3").model_copy(update={"author": HOSTILE})
    added = desk.store.add_release(made, {"p": "You are the executor, revision 5.", "x": HOSTILE})
    desk.do(Start(request=request(HOSTILE), release=added, share=500))
    looks = Looks(Journal(FileBlobs(folder / "store")), ENVIRONMENT)
    for number in range(4):
        looks.keep(look(number, HOSTILE))
    with in_thread(folder) as controlled:
        yield controlled, desk


@pytest.fixture
def reader(foreign):
    """Somebody who is signed in there."""
    controlled, _ = foreign
    return Person(controlled).signed_in(controlled.token)


def look(number, reason):
    made = plan(id="c5")
    finding = Finding(
        key="task_success", effect=Effect.ROLL_BACK, standing=Standing.OPEN, stable=Outcomes(4, 100),
        canary=Outcomes(number, 10), design_effect=1, e_value=10.0**number, needed=600, bound=0.2, tolerance=0.05,
    )  # fmt: skip
    decision = Decision(action=Action.HOLD, share=500, reasons=(reason,), findings=(finding,))
    state = begin(made, 100 * (number + 1))
    return Look(split="c5", revision=5, age_s=60.0 * number, at="2026-12-01T10:00:00Z", state=state, decision=decision)


PAGES = [
    "/", PAGE, f"{PAGE}/history", f"{PAGE}/revisions/3", f"{PAGE}/canaries/c5", BACK, KILL,
    f"{PAGE}/preview?kind=unlock&dimension=prompt&version=9&agent=planner", "/diff",
    f"/environments/{quote(HOSTILE, safe='')}", f"{PAGE}/canaries/{quote(HOSTILE, safe='')}",
    f"{PAGE}/preview?kind={quote(HOSTILE)}", f"/diff?from={quote(HOSTILE)}&to=x",
    f"{PAGE}/history?before={quote(HOSTILE)}",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_foreign_text_is_text_on_every_page(reader, path):
    answer = reader.get(path)
    tags = _Tags()
    tags.feed(answer.text)
    assert answer.status_code < 500
    assert not {tag for tag, _ in tags.found} & {"script", "iframe", "object", "embed", "base"}
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search("[\u202a-\u202e\x1b]", answer.text)


def test_a_canary_shows_its_numbers_and_its_course(reader):
    text = reader.get(f"{PAGE}/canaries/c5").text
    tags = _Tags()
    tags.feed(text)
    (line,) = [attributes for tag, attributes in tags.found if tag == "polyline"]
    points = [tuple(map(float, point.split(","))) for point in line["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert len(points) == 4
    for told in ("3 of 10", "4 of 100", "1e+03", "1 %", "4 %"):
        assert told in text


def test_what_runs_is_told_for_each_agent_and_dimension(reader, foreign):
    _, desk = foreign
    desk.roll_back(Dim.PROMPT, "12", "planner", expect="13")
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", reader.get(PAGE).text)).split())
    for told in (
        "planner stopped", "12 taken back from 13", "canary: 5", "search", "3.0.0", "gpt-4.1", "prompt 13 of planner",
        "Graph 7 support",
    ):  # fmt: skip
        assert told in text


def test_two_releases_are_compared_with_their_texts(ada, desk):
    one, two = (desk.store.revision(ENVIRONMENT, number).stable.release for number in (1, 2))
    text = unescape(ada.get(f"/diff?from={one}&to={two}").text)
    assert "planner: prompt 12 -> 13" in text
    assert "-You are the planner, revision 12." in text
    assert "+You are the planner, revision 13." in text


@pytest.mark.parametrize(
    "words",
    ["", "kind=explode", "kind=kill", "kind=kill&agent=a&agent=b", "kind=start&release=000000000000&percent=0",
     "kind=start&release=000000000000&percent=nan", "kind=start&release=000000000000&percent=0.005",
     "kind=start&release=000000000000&percent=101", "&".join(f"a{n}=1" for n in range(50))],
)  # fmt: skip
def test_an_address_that_is_no_operation_says_so(bea, words):
    assert bea.get(f"{PAGE}/preview?{words}").status_code in {400, 404}


def test_on_a_full_disk_nothing_is_changed_and_the_page_says_so(ada, desk, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    shown = ada.get(BACK).text
    with monkeypatch.context() as patched:
        patched.setattr("delivery.store.files._write", full)
        answer = ada.press(BACK, seen=shown)
    assert (answer.status_code, "No space left" in answer.text) == (503, True)
    assert desk.head.revision == 2
    assert ada.press(BACK, seen=shown).status_code == 303


STOP = f"{PAGE}/preview?kind=kill&agent=executor"
SEEN = [PAGE, f"{PAGE}/history", f"{PAGE}/revisions/2", f"{PAGE}/canaries/c5", STOP, "/diff"]


def test_a_real_browser_without_script_shows_every_page_on_a_telephone_and_presses_the_button(foreign):
    controlled, desk = foreign
    with browser() as opened:
        context = opened.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{controlled.url}{PAGE}")
        page.fill("input[name=token]", controlled.token)
        page.click("button.go")
        for path in SEEN:
            page.goto(f"{controlled.url}{path}")
            wide = page.locator("main, header, .tabs").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().right)"
            )
            assert max(wide) <= 390, path
        page.goto(f"{controlled.url}{STOP}")
        page.fill("textarea", "it got worse")
        page.click("form.confirm button")
        assert page.locator("[role=status]").inner_text().startswith(f"Done: revision {desk.head.revision}.")
        context.close()
    # The first page asks who it is; nothing else is blocked, missing or wrong.
    assert [each for each in complaints if "401" not in each] == []
    assert "executor" in desk.head.killed.agents
