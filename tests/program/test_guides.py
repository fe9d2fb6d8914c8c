"""Guides say what is so: settings and commands exist, links lead somewhere, figures are those of the manifests."""

import re
import subprocess
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel
from support.clusters import planned

from collector.stores import GRAFANA, PERMISSIVE
from stacks import architecture, guides
from stacks.cli.verbs import load
from stacks.cluster.doctor import quantity
from stacks.cluster.secrets import SECRETS
from stacks.cluster.settings import ClusterSettings
from stacks.environments import EnvName
from stacks.generated import ROOT
from stacks.policy import rules
from stacks.ports import PORTS
from stacks.settings import Settings

_FOLDERS = (*guides.FOLDERS, "docs/decisions")
GUIDES = [*(file for each in _FOLDERS for file in sorted((ROOT / each).glob("*.md"))), *sorted(ROOT.glob("*.md"))]
_SETTINGS = {to_camel(name) for kind in (Settings, ClusterSettings) for name in kind.model_fields} | set(SECRETS)


@pytest.fixture(params=GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())
def guide(request) -> Path:
    return request.param


def test_every_setting_that_a_guide_names_exists(guide):
    named = set(re.findall(r"agentobs:([a-zA-Z]+)", guide.read_text()))
    assert named <= _SETTINGS


def test_every_command_that_a_guide_gives_exists_with_its_options(guide):
    for line in re.findall(r"(?:bin/|`)agentobs ([a-z].*)", guide.read_text()):
        words = re.split(r"[`;#|>)]", line)[0].split()
        if words[0] == "pulumi":
            continue
        command = load(words.pop(0))
        while words and words[0] in (below := getattr(command, "commands", {})):
            command = below[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word.split("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)} <= known, line


def test_every_link_between_files_leads_somewhere(guide):
    links = re.findall(r"\]\(([^)#:]+)\)", guide.read_text())
    assert [link for link in links if not (guide.parent / link).exists()] == []


def test_every_folder_of_the_repository_has_its_row_in_the_architecture():
    text = (ROOT / "docs" / "architecture.md").read_text()
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {f"{name.partition('/')[0]}/" for name in listed if "/" in name and not name.startswith(".")}
    assert set(re.findall(r"^\| `([a-z]+/)` \|", text, re.MULTILINE)) == folders


def test_the_picture_has_every_layer_and_every_process_with_its_port():
    drawn = architecture.picture(ROOT)
    assert {name for layer in architecture.layers(ROOT) for name in layer} == {
        "stacks", "gateway", "delivery", "dashboards", "runbooks", "alerts", "collector", "sdk",
    }  # fmt: skip
    shown = re.findall(r'class="title">([^<]+)</text>\n<text [^>]+>([^<]+)<', drawn)
    assert ("jaeger or tempo", f"{PORTS['jaeger']}, {PORTS['tempo']}") in shown
    assert ("collector", f"{PORTS['otlp-grpc']}, {PORTS['otlp-http']}") in shown
    for stores in (GRAFANA, PERMISSIVE):
        for workload in architecture.workloads(stores):
            assert any(workload.name in title.split(" or ") for title, _ in shown), workload.name


def test_a_block_that_nobody_makes_is_an_error():
    with pytest.raises(KeyError, match="sises"):
        guides.filled("<!-- generated: sises -->\n<!-- end -->")
    assert guides.filled("without a block") == "without a block"


def test_totals_are_what_the_manifests_request():
    shown = guides.totals()
    for choice, words in (("off", "without"), ("managed", "with")):
        requests = [
            container["resources"]["requests"]
            for manifest in planned(EnvName.DEV, langfuse=choice).manifests
            for container in rules.containers(manifest)
        ]
        cpu, memory = (sum(quantity(each[resource]) for each in requests) for resource in ("cpu", "memory"))
        row = f"| dev, {words} Langfuse | {len(requests)} | {cpu:.2f} | {memory / 2**30:.1f} GiB |"
        assert row in shown


def test_the_picture_shows_every_allowed_call_but_scrapes():
    drawn = guides.flows()
    assert drawn.startswith("```mermaid\nflowchart LR\n")
    assert "  collector-sampler --> langfuse-web & loki & prometheus & tempo\n" in drawn
    assert "  prometheus --> alertmanager\n" in drawn
    assert "objects --> " not in drawn
