"""Records that must not be believed: incomplete, ambiguous, signed by another, resumed from a foreign file."""

import json
import stat
import subprocess

import pytest
from support.in_order import NOW, FakePlatform, context
from typer.testing import CliRunner

from runbooks import checklist
from runbooks.checklist import ChecklistError, Phase, Proof, Record, Status
from runbooks.signature import Namespace, SignatureError
from stacks import paths, signing
from stacks.checklist import kept
from stacks.cli.main import app

RUN = CliRunner()
ASKED = {"phase": "before", "stack": "prod", "environment": "prod", "release": "r1"}
RELEASE = """
release: r1
author: eve
golden_dataset: {dataset: gold-3, cases: 100, passed: 99, required_share: 0.9, ran_at: 2026-11-28T00:00:00Z, link: "%s"}
"""


def record(phase=Phase.BEFORE, **changed) -> Record:
    """All of the checklist, everything passed; sealed after the change, as a forger would."""
    results = [
        checklist.Result(
            key=item.key, title=item.title, section=item.section, owner=item.owner, automated=item.automated,
            status=Status.PASS, message="ok", at=NOW, took_s=0.1,
        )
        for item in checklist.items(phase)
    ]  # fmt: skip
    made = Record(
        phase=phase, stack="prod", environment="prod", release="r1", by="alice@example.com", made_at=NOW,
        window_start=0, window_end=1, evidence="", baseline="", results=results,
    )  # fmt: skip
    return checklist.sealed(made.model_copy(update=changed))


def verified(folder, text, *options):
    path = folder / "record.json"
    path.write_text(text)
    done = RUN.invoke(app, ["checklist", "verify", str(path), *map(str, options)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert isinstance(done.exception, ChecklistError | SignatureError)
        return str(done.exception)
    return done.output


@pytest.mark.parametrize("phase", Phase)
def test_a_whole_record_is_believed(tmp_path, phase):
    assert "is unchanged" in verified(tmp_path, record(phase).model_dump_json(indent=2))


ALL = record().results
OTHER = record(Phase.AFTER).results[0]


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "golden-dataset is missing; versions-pinned is missing; .* and 27 more"),
        (ALL[1:], "golden-dataset is missing"),
        (ALL[:-1], f"{ALL[-1].key} is missing"),
        ([*ALL, ALL[3]], f"{ALL[3].key} is there 2 times"),
        ([*ALL, OTHER], f"{OTHER.key} is not in the checklist"),
        ([*ALL[1:], ALL[0].model_copy(update={"title": "Nothing"})], "golden-dataset is described otherwise"),
        ([*ALL[1:], ALL[0].model_copy(update={"automated": True})], "golden-dataset is described otherwise"),
    ],
    ids=["empty", "first dropped", "last dropped", "twice", "of another phase", "another title", "asked of nobody"],
)
def test_a_record_that_is_not_the_checklist_is_refused(tmp_path, results, said):
    """Though its digest is right."""
    with pytest.raises(ChecklistError, match=said):
        checklist.check(record(results=results), "f")
    assert "does not hold the checklist before" in verified(tmp_path, record(results=results).model_dump_json())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('"results":', '"results": [], "results":', 1), "'results' stands there twice"),
        (lambda text: text.replace('"status":', '"status": "fail", "status":', 1), "'status' stands there twice"),
        (lambda text: text.replace('"phase":', '"phase": "after", "phase":', 1), "'phase' stands there twice"),
        (lambda text: text.replace('"phase":', '"note": "x", "phase":', 1), "note: Extra inputs"),
        (lambda text: text.replace('"status":', '"note": "x", "status":', 1), "results.0.note: Extra inputs"),
        (lambda text: text.replace('"fix": "",', "", 1), "a key is missing, or a value is odd"),
        (lambda text: text.replace('"took_s": 0.1', '"took_s": "0.1"', 1), "a key is missing, or a value is odd"),
        (lambda text: text.replace('"window_end": 1.0', '"window_end": NaN', 1), "NaN is no number"),
        (lambda text: text.replace('"proofs": []', '"proofs": [{"what":"x","link":"javascript:alert(1)"}]', 1), "odd"),
        (lambda text: "[" * 100_000 + text, "is no record of a checklist"),
        (lambda _: "[]", "is no record of a checklist"),
    ],
    ids=[
        "results twice", "status twice", "phase twice", "unknown key", "unknown key inside", "key left out",
        "text for a number", "NaN", "javascript", "deep", "list",
    ],
)  # fmt: skip
def test_a_record_that_can_be_read_in_two_ways_is_refused(tmp_path, change, said):
    text = record().model_dump_json(indent=2)
    assert change(text) != text
    assert said in verified(tmp_path, change(text))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("alice", "mallory"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    signers = folder / "signers"
    signers.write_text("".join(f"{n}@example.com {(folder / f'{n}.pub').read_text()}" for n in ("alice", "mallory")))
    return folder


@pytest.mark.parametrize("with_signers", [False, True])
def test_the_fingerprint_is_that_of_the_key_that_signed(tmp_path, keys, with_signers):
    """Mallory signs, and says that it was Alice's key, or Alice."""
    made, options = record(), ("--signers", keys / "signers") if with_signers else ()
    honest = signing.sign(made.digest, keys / "alice", "alice@example.com", Namespace.CHECKLIST)
    forged = signing.sign(made.digest, keys / "mallory", "mallory@example.com", Namespace.CHECKLIST)

    def said(signature):
        return verified(tmp_path, made.model_copy(update={"signature": signature}).model_dump_json(), *options)

    assert f"the key {honest.fingerprint}" in said(honest)
    assert f"and {forged.fingerprint} did" in said(forged.model_copy(update={"fingerprint": honest.fingerprint}))
    assert f"and {forged.fingerprint} did" in said(forged.model_copy(update={"fingerprint": "<alice>"}))
    as_alice = said(forged.model_copy(update={"by": "alice@example.com", "fingerprint": honest.fingerprint}))
    assert "is unchanged" not in as_alice


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(document.domain)",
        "JAVASCRIPT:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "//e.example",
        "https://e.example/ x",
    ],
)
def test_only_an_address_of_the_web_is_a_link(link):
    evidence = checklist.parse_evidence(RELEASE % link, "f", "r1")
    assert "begins with https://" in evidence.problems["golden_dataset"]
    assert Proof(what="x", link=link).link == ""
    forged = Proof.model_construct(what="x", value="", query="", link=link)
    page = checklist.html(record(results=[ALL[0].model_copy(update={"proofs": [forged]})]))
    assert "<a " not in page
    good = checklist.parse_evidence(RELEASE % "https://ci.example/run/1", "f", "r1")
    assert "golden_dataset" in good.sections


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home" / "checklists"


def test_what_was_found_is_kept_for_that_question_alone(state):
    kept.save(ASKED, ALL)
    assert kept.load(ASKED) == ALL
    for key in ASKED:
        assert kept.load(ASKED | {key: "other"}) == []
    assert kept.load(ASKED | {"environment": "../../x"}) == []
    # Under the name of another question too.
    kept.file(ASKED).replace(kept.file(ASKED | {"release": "r2"}))
    assert kept.load(ASKED | {"release": "r2"}) == []
    assert {path.parent for path in state.iterdir()} == {state}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("fail", "pass"),
        lambda text: text.replace('"seal": "', '"seal": "0'),
        lambda text: json.dumps(json.loads(text)["results"]),
        lambda _: "",
        lambda _: '{"seal": "é", "results": []}',
        lambda text: text[: len(text) // 2],
    ],
)
def test_a_file_that_this_computer_did_not_write_proves_nothing(state, change):
    kept.save(ASKED, [each.model_copy(update={"status": Status.FAIL}) for each in ALL])
    text = kept.file(ASKED).read_text()
    kept.file(ASKED).write_text(change(text))
    assert kept.load(ASKED) == []
    assert state.exists()


def test_another_computers_file_proves_nothing(state, tmp_path, monkeypatch):
    kept.save(ASKED, ALL)
    text = kept.file(ASKED).read_text()
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "other"))
    kept.save(ASKED, [])
    kept.file(ASKED).write_text(text)
    assert kept.load(ASKED) == []
    assert state.exists()


def test_what_is_kept_nobody_else_reads(state):
    kept.save(ASKED, ALL)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}


def test_a_result_that_describes_another_item_is_asked_again():
    items = checklist.items(Phase.BEFORE)
    none = checklist.no_evidence("none")
    first = [r.model_copy(update={"at": NOW}) for r in checklist.run(items, context(FakePlatform(), none))]
    passed = next(result for result in first if result.status is Status.PASS)
    odd = [r.model_copy(update={"title": "x", "message": "forged"}) if r is passed else r for r in first]
    again = {result.key: result for result in checklist.run(items, context(FakePlatform(), none), before=odd)}
    assert again[passed.key].title == passed.title
    assert again[passed.key].message != "forged"
