"""What a dataset may not be, one row each: file, line and fix are named, and nothing is run."""

import datetime as dt
import json
import random
import re

import pytest

from agentobs import canonical
from delivery.golden import criteria, dataset, freezing, starting, tape
from delivery.golden.errors import GoldenError
from delivery.golden.example import Example
from delivery.golden.observed import Observation, ToolCall

CASE = {
    "id": "one",
    "input": {"text": "hello"},
    "expected_behavior": "greets",
    "tools_allowed": ["lookup"],
    "success_criteria": {"outcome": "success"},
    "agent_path_expected": ["planner"],
}
SURFACE = tape.Surface(name="orders", version="1", tools=({"name": "lookup", "inputSchema": {"type": "object"}},))
TAPE = tape.Tape(
    servers={"orders": tape.written(SURFACE)[0]},
    calls=(tape.Call(server="orders", tool="lookup", arguments={"id": 1}, result={"content": []}),),
)
NAMED = {**CASE, "tape": tape.written(TAPE)[0]}


def written(folder, *cases, raw=None):
    folder.mkdir(exist_ok=True)
    content = raw if raw is not None else "".join(json.dumps(case) + "\n" for case in cases).encode()
    (folder / "cases.jsonl").write_bytes(content)
    (folder / "tapes").mkdir(exist_ok=True)
    for each in (TAPE, SURFACE):
        name, text = tape.written(each)
        (folder / "tapes" / f"{name}.json").write_bytes(text)
    return folder


def lacking(key):
    return {name: value for name, value in CASE.items() if name != key}


def line(case):
    return json.dumps(case).encode()


BAD = {
    "a broken line": (line(CASE) + b'\n{"id": "two",\n', ":2", "one whole JSON object"),
    "the same id twice": (line(CASE) + b"\n" + line(CASE), ":2", "stands in line 1 too"),
    **{f"no {key}": (line(lacking(key)), ":1", f"{key} is missing") for key in [*CASE][1:]},
    "an unknown key": (line({**CASE, "tool_allowed": []}), ":1", "did you mean 'tools_allowed'"),
    "an unknown key inside": (line({**CASE, "success_criteria": {"outcom": 1}}), ":1", "did you mean 'outcome'"),
    "a misspelled key among many that are missing": (b'{"id": "x", "inputt": 1}', ":1", "did you mean 'input'"),
    "a key twice": (line(CASE)[:-1] + b', "id": "two"}', ":1", "'id' stands twice"),
    "NaN": (line(CASE).replace(b'"hello"', b"NaN"), ":1", "NaN is no JSON"),
    "infinity": (line(CASE).replace(b'"hello"', b"-Infinity"), ":1", "-Infinity is no JSON"),
    "an integer beyond 2^53": (line(CASE).replace(b'"hello"', b"9007199254740993"), ":1", "write it as text"),
    "half a surrogate pair": (line(CASE).replace(b"hello", b"\\ud800"), ":1", "hex escape"),
    "an id that is a path": (line({**CASE, "id": "../one"}), ":1", "id"),
    "a tape that is a path": (line({**CASE, "tape": "../../etc/passwd"}), ":1", "tape"),
    "a tape that is not there": (line({**CASE, "tape": "0" * 64}), "0" * 64, "record the case again"),
    "an expected tool that is not allowed": (
        line({**CASE, "success_criteria": {"tools": [{"name": "refund"}]}}), ":1", "add it to tools_allowed",
    ),
    "criteria that say nothing": (line({**CASE, "success_criteria": {}}), ":1", "at least one criterion"),
    "text for a number": (line({**CASE, "success_criteria": {"violations": "0"}}), ":1", "violations"),
    "no case at all": (b"\n\n", "cases.jsonl", "holds no case"),
    "no UTF-8": (line(CASE).replace(b"hello", b"\xff\xfe"), "cases.jsonl", "no UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_dataset_that_is_wrong_is_refused_with_its_line_and_a_fix(kind, tmp_path):
    raw, where, told = BAD[kind]
    with pytest.raises(GoldenError) as refused:
        dataset.load(written(tmp_path / "desk", raw=raw))
    assert where in str(refused.value)
    assert told in str(refused.value)
    assert "fix:" in str(refused.value)


@pytest.mark.parametrize("change", [lambda raw: b"\xef\xbb\xbf" + raw, lambda raw: raw.replace(b"\n", b"\r\n"),
                                    lambda raw: raw.replace(b'": ', b'":   ')])  # fmt: skip
def test_how_a_file_is_saved_is_not_its_content(change, tmp_path):
    raw = line(NAMED) + b"\n"
    plain, other = written(tmp_path / "a", raw=raw), written(tmp_path / "b", raw=change(raw))
    assert dataset.load(plain).digest == dataset.load(other).digest


def test_two_spellings_of_a_letter_are_one_content(tmp_path):
    composed, combined = ({**CASE, "expected_behavior": text} for text in ("caf\u00e9", "cafe\u0301"))
    texts = [json.dumps(case, ensure_ascii=False).encode() for case in (composed, combined)]
    digests = {dataset.load(written(tmp_path / str(i), raw=text)).digest for i, text in enumerate(texts)}
    assert len(digests) == 1


def frozen(folder):
    return freezing.freeze(
        dataset.draft(folder), version="1", reason="first", by="ada", at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )


def meaning_of(content):
    try:
        return canonical.digest(json.loads(content))
    except ValueError:
        return "none"


def is_found(folder):
    try:
        return not dataset.load(folder).frozen
    except GoldenError as error:
        return str(folder) in str(error)


def test_a_changed_byte_is_found_wherever_it_lies(tmp_path):
    folder = written(tmp_path / "desk", NAMED)
    frozen(folder)
    rng = random.Random(1)
    for path in [folder / "cases.jsonl", *sorted((folder / "tapes").iterdir())]:
        content = path.read_bytes()
        for _ in range(40):
            at = rng.randrange(len(content))
            changed = content[:at] + bytes([content[at] ^ 1 << rng.randrange(7)]) + content[at + 1 :]
            path.write_bytes(changed)
            says_the_same = meaning_of(changed) == meaning_of(content)  # white space, nothing else
            assert is_found(folder) != says_the_same
        path.write_bytes(content)
    assert dataset.load(folder).frozen


def test_a_frozen_dataset_that_changed_is_not_run_and_diff_is_named(tmp_path):
    folder = written(tmp_path / "desk", CASE)
    frozen(folder)
    written(folder, {**CASE, "expected_behavior": "waves"}, {**CASE, "id": "two"})
    with pytest.raises(GoldenError, match="agentobs golden diff"):
        dataset.load(folder)
    made = dataset.draft(folder)
    assert freezing.difference(made.lock.cases, freezing.digests(made)) == freezing.Difference(("two",), (), ("one",))
    with pytest.raises(GoldenError, match="another --version"):
        frozen(folder)


@pytest.mark.parametrize("linked", ["cases.jsonl", "tapes", f"tapes/{NAMED['tape']}.json"])
def test_a_link_is_no_part_of_a_dataset(linked, tmp_path):
    folder = written(tmp_path / "desk", NAMED)
    (folder / linked).rename(tmp_path / "elsewhere")
    (folder / linked).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GoldenError, match="is a link"):
        dataset.load(folder)


@pytest.mark.parametrize(
    "text",
    [
        "mail ada@example.org",
        "token ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "call +49 170 1234567",
        "IBAN DE89370400440532013000",
    ],
)
@pytest.mark.parametrize("place", ["input", "tape"])
def test_secrets_and_personal_data_are_not_frozen_and_not_repeated(text, place, tmp_path):
    told = TAPE.model_copy(update={"calls": (TAPE.calls[0].model_copy(update={"arguments": {"q": text}}),)})
    case = {**CASE, "input": text} if place == "input" else {**CASE, "tape": tape.written(told)[0]}
    folder = written(tmp_path / "desk", case)
    name, content = tape.written(told)
    (folder / "tapes" / f"{name}.json").write_bytes(content)
    with pytest.raises(GoldenError) as refused:
        frozen(folder)
    assert "cases.jsonl:1" in str(refused.value)
    assert text.split(" ", 1)[1] not in str(refused.value)
    assert not (folder / "lock.json").exists()


def test_a_case_of_production_is_frozen_once_somebody_approved_it(tmp_path):
    folder = written(tmp_path / "desk", {**CASE, "provenance": {"source": "production"}})
    with pytest.raises(GoldenError, match="approved_by"):
        frozen(folder)
    assert frozen(written(folder, {**CASE, "provenance": {"source": "production", "approved_by": "ada"}})).cases


def test_what_may_be_a_slip_of_the_pen_is_warned_of(tmp_path):
    cases = [{**CASE, "id": f"c{number}"} for number in range(59)] + [{**NAMED, "agent_path_expected": ["plannner"]}]
    folder = written(tmp_path / "desk", *cases)
    frozen(folder)
    (told,) = starting.warnings(dataset.load(folder))
    assert "cases.jsonl:60" in told
    assert "'plannner'" in told
    written(folder, {**NAMED, "tools_allowed": ["lookup", "lookupp"]})
    told = [*starting.warnings(dataset.draft(folder))]
    assert any("no server on tape offers lookupp" in each for each in told)


def test_quarantine_ends_by_itself_and_nothing_left_is_not_green(tmp_path):
    case = {**CASE, "quarantine": {"reason": "flaky", "until": "2026-06-01"}}
    found = dataset.load(written(tmp_path / "desk", case))
    assert len(found.counted(dt.date(2026, 6, 1))) == 1
    with pytest.raises(GoldenError, match="nothing would be tested"):
        found.counted(dt.date(2026, 5, 31))


def wanted(**criteria_):
    case = {**CASE, "agent_path_expected": ["router", "planner", "critic"], "tools_allowed": ["lookup", "search"]}
    return Example.model_validate_json(json.dumps({**case, "success_criteria": criteria_}))


def failed(example, **seen):
    made = {"outcome": "success", "path": (("router",), ("planner",), ("critic",)), **seen}
    return {check.name for check in criteria.score(example, Observation(**made)) if not check.passed}


def path(*steps):
    return tuple((step,) if isinstance(step, str) else step for step in steps)


@pytest.mark.parametrize(
    ("mode", "right", "wrong"),
    [
        ("exact", path("router", "planner", "critic"), path("planner", "router", "critic")),
        ("exact", path(("planner", "router"), "critic"), path("router", ("critic", "critic"))),
        ("exact", path("router", ("critic", "planner")), path("router", "planner")),
        ("in_order", path("router", "helper", "planner", "critic"), path("critic", "planner", "router")),
        ("any_order", path("critic", "planner", "router"), path("critic", "planner", "router", "router")),
        ("subset", path("router", "router"), path("router", "helper")),
        ("superset", path("critic", "helper", "planner", "router"), path("router", "planner")),
    ],
)
def test_each_mode_of_a_path_takes_what_it_says(mode, right, wrong):
    example = wanted(path={"mode": mode})
    assert failed(example, path=right) == set()
    assert failed(example, path=wrong) == {"path"}
    assert failed(wanted(path={"mode": "off"}), path=wrong) == set()


def calls(*arguments):
    return tuple(ToolCall("lookup", each) for each in arguments)


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        ({"args": {"id": 2}}, calls({"id": 2.0}), calls({"id": 3})),
        ({"args": {"id": 2, "at": 0}, "ignore": ["/at"]}, calls({"id": 2, "at": 9}), calls({"id": 3, "at": 0})),
        ({"args": {"id": 2}, "match": "superset"}, calls({"id": 2, "more": 1}), calls({"more": 1})),
        ({"args": {"id": 2, "more": 1}, "match": "subset"}, calls({"id": 2}), calls({"id": 2, "other": 1})),
        ({"args": {"required": ["id"]}, "match": "schema"}, calls({"id": 7}), calls({})),
        ({"max": 1}, calls({}), calls({}, {})),
        ({"min": 0, "max": 0}, (), calls({})),
        ({}, (ToolCall("lookup"), ToolCall("lookup", attempt=1)), (ToolCall("lookup", attempt=1),)),
    ],
)  # fmt: skip
def test_each_rule_about_a_tool_takes_what_it_says(rule, right, wrong):
    example = wanted(tools=[{"name": "lookup", **rule}])
    assert failed(example, tools=right) == set()
    assert failed(example, tools=wrong) == {"tool.lookup"}


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        ({"equals": {"a": [1]}}, {"a": [1]}, {"a": [2]}),
        ({"contains": ["42"]}, "it is 42", "verdict: pass"),
        ({"absent": ["sorry"]}, "done", "sorry"),
        ({"regex": r"^R\d+$"}, "R17", "17"),
        ({"schema": {"required": ["id"]}}, '{"id": 1}', "{}"),
        ({"number": {"equals": 41.9, "tolerance": 0.1}}, "about 42 EUR", "about 43 EUR"),
        ({"regex": r"(a+)+$"}, "aaa", "a" * 40 + "b"),  # would take years
        ({"regex": "x"}, "x", "y" * 10_000_000),
    ],
)
def test_each_rule_about_an_answer_takes_what_it_says_and_ends(rule, right, wrong):
    example = wanted(answer=rule)
    assert failed(example, answer=right) == set()
    assert failed(example, answer=wrong) == {f"answer.{next(iter(rule))}"}


@pytest.mark.parametrize("limit", ["cost_usd", "tokens", "model_calls", "retries"])
def test_a_limit_is_the_most_that_a_run_may_use(limit):
    assert failed(wanted(limits={limit: 5}), **{limit: 5}) == set()
    assert failed(wanted(limits={limit: 5}), **{limit: 6}) == {f"limit.{limit}"}


def test_what_is_never_acceptable_is_told_apart():
    bad = Observation(outcome="success", path=path("router", "planner", "critic"), violations=("pii",),
                      tools=(ToolCall("delete"),))  # fmt: skip
    hard = {check.name for check in criteria.score(wanted(outcome="success"), bad) if check.hard and not check.passed}
    assert hard == {"tools_allowed", "violations"}
    assert failed(wanted(violations=1), violations=("pii",)) == set()


def test_a_run_that_may_not_be_judged_does_not_pass():
    assert failed(wanted(path={"mode": "off"}), invalid="no telemetry") == {"valid"}


def test_a_path_that_differs_says_where():
    found = criteria.score(wanted(outcome="success"), Observation(outcome="success", path=path("router", "critic")))
    check = next(each for each in found if each.name == "path")
    assert (check.step, check.got) == (2, "router > critic")
    assert re.search("router > planner > critic", check.expected)
