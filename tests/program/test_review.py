"""The committed manifests, with which a review sees the effect of a change, and the examples they are made of."""

import yaml
from support.clusters import EXAMPLES, ON_KUBERNETES, SECRETS, planned

from stacks import generated
from stacks.cluster import render
from stacks.environments import EnvName


def test_every_object_is_in_the_review():
    for name in ON_KUBERNETES:
        made = planned(name)
        shown = list(yaml.safe_load_all(render.review(made)))
        assert [(each["kind"], each["metadata"]) for each in shown] == [
            (each["kind"], each["metadata"]) for each in made.manifests
        ]
        assert [each.get("spec") for each in shown] == [each.get("spec") for each in made.manifests]


def test_a_changed_setting_shows_in_the_review_as_the_lines_it_changes():
    before, after = (
        render.review(made).splitlines() for made in (planned(EnvName.DEV), planned(EnvName.DEV, tracesRetention="5d"))
    )
    changed = {line.strip() for line in set(before) ^ set(after) if "name: tempo-" not in line}
    assert changed == {"block_retention: 72h", "block_retention: 120h"}


def test_long_texts_are_digests_that_change_with_them():
    made = planned(EnvName.DEV)
    boards = [each for each in yaml.safe_load_all(render.review(made)) if each["metadata"]["name"] == "grafana-fleet"]
    [[text]] = [each["data"].values() for each in boards]
    assert text.startswith("(")
    assert "sha256:" in text
    moved = planned(EnvName.DEV, runbooksUrl="https://runbooks.example.com")
    assert text not in render.review(moved)


def test_no_secret_is_in_an_example_or_in_the_review():
    for name in ON_KUBERNETES:
        config = yaml.safe_load((EXAMPLES / f"Pulumi.{name}.yaml").read_text())["config"]
        secrets = {key: value for key, value in config.items() if key in SECRETS}
        assert all(value == {"secure": "placeholder"} for value in secrets.values())
        assert all(
            value == "(secret)"
            for each in yaml.safe_load_all((generated.ROOT / f"stacks/cluster/generated/{name}.yaml").read_text())
            for value in each.get("stringData", {}).values()
        )
