"""Records: resumed where they stopped, sealed, signed with a real SSH key, rendered without a way out of the text."""

import json
import re
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
from support.in_order import NOW, FakePlatform, StoreDownError, context
from typer.testing import CliRunner

from runbooks import checklist
from runbooks.checklist import ChecklistError, Phase, Record, Status
from runbooks.checklist.platform import Backend, Sent
from runbooks.signature import Namespace, SignatureError
from stacks import signing
from stacks.cli.main import app

RUN = CliRunner()
ITEMS = checklist.items(Phase.BEFORE)
EVIL = "</td><script>alert(1)</script> | [x](javascript:alert(2)) `"
NONE = checklist.no_evidence("no evidence file was named")


def looked(platform=None, **rest):
    return checklist.run(ITEMS, context(platform or FakePlatform(), NONE), **rest)


def stamped(results, age_s=0.0, **changed):
    """As if looked at so long before the context's now."""
    return [result.model_copy(update={"at": NOW - age_s, **changed}) for result in results]


def record(platform=None) -> Record:
    return checklist.sealed(
        Record(
            phase=Phase.BEFORE, stack="prod", environment="prod", release="r1", by="ada", made_at=NOW,
            window_start=NOW - 60, window_end=NOW, evidence="", baseline="june", results=looked(platform),
        )
    )  # fmt: skip


def test_a_second_run_looks_only_at_what_did_not_pass():
    broken = FakePlatform(sent=Sent(receivers=("show",), took_s=60, message="nobody took it"))
    first, kept = stamped(looked(broken)), []
    mended = FakePlatform()
    looked(mended, before=first, tell=lambda item, _result, stands: kept.append((item.key, stands)))
    again = {key for key, stands in kept if not stands}
    assert again == {"delivery"} | {item.key for item in ITEMS if item.reads == "evidence"}
    assert len(mended.probes) == 1


def test_what_passed_an_hour_ago_or_rests_on_another_file_is_looked_at_again():
    first = looked()
    passed = {result.key for result in first if result.status is Status.PASS}
    for before, inputs in ((stamped(first, 3700), {}), (stamped(first), {"": "other"})):
        again = set()
        looked(before=before, inputs=inputs, tell=lambda item, _r, stands, seen=again: stands or seen.add(item.key))
        assert again >= passed - {"baseline-recorded"}


def test_an_interrupted_run_keeps_what_it_found():
    told = []

    class Pulled(FakePlatform):
        def drift(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        looked(Pulled(), tell=lambda _item, result, _stands: told.append(result))
    assert "backends-ready" in {result.key for result in told}
    results = looked(before=stamped(told))
    assert [result.key for result in results] == [item.key for item in ITEMS]


def test_an_error_that_nobody_declared_ends_the_run():
    with pytest.raises(ZeroDivisionError):
        looked(FakePlatform(drift_=ZeroDivisionError()))


def test_the_verdict_is_the_worst_of_the_items():
    good = [result for result in looked() if result.status is Status.PASS]
    down = looked(FakePlatform(drift_=StoreDownError("away")))
    unjudged = [result for result in down if result.status is Status.UNJUDGED]
    failed = [result for result in looked() if result.status is Status.FAIL]
    base = record()
    for results, wanted in (
        (good, Status.PASS),
        ([*good, *unjudged], Status.UNJUDGED),
        ([*unjudged, *failed], Status.FAIL),
    ):
        assert base.model_copy(update={"results": results}).verdict is wanted


def test_any_change_of_a_record_is_noticed():
    made = record()
    checklist.check(made, "f")
    for changed in ({"release": "r2"}, {"by": "eve"}, {"made_at": NOW + 1}, {"results": made.results[1:]}):
        with pytest.raises(ChecklistError, match="was changed after it was made"):
            checklist.check(made.model_copy(update=changed), "f")


def test_a_record_survives_its_file_and_another_file_is_refused():
    made = record()
    assert checklist.parse(made.model_dump_json(indent=2), "f") == made
    checklist.check(checklist.parse(made.model_dump_json(indent=2), "f"), "f")
    with pytest.raises(ChecklistError, match="f is no record of a checklist: phase"):
        checklist.parse("{}", "f")


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(path)], check=True)
    public = path.with_suffix(".pub").read_text()
    return SimpleNamespace(path=path, public=public)


def test_a_signature_holds_for_its_digest_its_signer_and_no_other(key, tmp_path):
    made = record()
    signature = signing.sign(made.digest, key.path, "ada", Namespace.CHECKLIST)
    assert signature.fingerprint.startswith("SHA256:")
    assert "signers FILE tells whose" in signing.verify(made.digest, signature, None, Namespace.CHECKLIST)
    signers = tmp_path / "signers"
    signers.write_text(f"ada {key.public}")
    assert "signed by ada" in signing.verify(made.digest, signature, signers, Namespace.CHECKLIST)
    for digest, said, trusted in (
        ("0" * 64, signature, None),
        ("0" * 64, signature, signers),
        (made.digest, signature.model_copy(update={"by": "eve"}), signers),
    ):
        with pytest.raises(SignatureError, match="the signature"):
            signing.verify(digest, said, trusted, Namespace.CHECKLIST)


def test_a_key_that_is_not_there_is_one_error_with_the_fix(tmp_path):
    with pytest.raises(SignatureError, match=r"there is no key .* fix: --key"):
        signing.sign("0" * 64, tmp_path / "none", "ada", Namespace.CHECKLIST)


def written(folder, made: Record):
    pages = {
        "before.json": made.model_dump_json(indent=2),
        "before.md": checklist.markdown(made),
        "before.html": checklist.html(made),
        "before-client.html": checklist.html(made, client=True),
    }
    for name, text in pages.items():
        (folder / name).write_text(text)
    return [folder / name for name in pages]


def verify(path, *options) -> str:
    result = RUN.invoke(app, ["checklist", "verify", str(path), *map(str, options)])
    return result.output if result.exception is None else str(result.exception)


def test_verify_takes_all_four_files_and_sees_a_changed_letter_in_each(tmp_path, key):
    made = record()
    signed = made.model_copy(update={"signature": signing.sign(made.digest, key.path, "ada", Namespace.CHECKLIST)})
    for path in written(tmp_path, signed):
        assert "is unchanged: before r1 on prod, fail; signed by the key SHA256:" in verify(path)
        good = path.read_text()
        before, after = ('"release": "r1"', '"release": "r2"') if path.suffix == ".json" else ("Release p", "Release P")
        path.write_text(good.replace(before, after, 1))
        assert "changed" in verify(path)
        path.write_text(good)


def test_verify_with_signers_refuses_what_nobody_signed(tmp_path):
    signers = tmp_path / "signers"
    signers.write_text("")
    path, *_ = written(tmp_path, record())
    assert "not signed" in verify(path)
    assert "is not signed, so nobody in" in verify(path, "--signers", signers)
    assert "cannot be read" in verify(tmp_path / "none.json")


def test_nothing_that_was_found_breaks_out_of_its_place():
    down = FakePlatform(backends_=[Backend(name=EVIL, url=f"https://x/{EVIL}", ready=False, message=EVIL)])
    made = record(down)
    page = checklist.html(made)
    assert "<script" not in page
    text = checklist.markdown(made)
    assert "<script" not in text.replace("\\<", "")
    # Every row of a table has as many cells as its head.
    rows = [line for line in text.splitlines() if line.startswith("| ✖")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_the_page_for_a_client_has_nothing_internal():
    away = [
        Backend(name=name, url="http://10.0.0.7:3100", ready=False, message="no")
        for name in ("loki", "tempo", "jaeger", "victorialogs")
    ]
    made = record(FakePlatform(backends_=away))
    page = checklist.html(made, client=True)
    for internal in (
        "10.0.0.7",
        "loki",
        "tempo",
        "jaeger",
        "victorialogs",
        "ada",
        "prod",
        "team",
        "pulumi",
        "backends-ready",
        "june",
        "{{",
    ):
        assert internal not in page
    assert page.count("<article") == len(ITEMS)
    assert made.digest in page


def test_pages_ask_nothing_of_any_network():
    for client in (True, False):
        page = checklist.html(record(), client=client)
        assert re.findall(r'<(?:link|img|script|iframe)[^>]*(?:src|href)="(?!data:)[^"]*"', page) == []


def test_schemas_are_published():
    for name, needed in (("record", "results"), ("evidence", "golden_dataset")):
        for phase in ("before", "after"):
            schema = json.loads(RUN.invoke(app, ["checklist", phase, "--schema", name]).output)
            assert needed in schema["properties"]


def test_a_release_is_asked_for_and_no_path():
    assert "name the release" in " ".join(RUN.invoke(app, ["checklist", "before"]).output.split())
    assert "would be a path" in " ".join(RUN.invoke(app, ["checklist", "before", "-r", "../x"]).output.split())


def test_the_list_names_every_item():
    shown = RUN.invoke(app, ["checklist", "list"]).output
    assert all(item.key in shown for item in checklist.ITEMS)
    assert replace(ITEMS[0], reads="").automated
