"""Two scanners that others wrote look at the manifests that `agentobs render manifests` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from support import scanners
from support.clusters import EXAMPLES, ON_KUBERNETES

from stacks.cluster import render
from stacks.environments import ENVIRONMENTS

LEAST: Final = {"checkov": 99.0, "kube-score": 98.0}

ACCEPTED: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "CKV_K8S_35": (
        (
            "Secrets in variables instead of files: Langfuse reads them from nowhere else, and the others put them into"
            " their configuration, which is a ConfigMap. The values are in a Secret, never in a manifest."
        ),
        frozenset(
            {
                "StatefulSet/clickhouse",
                "StatefulSet/objects",
                "StatefulSet/loki",
                "StatefulSet/tempo",
                "Deployment/langfuse-web",
                "Deployment/langfuse-worker",
            }
        ),
    ),
    "CKV_K8S_40": (
        (
            "A user id above 10000: the files of these images belong to user 1001, and the root file system is"
            " read-only, so another user could not start them."
        ),
        frozenset({"Deployment/langfuse-web", "Deployment/langfuse-worker"}),
    ),
}
"""Check of checkov -> why it is accepted, and for which workloads. Everything else must pass."""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("manifests")
    for name in ON_KUBERNETES:
        render.write(render.documents(ENVIRONMENTS[name], EXAMPLES / f"Pulumi.{name}.yaml"), folder / str(name))
    return folder


@pytest.fixture(scope="module")
def checked(rendered) -> dict[str, scanners.Found]:
    return scanners.checkov(rendered)


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_checkov_finds_only_what_is_accepted_with_a_reason(checked, name):
    found = checked[name]
    assert found.passed > 500
    unexplained = {(check, where) for check, where, _ in found.failed if where not in ACCEPTED.get(check, ("", ()))[1]}
    assert unexplained == set()
    assert found.score >= LEAST["checkov"]


def test_nothing_is_accepted_that_no_longer_fails(checked):
    failing = {(check, where) for found in checked.values() for check, where, _ in found.failed}
    assert failing == {(check, where) for check, (_, workloads) in ACCEPTED.items() for where in workloads}


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_kube_score_finds_nothing_critical(rendered, name):
    found = scanners.kube_score(rendered / str(name))
    assert found.passed > 100
    assert {(check, where) for check, where, critical in found.failed if critical} == set()
    assert found.score >= LEAST["kube-score"]
