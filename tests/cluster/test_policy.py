"""A change of prod that breaks the policy is refused by the engine, before an object reaches the API server."""

from stacks.environments import EnvName

# As a careless change would: after the program has asked the rules itself.
_CARELESS = """
from dataclasses import replace

from stacks.cluster import program, realise


class Careless(realise.Platform):
    def __init__(self, name, made, provider, target):
        for each in made.manifests:
            if each["kind"] == "Deployment":
                each["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = True
        manifests = [each for each in made.manifests if each["metadata"]["name"] != "default-deny"]
        super().__init__(name, replace(made, manifests=tuple(manifests)), provider, target)


program.Platform = Careless
"""


def test_a_careless_change_of_prod_is_refused_with_the_rules_sentences(make_stack, plane):
    stack = make_stack(EnvName.PROD)
    stack.programmed("careless", _CARELESS)

    refused = stack.pulumi("up", "--yes", "--suppress-permalink=true", ok=False)

    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    assert "[mandatory]  pod-security-restricted" in said
    assert "Deployment kube-state-metrics: container kube-state-metrics is privileged" in said
    assert "namespace agentobs has no NetworkPolicy that denies everything" in said
    assert "can't run policy" not in said
    assert "agentobs" not in {each["metadata"]["name"] for each in plane.listed("/api/v1/namespaces")}

    stack.program = None
    passed = stack.pulumi("preview")
    assert "agentobs@v" in passed.stdout
    assert "[mandatory]" not in passed.stdout
    assert "can't run policy" not in passed.stdout
