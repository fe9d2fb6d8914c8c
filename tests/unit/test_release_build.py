"""From a folder to a release: the playbook's form as it stands, and every file that does not fit named with its fix."""

import json
from pathlib import Path

import pytest
from support.delivered import sha

from agentobs.canonical import canonical
from delivery.errors import DeliveryError
from delivery.releases import checks
from delivery.releases.build import build
from delivery.releases.tools import breaking

PLAYBOOK = "agent: {planner: {prompt_version: v12, model: gpt-4.1, tools: {search: v3}}}\n"
TOOL = {
    "name": "search",
    "description": "Find.",
    "inputSchema": {"type": "object", "properties": {"q": {"type": "string"}}},
}


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "support"
    for name, text in {
        "release.yaml": PLAYBOOK,
        "graph.yaml": "workflow: support\nversion: 7\n",
        "prompts/planner/12.md": "Plan it.\n",
        "tools/kb.json": json.dumps({"server": {"name": "kb", "version": "3"}, "tools": [TOOL]}),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def made(folder):
    return build(folder, author="ada")


def test_the_playbooks_form_is_taken_as_it_stands(folder):
    built = made(folder)
    planner = built.release.agents["planner"]
    assert (planner.prompt.version, planner.model.id, planner.tools["search"].version) == ("12", "gpt-4.1", "3")
    assert planner.prompt.sha256 == sha("Plan it.\n")
    assert planner.tools["search"].schema_sha256 == sha(canonical(TOOL).decode())
    assert (built.release.graph.version, built.release.author, built.release.name) == ("7", "ada", "support")
    pinned = {planner.prompt.sha256, planner.tools["search"].schema_sha256, built.release.graph.sha256}
    assert {sha(text) for text in built.texts.values()} == pinned


def test_a_checkout_of_another_system_makes_the_same_release(folder):
    before = made(folder).release.id
    prompt = folder / "prompts/planner/12.md"
    prompt.write_bytes(b"\xef\xbb\xbfPlan it.\r\n")
    prompt.rename(folder / "prompts/planner/v12.txt")
    assert made(folder).release.id == before


def test_what_a_server_says_of_the_protocol_is_not_pinned(folder):
    before = made(folder).release.id
    listed = {"server": {"name": "kb", "version": "v3"}, "tools": [{**TOOL, "_meta": {"x": 1}, "title": None}]}
    (folder / "tools/kb.json").write_text(json.dumps(listed), encoding="utf-8")
    assert made(folder).release.id == before


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("release.yaml", None, r"there is no .*release\.yaml; expected the release's versions"),
        ("release.yaml", "agent: [", r"release\.yaml is no YAML.*expected for example agent: \{planner"),
        ("release.yaml", "", r"release\.yaml: the whole"),
        ("release.yaml", "agent: {}\n", r"release\.yaml: agent: "),
        ("release.yaml", PLAYBOOK.replace("model:", "modle:"), r"agent\.planner\.modle: Extra.*Fix: write it as agent"),
        ("release.yaml", PLAYBOOK.replace("v12", "latest"), "no text of version latest"),
        ("release.yaml", PLAYBOOK.replace("v12", "1.10"), "would be 1.1; write it in quotes"),
        (
            "release.yaml",
            PLAYBOOK.replace("v12", "v13"),
            r"no text of version 13 of the prompt planner; in .* is 12\.md",
        ),
        ("release.yaml", PLAYBOOK.replace("v3", "v4"), "the tool list of search is one of version kb 3, not 4"),
        ("release.yaml", PLAYBOOK.replace("search", "fetch"), "no tool list has 'fetch'; there are: search"),
        ("release.yaml", PLAYBOOK.replace("gpt-4.1", "latest"), "moves; expected a version"),
        ("release.yaml", PLAYBOOK.replace("planner:", "../x:"), r"agent\.\.\./x"),
        ("prompts/planner/12.md", None, "no text of version 12"),
        ("prompts/planner/12.md", "  \n", r"12\.md is empty"),
        ("prompts/planner/v12.txt", "Another.", "has several files"),
        ("graph.yaml", None, r"there is no .*graph\.yaml; expected the agent graph"),
        ("graph.yaml", "version: 7", r"graph\.yaml: workflow: "),
        ("graph.yaml", "workflow: support\nversion: latest", "moves"),
        ("graph.yaml", "workflow: support\nversion: 7\nlimit: .inf", r"graph\.yaml cannot be read: .*canonical"),
        ("tools/kb.json", "{", r"kb\.json is no JSON"),
        ("tools/kb.json", "[]", r"kb\.json is no tool list; expected \{\"server\""),
        ("tools/kb.json", json.dumps({"server": {"name": "kb", "version": "3"}, "tools": [TOOL, TOOL]}), "each once"),
        (
            "tools/kb.json",
            json.dumps({"server": {"name": "kb", "version": "3"}, "tools": [{**TOOL, "x": 2**60}]}),
            "cannot be pinned",
        ),
        (
            "tools/web.json",
            json.dumps({"server": {"name": "web", "version": "3"}, "tools": [TOOL]}),
            "several servers have search; fix: write one of kb/search, web/search",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_its_fix(folder, file, text, said):
    path = folder / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DeliveryError, match=said):
        made(folder)


def test_text_that_is_no_text_is_refused(folder):
    (folder / "prompts/planner/12.md").write_bytes(b"\xff\xfe")
    with pytest.raises(DeliveryError, match="not UTF-8"):
        made(folder)


def test_a_server_can_be_named_where_two_have_a_tool(folder):
    web = {"server": {"name": "web", "version": "3"}, "tools": [TOOL]}
    (folder / "tools/web.json").write_text(json.dumps(web), encoding="utf-8")
    (folder / "release.yaml").write_text(PLAYBOOK.replace("search", "kb/search"), encoding="utf-8")
    assert made(folder).release.agents["planner"].tools["search"].server == "kb"


def test_what_deserves_a_second_look_is_told(folder):
    (folder / "release.yaml").write_text(PLAYBOOK.replace("gpt-4.1", "gpt-4o-latest"), encoding="utf-8")
    built = made(folder)
    assert checks.warnings(built.release, built.texts) == [
        "planner: the model gpt-4o-latest means another one tomorrow; pin a dated one",
        "no limits of cost and calls: planner",
    ]


def _tool(**properties):
    required = properties.pop("required", [])
    return {"name": "search", "inputSchema": {"properties": properties, "required": required}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (_tool(q={"type": "string"}), _tool(q={"type": "string"}, n={"type": "integer"}), []),
        (_tool(q={"type": "string"}), _tool(), ["argument q is gone (and would be ignored)"]),
        (_tool(q={}), _tool(q={}, required=["q"]), ["argument q is required now"]),
        (_tool(q={"type": "string"}), _tool(q={"type": "array"}), ["argument q is of type array now, was string"]),
        (_tool(q={"enum": ["a", "b"]}), _tool(q={"enum": ["a", "c"]}), ["argument q may not be b any more"]),
        (_tool(q={"maximum": 9}), _tool(q={"maximum": 5}), ["argument q has maximum 5 now, was 9"]),
        (_tool(q={"maximum": 5}), _tool(q={"maximum": 9}), []),
        (_tool(q={}), _tool(q={"minLength": 3}), ["argument q has minLength 3 now"]),
        (
            _tool(q={"type": "object", "properties": {"a": {}}}),
            _tool(q={"type": "object", "properties": {}}),
            ["argument q / a is gone (and would be ignored)"],
        ),
        (
            _tool(q={"type": "array", "items": {"type": "string"}}),
            _tool(q={"type": "array", "items": {"type": "integer"}}),
            ["argument q items is of type integer now, was string"],
        ),
    ],
)
def test_what_a_new_schema_breaks_is_named(before, after, expected):
    assert breaking(before, after) == expected
