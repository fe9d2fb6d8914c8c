"""Guides say what is so: settings and commands exist, links lead somewhere, figures are those of the manifests."""

import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel
from support.clusters import planned

from stacks import guides
from stacks.cli.verbs import load
from stacks.cluster.doctor import quantity
from stacks.cluster.secrets import SECRETS
from stacks.cluster.settings import ClusterSettings
from stacks.environments import EnvName
from stacks.generated import ROOT
from stacks.policy import rules

GUIDES = sorted((ROOT / guides.FOLDER).glob("*.md"))
_SETTINGS = {to_camel(name) for name in ClusterSettings.model_fields} | set(SECRETS)


@pytest.fixture(params=GUIDES, ids=lambda path: path.stem)
def guide(request) -> Path:
    return request.param


def test_every_setting_that_a_guide_names_exists(guide):
    named = set(re.findall(r"agentobs:([a-zA-Z]+)", guide.read_text()))
    assert named <= _SETTINGS


def test_every_command_that_a_guide_gives_exists_with_its_options(guide):
    for line in re.findall(r"(?:bin/|`)agentobs ([a-z].*)", guide.read_text()):
        words = re.split(r"[`;#|>]", line)[0].split()
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
