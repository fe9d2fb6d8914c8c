"""What nobody else may read: the state folder whatever command comes first, secrets, folders among those of others."""

import os
import stat

import pytest
from typer.testing import CliRunner

from stacks import paths
from stacks.cli import unencrypted
from stacks.cli.main import app
from stacks.environments import EnvName
from stacks.process import private
from stacks.process.private import PrivateError
from stacks.process.supervisor import Supervisor
from stacks.workspace import Workspace, WorkspaceError

RUN = CliRunner()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A state folder that is not there yet, for a user whose files everybody reads."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "deep" / "home"))
    before = os.umask(0)
    yield tmp_path / "deep" / "home"
    os.umask(before)


def test_the_state_folder_is_private_though_the_umask_is_not(state):
    assert mode(paths.ready()) == 0o700
    state.chmod(0o755)
    assert mode(paths.ready()) == 0o700


@pytest.mark.parametrize("first", ["prepare", "exclusive", "supervisor"])
def test_whatever_comes_first_makes_it_private(state, monkeypatch, first):
    workspace = Workspace(EnvName.LOCAL)
    monkeypatch.setattr(Workspace, "pulumi", lambda *_a, **_k: "")
    if first == "prepare":
        workspace.prepare()
        assert mode(workspace.passphrase) == 0o600
        workspace.passphrase.chmod(0o644)
        workspace.prepare()
        assert mode(workspace.passphrase) == 0o600
    elif first == "exclusive":
        with workspace.exclusive():
            pass
    else:
        paths.ready()
        with Supervisor(paths.stack_dir("local")).exclusive():
            pass
        assert mode(paths.stack_dir("local").root) == 0o700
    assert mode(state) == 0o700


def test_a_written_file_is_private_and_whole(tmp_path):
    before = os.umask(0)
    try:
        private.write(tmp_path / "secret", "x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "secret") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    with pytest.raises(PrivateError, match="cannot be written"):
        private.write(tmp_path / "none" / "secret", "x")


def test_a_file_of_somebody_who_was_first_is_not_written_through(tmp_path):
    """A link in place of the file or of its part is replaced, not followed."""
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "secret").symlink_to(tmp_path / "theirs")
    (tmp_path / f".secret.{os.getpid()}.part").symlink_to(tmp_path / "theirs")
    private.write(tmp_path / "secret", "mine")
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert (tmp_path / "secret").read_text() == "mine"


def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    """As root of this test sees it: whoever runs it is not user 12345."""
    (tmp_path / "theirs").mkdir(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    for path in (tmp_path / "theirs", tmp_path / "link"):
        with pytest.raises(PrivateError, match="somebody else"):
            private.folder(path)


def test_a_control_socket_in_a_folder_of_somebody_else_is_not_talked_to(tmp_path, monkeypatch):
    layout = paths.StackDir(tmp_path / ("long" * 30))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    layout.socket.parent.mkdir(parents=True)
    layout.socket.touch()
    assert layout.socket.is_relative_to(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(PrivateError, match="somebody else"):
        Supervisor(layout).alive()


@pytest.mark.parametrize(
    "words",
    [
        ["config", "set", "agentobs:webhookUrl", "https://x"], ["config", "set", "webhookUrl", "https://x"],
        ["config", "--plaintext", "set", "agentobs:slackWebhookUrl", "x"],
        ["config", "set", "--path", "agentobs:lokiToken", "x"],
        ["config", "set", "--path", '["agentobs:lokiToken"]', "x"], ["config", "set", "agentobs:otlpTokens"],
        ["config", "set-all", "--secret", "agentobs:emailPassword=x", "--plaintext", "agentobs:redisPassword=x"],
        ["config", "set-all", "--plaintext=agentobs:langfuseKeys=x"],
        ["config", "set", "agentobs:deadMansSwitchUrl", "x"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_secret_in_plain_text_is_refused_with_the_fix(state, words):
    done = RUN.invoke(app, ["pulumi", "-s", "prod", *words])
    assert isinstance(done.exception, WorkspaceError)
    assert "Fix: agentobs pulumi config set --secret agentobs:" in str(done.exception)
    assert not state.exists()


@pytest.mark.parametrize(
    ("words", "local"),
    [
        (["config", "set", "--secret", "agentobs:webhookUrl", "x"], False),
        (["config", "set", "agentobs:domain", "x"], False),
        (["config", "set", "agentobs:deadMansSwitchUrl", "x"], True), (["config", "get", "agentobs:lokiToken"], False),
        (["config", "set-all", "--secret", "agentobs:emailPassword=x"], False), (["up"], False), ([], False),
    ],
)  # fmt: skip
def test_other_settings_and_secrets_that_are_kept_as_such_are_let_through(words, local):
    unencrypted.require_secret(words, local=local)
