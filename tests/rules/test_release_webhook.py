"""A real Alertmanager tells the release controller of alerts, with the receiver that the guide of the console shows."""

import re
from pathlib import Path

import requests
import yaml
from support.alertmanager import alertmanager
from support.controlled import WEBHOOK, in_thread
from support.delivered import ENVIRONMENT, Desk, release
from support.waiting import eventually

GUIDE = Path(__file__).parents[2] / "docs/console.md"


def config(url, token_file):
    """The receiver as in the guide, for this controller."""
    (shown,) = re.findall(r"```yaml\n(webhook_configs:.*?)```", GUIDE.read_text(), re.DOTALL)
    receiver = yaml.safe_load(
        shown.replace("http://127.0.0.1:8090", url).replace("/etc/alertmanager/releases-token", token_file)
    )
    route = {
        "receiver": "releases",
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "1s",
    }
    return {"route": route, "receivers": [{"name": "releases", **receiver}]}


def labels(version):
    return {
        "alertname": "VersionRegression", "environment": ENVIRONMENT, "dimension": "prompt", "agent_name": "planner",
        "version": version, "previous": "12",
    }  # fmt: skip


def test_what_alertmanager_tells_again_and_again_is_one_alert(tmp_path):
    Desk(tmp_path / "store").promote(release())
    token = tmp_path / "token"
    token.write_text(WEBHOOK)
    told = []
    with in_thread(tmp_path) as controlled:
        keep = controlled.service.gate.lets_in
        controlled.service.gate.lets_in = lambda: told.append(1) or keep()
        with alertmanager(tmp_path / "alertmanager", config(controlled.url, str(token))) as manager:
            manager.post([labels("98"), labels("99")])
            handled = eventually(lambda: _both(controlled.service.journal))
            eventually(lambda: len(told) >= 5)
        assert len(controlled.service.journal.names("alerts")) == 2
    assert handled == ["ticket only: the version it names is not one that the stable release pins"] * 2


def test_without_the_right_token_nothing_is_kept(tmp_path):
    token = tmp_path / "token"
    token.write_text("another")
    with in_thread(tmp_path) as controlled:
        with alertmanager(tmp_path / "alertmanager", config(controlled.url, str(token))) as manager:
            manager.post([labels("99")])
            eventually(lambda: _failures(manager) >= 1)
        assert controlled.service.journal.names("alerts") == []


def _both(journal):
    names = journal.names("handled")
    return [journal.get(f"handled/{name}")["outcome"] for name in names] if len(names) == 2 else None


def _failures(manager):
    text = requests.get(f"{manager.url}/metrics", timeout=20).text
    lines = re.findall(r"^alertmanager_notifications_failed_total\{(.*)\} (\d+)$", text, re.MULTILINE)
    return sum(int(count) for labels_, count in lines if 'integration="webhook"' in labels_)
