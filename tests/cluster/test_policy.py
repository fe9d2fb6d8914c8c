"""A change of prod that breaks the policy is refused by the engine, before an object reaches the API server."""

import pytest

from stacks.environments import EnvName

# As a careless change would: after the program has asked the rules itself.
_CARELESS = """
from dataclasses import replace

from stacks.cluster import program, provision


class Careless(provision.Platform):
    def __init__(self, name, made, provider, target):
        manifests = [each for each in made.manifests if each["metadata"]["name"] != {left_out!r}]
        for each in manifests:
            if each["kind"] == "Deployment" and {privileged}:
                each["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = True
        super().__init__(name, replace(made, manifests=tuple(manifests)), provider, target)


program.Platform = Careless
"""


@pytest.fixture(scope="module")
def prod(make_stack):
    return make_stack(EnvName.PROD)


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [
        (
            "pod-security-restricted",
            {"privileged": True, "left_out": ""},
            "Deployment kube-state-metrics: container kube-state-metrics is privileged",
        ),
        (
            "denied-by-default",
            {"privileged": False, "left_out": "default-deny"},
            "namespace agentobs has no NetworkPolicy that denies everything",
        ),
    ],
)
def test_a_careless_change_of_prod_is_refused_with_the_rules_sentence(prod, plane, rule, change, said):
    prod.programmed(rule, _CARELESS.format(**change))
    refused = prod.pulumi("up", "--yes", ok=False)
    assert refused.returncode != 0
    output = refused.stdout + refused.stderr
    assert f"[mandatory]  {rule}" in output
    assert said in output
    assert "can't run policy" not in output
    assert "agentobs" not in {each["metadata"]["name"] for each in plane.listed("/api/v1/namespaces")}
