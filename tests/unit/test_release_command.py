"""`agentobs release` as a person types it."""

import json
import shlex
import subprocess

import pytest
import typer
from support.delivered import Desk, release, request
from typer.testing import CliRunner

from agentobs import pins
from delivery.console.words import command
from delivery.environments import wanted
from delivery.environments.commit import following
from delivery.environments.library import Library
from delivery.errors import ConflictError, DeliveryError, RefusedError
from runbooks.signature import SignatureError
from stacks.cli import release as verbs

APP = typer.Typer()
APP.add_typer(verbs.app, name="release")
GOOD, BAD = release(), release(planner="13")


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    for made in (GOOD, BAD):
        desk.add(made)
    return desk


@pytest.fixture
def typed(tmp_path, desk, monkeypatch):  # noqa: ARG001 the store that is there
    """Run a verb on that store; what it printed. An error is raised as the command would show it."""
    monkeypatch.setenv("AGENTOBS_RELEASES", str(tmp_path / "store"))

    def run(*words, code=0):
        done = CliRunner().invoke(APP, ["release", *words], env={"COLUMNS": "200"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_from_promotion_to_rollback_as_the_readme_tells_it(typed, desk, tmp_path):
    assert "revision 1 of prod" in typed("promote", GOOD.id, "-e", "prod")
    shown = typed("promote", BAD.id, "-e", "prod", "--reason", "new words")
    assert "planner: prompt 12 -> 13" in shown
    assert "touches planner: 100 % of the sessions of prod" in shown
    assert "13 -> 12" in typed("rollback", "planner", "-d", "prompt", "-e", "prod", "-m", "worse", "--alert", "1290d9")
    assert "12 (rolled back)" in typed("status", "-e", "prod")
    history = typed("history", "-e", "prod")
    assert "worse (alert 1290d9)" in history
    assert "new words" in history
    held = pins.parse((tmp_path / "store" / "snapshots" / "prod.json").read_bytes())
    assert (held.revision, held.stable.agents["planner"].prompt.version) == (3, "12")
    assert desk.head.operation.set == {
        "dimension": "prompt", "agent": "planner", "from": "13", "to": "12",
    }  # fmt: skip


def test_a_dry_run_shows_and_changes_nothing(typed, desk):
    typed("promote", GOOD.id, "-e", "prod")
    assert "dry run: nothing was changed" in typed("promote", BAD.id, "-e", "prod", "--dry-run")
    assert desk.head.revision == 1


def test_a_canary_from_start_to_end(typed, desk):
    typed("promote", GOOD.id, "-e", "prod")
    assert "5 % of the sessions" in typed("canary", BAD.id, "-e", "prod", "--share", "5%")
    typed("share", "20%", "-e", "prod")
    assert desk.head.canary.share == 2000
    typed("end", "-e", "prod", "--lock", "-m", "worse")
    with pytest.raises(RefusedError, match="unlock 13 --dimension prompt --agent planner -e prod"):
        typed("canary", BAD.id, "-e", "prod")
    typed("unlock", "13", "--dimension", "prompt", "--agent", "planner", "-e", "prod")
    typed("ab", BAD.id, "-e", "prod")
    assert (desk.head.canary.kind, desk.head.canary.share) == ("ab", 5000)


@pytest.mark.parametrize("share", ["0", "101%", "-5%", "0.001%", "five", "", "NaN"])
def test_a_share_that_is_none_is_a_usage_error(typed, share):
    assert "is no share" in typed("canary", BAD.id, "-e", "prod", f"--share={share}", code=2)


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["promote", "000000000000"], DeliveryError, "no release 000000000000; fix: `agentobs release list`"),
        (["promote", BAD.id, "--expect", BAD.id], ConflictError, f"runs {GOOD.id} by now, not {BAD.id}"),
        (
            ["rollback", "planner", "-d", "prompt"],
            RefusedError,
            "no other version ran in prod; fix: name one with --to",
        ),
        (["rollback", "--dimension", "release"], RefusedError, "no other release was stable in prod"),
        (["rollback", "nobody", "-d", "prompt"], DeliveryError, "no agent 'nobody'; it has executor, planner"),
        (["end"], RefusedError, "no canary, A/B test or shadow runs in prod"),
        (["resume", "planner"], RefusedError, "planner is not killed by itself; killed: nothing"),
        (["thaw"], RefusedError, "prod is not frozen"),
        (["verify", "../x"], DeliveryError, "no key of a store"),
        (["diff", "prod", "staging"], DeliveryError, "there is no release staging"),
    ],
)
def test_what_cannot_be_done_is_one_error_with_the_fix(typed, words, error, said):
    typed("promote", GOOD.id, "-e", "prod")
    where = [] if words[0] in {"verify", "diff"} else ["-e", "prod"]
    with pytest.raises(error, match=said):
        typed(*words, *where)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kill", "tool"], "name the tool"),
        (["kill", "planner", "search"], "expected an agent"),
        (["rollback", "planner"], "expected one of prompt, model, tool, graph, release"),
        (["rollback", "planner", "-d", "colour"], "expected one of prompt, model, tool, graph, release"),
        (["rollback", "-d", "tool"], "name it with --tool"),
    ],
)
def test_words_that_say_nothing_are_a_usage_error(typed, words, said):
    assert said in " ".join(typed(*words, "-e", "prod", code=2).replace("│", " ").split())


def test_a_release_is_signed_and_verified_and_a_foreign_namespace_is_refused(typed, desk, tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"ada {key.with_suffix('.pub').read_text()}")
    assert "not signed" in typed("verify", GOOD.id)
    with pytest.raises(DeliveryError, match=r"nobody in .* vouches for it"):
        typed("verify", GOOD.id, "--signers", str(signers))
    typed("sign", GOOD.id, "--key", str(key), "--by", "ada")
    assert "signed by ada" in typed("verify", GOOD.id, "--signers", str(signers))
    # The same key, the same digest, another purpose.
    (tmp_path / "d").write_text(BAD.digest)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "agentobs-checklist", tmp_path / "d"], check=True
    )
    forged = {"by": "ada", "fingerprint": _fingerprint(key), "armored": (tmp_path / "d.sig").read_text()}
    desk.store.sign(BAD.id, json.dumps(forged).encode())
    with pytest.raises(SignatureError, match="not one of ada"):
        typed("verify", BAD.id, "--signers", str(signers))


def _fingerprint(key) -> str:
    return subprocess.run(["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True).stdout.split()[1]


def test_what_two_releases_differ_in_is_shown_line_by_line(typed):
    typed("promote", GOOD.id, "-e", "prod")
    shown = typed("diff", "prod", BAD.id)
    assert "planner: prompt 12 -> 13" in shown
    assert "-You are the planner, revision 12." in shown
    assert "+You are the planner, revision 13." in shown
    assert "the same: every pin is equal" in typed("diff", GOOD.id, "prod")


def test_an_old_prompt_with_a_new_schema_is_told_before_it_is_done(typed, desk):
    typed("promote", GOOD.id, "-e", "prod")
    desk.promote(release(planner="13", search="4.0.0"))
    shown = typed("rollback", "planner", "-d", "prompt", "-e", "prod", "--dry-run")
    assert "Mind: planner: prompt 12 ran with search 3.0.0, and would run with 4.0.0" in shown


def test_json_is_what_is_kept(typed, desk):
    typed("promote", GOOD.id, "-e", "prod")
    assert json.loads(typed("status", "-e", "prod", "--json")) == desk.head.content
    assert json.loads(typed("show", GOOD.id, "--json")) == GOOD.content
    assert [json.loads(line)["revision"] for line in typed("history", "-e", "prod", "--json").splitlines()] == [1]


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "rollback", "dimension": "prompt", "agent": "planner", "to": "12", "expect": "13"},
        {"kind": "rollback", "dimension": "model", "agent": "planner", "to": "gpt-4.1", "expect": "gpt-5"},
        {"kind": "rollback", "dimension": "tool", "agent": "planner", "tool": "search", "to": "3.0.0"},
        {"kind": "rollback", "dimension": "tool", "tool": "search", "to": "3.0.0", "expect": "3.1.0"},
        {"kind": "rollback", "dimension": "graph", "to": "7", "expect": "8"},
        {"kind": "rollback-release", "to": GOOD.id},
        {"kind": "kill", "agent": "planner"},
        {"kind": "kill", "tool": "search"},
        {"kind": "kill", "all": True},
    ],
)
def test_the_command_that_the_console_shows_does_what_its_button_does(typed, desk, asked):
    for made in (GOOD, release(planner="13", model="gpt-5", search="3.1.0", graph="8")):
        desk.promote(made)
    found = wanted.read(asked)
    by_button = following("prod", desk.head, found.operation(request()), Library(desk.store, "prod"))
    assert by_button is not None
    words = shlex.split(command(found, "prod"))
    assert words[:2] == ["agentobs", "release"]
    typed(*words[2:])
    assert _without_marks(desk.head.state.content) == _without_marks(by_button.state.content)


def _without_marks(found):
    """A state without who did it, when and why."""
    if isinstance(found, dict):
        return {key: _without_marks(value) for key, value in found.items() if key not in {"at", "by", "reason"}}
    return [_without_marks(each) for each in found] if isinstance(found, list) else found
