"""A release is immutable: its id is its content, and what does not pin is refused."""

import json

import pytest
from support.delivered import release

from agentobs.canonical import digest
from delivery.errors import DeliveryError
from delivery.releases import parse
from delivery.releases.diff import changes


def test_the_id_is_the_start_of_the_digest_of_the_content():
    made = release()
    assert made.id == digest(json.loads(made.spelled))[:12]
    assert parse(made.spelled, "it") == made
    assert release(planner="13").id != made.id


def test_a_document_in_another_order_with_spaces_is_the_same_release():
    made = release()
    shuffled = json.dumps(dict(reversed(json.loads(made.spelled).items())), indent=3)
    assert parse(shuffled, "it").id == made.id


@pytest.mark.parametrize("version", ["latest", "Production", "staging", "main", "", "12\n", "../12", "a" * 200])
def test_a_version_that_moves_or_is_none_pins_nothing(version):
    document = release().content
    document["agents"]["planner"]["prompt"]["version"] = version
    with pytest.raises(DeliveryError, match=r"release\.json: agents\.planner\.prompt\.version"):
        parse(json.dumps(document), "release.json")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"agents": {}}, "agents"),
        ({"colour": "red"}, "colour"),
        ({"schema": "agentobs/release/2"}, "schema"),
        ({"parent": "latest"}, "parent"),
        ({"agents": {"../x": {}}}, r"agents\.\.\./x"),
    ],
)
def test_what_is_no_release_is_refused_by_the_name_of_the_key(change, named):
    with pytest.raises(DeliveryError, match=named):
        parse(json.dumps({**release().content, **change}), "it")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": NaN}', "\ufeff{}"])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(DeliveryError, match=r"it: .*Fix:"):
        parse(text, "it")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({}, []),
        ({"planner": "13"}, ["planner: prompt 12 -> 13"]),
        ({"model": "gpt-5"}, ["executor: model gpt-4.1 -> gpt-5", "planner: model gpt-4.1 -> gpt-5"]),
        ({"search": "4.0.0"}, ["executor: tool search 3.0.0 -> 4.0.0", "planner: tool search 3.0.0 -> 4.0.0"]),
        ({"graph": "8"}, ["graph 7 -> 8"]),
        (
            {"schema": "another"},
            [f"{who}: tool search 3.0.0 -> 3.0.0 (same version, other content)" for who in ("executor", "planner")],
        ),
    ],
)
def test_two_releases_differ_in_dimensions(after, expected):
    assert [change.title for change in changes(release(), release(**after))] == expected


def test_an_agent_that_comes_or_goes_is_a_change_of_each_of_its_parts():
    both = release()
    alone = both.model_copy(update={"agents": {"planner": both.agents["planner"]}})
    assert [change.title for change in changes(alone, both)] == [
        "executor: prompt none -> 4", "executor: model none -> gpt-4.1", "executor: tool search none -> 3.0.0"
    ]  # fmt: skip
    assert len(changes(both, alone)) == 3
