"""Score configs in Langfuse: made once, mended where they differ, and nobody else's touched."""

import pytest
from support.langfuse_configs import PUBLIC, SECRET, ConfigsApi, configs_api
from typer.testing import CliRunner

from agentobs.contract import Label
from agentobs.scores import Credentials, ScoreError
from alerts.catalogue import HALLUCINATION
from collector.langfuse.score_configs import STANDARD, ScoreConfig
from stacks.cli.main import app
from stacks.clients.langfuse import Action, Configs

NAMES = [config.name for config in STANDARD]


@pytest.fixture
def api():
    with configs_api() as running:
        yield running


def _configs(api: ConfigsApi, secret: str = SECRET) -> Configs:
    return Configs(Credentials(url=api.url, public_key=PUBLIC, secret_key=secret))


def test_missing_configs_are_made_and_a_second_time_nothing_is_done(api):
    assert dict(_configs(api).reconcile(STANDARD)) == dict.fromkeys(NAMES, Action.CREATED)
    assert [each["name"] for each in api.configs] == NAMES
    assert {(each["dataType"], each["minValue"], each["maxValue"]) for each in api.configs} == {("NUMERIC", 0, 1)}
    api.changes.clear()
    assert dict(_configs(api).reconcile(STANDARD)) == dict.fromkeys(NAMES, Action.SAME)
    assert api.changes == []


def test_what_differs_or_was_archived_is_mended_and_others_are_left_alone(api):
    other = api.add({"name": "tone", "dataType": "CATEGORICAL", "isArchived": True})
    changed = api.add({**STANDARD[0].document(), "maxValue": 5})
    archived = api.add({**STANDARD[1].document(), "isArchived": True})
    before = dict(other)
    assert dict(_configs(api).reconcile(STANDARD)) == dict.fromkeys(NAMES, Action.UPDATED)
    assert (changed["maxValue"], archived["isArchived"]) == (1, False)
    assert other == before
    assert len(api.configs) == 3


def test_configs_on_later_pages_are_found(api):
    api.page = 2
    for number in range(5):
        api.add({"name": f"other-{number}", "dataType": "NUMERIC"})
    api.add(STANDARD[0].document())
    assert dict(_configs(api).reconcile(STANDARD))[NAMES[0]] is Action.SAME


def test_a_config_of_another_type_is_an_error_that_names_it(api):
    api.add({"name": NAMES[0], "dataType": "BOOLEAN"})
    with pytest.raises(ScoreError, match=f"{NAMES[0]} in Langfuse is BOOLEAN.*Fix: archive"):
        list(_configs(api).reconcile(STANDARD))


def test_wrong_keys_and_an_absent_langfuse_are_said_without_the_keys(api):
    with pytest.raises(ScoreError, match="refuses the keys") as refused:
        list(_configs(api, "sk-wrong").reconcile(STANDARD))
    assert "sk-wrong" not in str(refused.value)
    absent = Configs(Credentials(url="http://127.0.0.1:9", public_key=PUBLIC, secret_key=SECRET))
    with pytest.raises(ScoreError, match="does not answer"):
        list(absent.reconcile(STANDARD))


def test_the_evaluation_of_the_hallucination_rate_has_a_config():
    assert HALLUCINATION.denominator.where[Label.EVALUATION] in NAMES


@pytest.mark.parametrize("name", ["", "x" * 36])
def test_a_name_that_langfuse_refuses_is_refused_before(name):
    with pytest.raises(ValueError, match="1 to 35 characters"):
        ScoreConfig(name=name)


def test_the_command_says_what_it_did_and_a_dry_run_does_nothing(api, monkeypatch):
    for key, value in {"BASE_URL": api.url, "PUBLIC_KEY": PUBLIC, "SECRET_KEY": SECRET}.items():
        monkeypatch.setenv(f"LANGFUSE_{key}", value)
    command = ["langfuse", "configure", "--name", "politeness"]
    said = CliRunner().invoke(app, [*command, "--dry-run"])
    assert (said.exit_code, api.configs) == (0, [])
    assert "politeness: would be created" in said.output
    assert CliRunner().invoke(app, command).exit_code == 0
    assert [each["name"] for each in api.configs] == [*NAMES, "politeness"]
    assert "politeness: unchanged" in CliRunner().invoke(app, command).output
