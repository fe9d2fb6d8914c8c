"""Settings of the release controller: each is in the guide, and what cannot be is named with what was expected."""

import re
from pathlib import Path

import pytest

from delivery.controller import settings
from delivery.errors import DeliveryError


class _Asked(dict[str, str]):
    """Variables that remember what was looked for."""

    def __init__(self, **set_: str) -> None:
        super().__init__({settings.PREFIX + name: value for name, value in set_.items()})
        self.names: set[str] = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)


def test_the_guide_names_every_setting_and_no_other(tmp_path):
    (tmp_path / "keys.json").write_text("{}")
    names: set[str] = set()
    for kind in ("local", "token", "peer"):
        said = _Asked(
            IDENTITY=kind, JWKS=str(tmp_path / "keys.json"), AUDIENCE="a", PEERS="10.0.0.1", GRAFANA_URL="http://g",
            LANGFUSE_URL="http://l", LANGFUSE_PUBLIC_KEY="p", LANGFUSE_SECRET_KEY="s",
        )  # fmt: skip
        settings.read(tmp_path / "state", said)
        names |= {name.removeprefix(settings.PREFIX) for name in said.names if not name.endswith("_FILE")}
    guide = Path(__file__).parents[2] / "docs/console.md"
    table = guide.read_text().partition("## Settings")[2].partition("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == names


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"IDENTITY": "anybody"}, "IDENTITY is 'anybody'; expected local"),
        ({"IDENTITY": "peer"}, "PEERS is missing"),
        ({"IDENTITY": "peer", "PEERS": "proxy"}, "expected addresses"),
        ({"IDENTITY": "token", "JWKS": "keys.json"}, "AUDIENCE is missing"),
        ({"PROMETHEUS_URL": "prometheus:9090"}, "PROMETHEUS_URL is no address"),
        ({"WEBHOOK_TOKEN_FILE": "/nowhere"}, "WEBHOOK_TOKEN_FILE: /nowhere cannot be read"),
        ({"TASKS_PER_SESSION": "0"}, "expected a number from 1 to 1000"),
        ({"TASKS_PER_SESSION": "nan"}, "expected a number from 1 to 1000"),
        ({"ACT": "maybe"}, "expected one of yes, no"),
        ({"LANGFUSE_URL": "http://l", "LANGFUSE_PUBLIC_KEY": "p"}, "are needed beside _URL"),
    ],
)
def test_a_setting_that_cannot_be_names_itself_and_what_was_expected(tmp_path, said, told):
    with pytest.raises(DeliveryError, match=re.escape(told)):
        settings.read(tmp_path, {settings.PREFIX + name: value for name, value in said.items()})


def test_a_token_that_others_can_read_is_refused(tmp_path):
    settings.read(tmp_path / "state", {})
    (tmp_path / "state/console-token").chmod(0o644)
    with pytest.raises(DeliveryError, match="can be read by others; fix: chmod 600"):
        settings.read(tmp_path / "state", {})
