"""Manifests of dev, staging and prod: valid, safe, complete, and different only where they are meant to be."""

import json
import re
from itertools import chain

import pytest
import yaml
from support.clusters import ON_KUBERNETES, PERMISSIVE, SECRETS, planned
from support.kubernetes_schemas import validate

import toolchain.table
from stacks.cluster import names, network
from stacks.cluster.provision import logical_name
from stacks.cluster.releases import namespace_of
from stacks.components.prometheus import METRICS_ANNOTATION
from stacks.environments import EnvName
from stacks.policy import rules
from stacks.ports import CLUSTER_PORTS
from stacks.versions import IMAGES, LEAST_AGREEING

KUBERNETES = ("1.32", "1.34", "1.36")
MADE = {
    **{str(name): (name, {}) for name in ON_KUBERNETES},
    **{f"{name} with Jaeger and VictoriaLogs": (name, PERMISSIVE[name]) for name in ON_KUBERNETES},
}
_DNS = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


@pytest.fixture(params=MADE, scope="module")
def made(request):
    name, changed = MADE[request.param]
    return planned(name, **changed)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.filterwarnings("ignore")
def test_every_manifest_is_what_kubernetes_takes_strictly(made, version):
    assert made.manifests
    for manifest in made.manifests:
        validate(manifest, version)


def test_no_manifest_breaks_a_rule_of_the_policy_pack(made):
    assert rules.violations(made.manifests) == []


def test_secret_values_are_in_no_manifest(made):
    text = json.dumps(made.manifests)
    assert not [value for value in SECRETS.values() if value in text]


def test_every_secret_that_a_pod_uses_exists_with_that_key(made):
    held = {each["metadata"]["name"]: set(each["stringData"]) for each in made.manifests if each["kind"] == "Secret"}
    used: dict[str, set[str]] = {}
    for manifest in made.manifests:
        for container in rules.containers(manifest):
            for variable in container["env"]:
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    used.setdefault(reference["name"], set()).add(reference["key"])
        for volume in rules.pod_spec(manifest).get("volumes", ()):
            if "secret" in volume and volume["secret"]["secretName"] != "collector-tls":
                keys = {item["key"] for item in volume["secret"]["items"]}
                used.setdefault(volume["secret"]["secretName"], set()).update(keys)
    assert used == held


def test_every_configuration_that_a_pod_mounts_exists(made):
    held = {each["metadata"]["name"]: set(each["data"]) for each in made.manifests if each["kind"] == "ConfigMap"}
    sources = [
        source["configMap"]
        for manifest in made.manifests
        for volume in rules.pod_spec(manifest).get("volumes", ())
        for source in volume.get("projected", {}).get("sources", ())
        if "configMap" in source and source["configMap"]["name"] != "kube-root-ca.crt"
    ]
    assert {each["name"] for each in sources} == set(held)
    assert all(item["key"] in held[each["name"]] for each in sources for item in each["items"])


def test_no_configuration_is_larger_than_an_object_may_be(made):
    sizes = [len(json.dumps(each)) for each in made.manifests if each["kind"] == "ConfigMap"]
    assert max(sizes) < 900_000


def test_names_are_unique_and_short_enough(made):
    seen = [(each["kind"], each["metadata"]["name"]) for each in made.manifests]
    assert len(seen) == len(set(seen))
    assert all(_DNS.fullmatch(name) for _, name in seen)
    logical = [logical_name(each) for each in made.manifests]
    assert len(logical) == len(set(logical))


def test_names_of_ports_are_short_enough_and_unique_in_a_pod(made):
    for manifest in made.manifests:
        for container in rules.containers(manifest):
            ports = [port["name"] for port in container["ports"]]
            assert all(len(name) <= 15 for name in ports), ports
            assert len(ports) == len(set(ports))


def test_everything_but_the_namespace_and_rights_beyond_it_lies_in_the_namespace(made):
    where = {made.namespace, namespace_of(made.namespace)}
    beyond = {each["kind"] for each in made.manifests if each["metadata"].get("namespace") not in where}
    assert beyond == {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def test_nothing_runs_where_releases_are_kept(made):
    (there,) = {each["metadata"]["name"] for each in made.manifests if each["kind"] == "Namespace"} - {made.namespace}
    inside = {each["kind"] for each in made.manifests if each["metadata"].get("namespace") == there}
    assert (there, inside) == (f"{made.namespace}-releases", {"ResourceQuota", "Role"})


def test_every_call_inside_the_namespace_is_allowed_at_both_ends(made):
    policies = {each["metadata"]["name"]: each["spec"] for each in made.manifests if each["kind"] == "NetworkPolicy"}
    flows = network.flows(made.workloads)
    assert flows
    for flow in flows:
        outward = {"podSelector": {"matchLabels": names.selector(flow.target)}}
        inward = {"podSelector": {"matchLabels": names.selector(flow.source)}}
        assert _allowed(policies[flow.source]["egress"], "to", outward, flow.number)
        assert _allowed(policies[flow.target]["ingress"], "from", inward, flow.number)


def _allowed(ways, direction, peer, number) -> bool:
    return any(peer in way[direction] and number in [port["port"] for port in way["ports"]] for way in ways)


def test_every_address_in_a_configuration_is_an_allowed_flow(made):
    """What a configuration names as `service:port` of ours, the policies let through."""
    services = {names.owner(port) for port in CLUSTER_PORTS}
    allowed = {(flow.source, flow.target, flow.number) for flow in network.flows(made.workloads)}
    named = re.compile(
        rf"(?:[a-z-]+-[0-9]\.)?\b({'|'.join(sorted(services, key=len, reverse=True))})(?:-members)?:([0-9]+)"
    )
    missing = set()
    for workload in made.workloads:
        for text in (*workload.files.values(), *workload.command, *workload.env.values()):
            if text.lstrip().startswith("{"):
                continue  # a board
            for target, number in named.findall(text):
                if (workload.name, target, int(number)) not in allowed and target != workload.name:
                    missing.add((workload.name, target, int(number)))
    assert missing == set()


@pytest.mark.parametrize(
    "stores", [{name: {} for name in ON_KUBERNETES}, PERMISSIVE], ids=["tempo, loki", "jaeger, victorialogs"]
)
def test_volumes_are_kept_or_deleted_as_the_environment_says(stores):
    kept = {name: _retention(planned(name, **stores[name])) for name in ON_KUBERNETES}
    assert kept == {EnvName.DEV: {"Delete"}, EnvName.STAGING: {"Retain"}, EnvName.PROD: {"Retain"}}


def _retention(made) -> set[str]:
    return {
        each["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"]
        for each in made.manifests
        if each["kind"] == "StatefulSet"
    }


def test_dev_asks_for_little():
    """CPU (cores) and memory (GiB) that dev requests, with Langfuse and without."""
    for stores in ({}, PERMISSIVE[EnvName.DEV]):
        cpu, memory = _requested(planned(EnvName.DEV, **stores))
        assert cpu <= 4
        assert memory <= 8
        cpu, memory = _requested(planned(EnvName.DEV, **stores, langfuse="off"))
        assert cpu <= 1.5
        assert memory <= 3


def _requested(made) -> tuple[float, float]:
    requests = [c["resources"]["requests"] for m in made.manifests for c in rules.containers(m)]
    cpu = sum(int(each["cpu"].removesuffix("m")) for each in requests) / 1000
    return cpu, sum(int(each["memory"].removesuffix("Mi")) for each in requests) / 1024


def test_the_table_of_images_says_which_native_version_was_tested():
    native = {recipe.name: recipe.version for recipe in toolchain.table.RECIPES}
    for name, image in IMAGES.items():
        assert image.agreeing >= LEAST_AGREEING
        if image.native:
            assert native[name] == image.native
            assert image.reason or image.tag.removeprefix("v") == image.native
        else:
            assert image.reason or name not in native


def test_a_prometheus_older_than_3_16_is_told_to_know_the_modifier_that_our_rules_use():
    """It would refuse the rule file, and with it the start."""
    major, minor, _ = IMAGES["prometheus"].tag.removeprefix("v").split(".")
    (prometheus,) = (each for each in planned(EnvName.DEV).workloads if each.name == "prometheus")
    assert "] anchored" in prometheus.files["rules.yml"]
    enabled = next(each for each in prometheus.command if each.startswith("--enable-feature="))
    assert (int(major), int(minor)) >= (3, 16) or "promql-extended-range-selectors" in enabled


def test_every_image_of_the_table_is_used():
    plans = [planned(name, **changed) for name, changed in MADE.values()]
    used = {c["image"] for made in plans for m in made.manifests for c in rules.containers(m)}
    assert used == {image.at(None) for image in IMAGES.values()}


def test_people_come_in_by_an_ingress_or_a_gateway_or_not_at_all():
    kinds = ("Ingress", "HTTPRoute")
    by_ingress, by_gateway, closed = (
        {(each["kind"], each["metadata"]["name"]) for each in made.manifests if each["kind"] in kinds}
        for made in (
            planned(EnvName.STAGING),
            planned(EnvName.STAGING, gateway="edge/public", ingressClass=None),
            planned(EnvName.DEV),
        )
    )
    assert by_ingress == {("Ingress", "grafana"), ("Ingress", "langfuse")}
    assert by_gateway == {("HTTPRoute", "grafana"), ("HTTPRoute", "langfuse")}
    assert closed == set()


def test_a_mirror_replaces_the_host_of_every_image():
    made = planned(EnvName.DEV, registry="mirror.example.com/hub")
    images = [c["image"] for m in made.manifests for c in rules.containers(m)]
    assert images
    assert all(image.startswith("mirror.example.com/hub/") for image in images)


# Environment, a retention -> the objects that hold it; VictoriaLogs has it in its arguments.
ABOUT = [
    ({}, "tracesRetention", {("ConfigMap", "tempo"), ("StatefulSet", "tempo")}),
    ({}, "logsRetention", {("ConfigMap", "loki"), ("StatefulSet", "loki")}),
    (PERMISSIVE[EnvName.DEV], "tracesRetention", {("ConfigMap", "jaeger"), ("StatefulSet", "jaeger")}),
    (PERMISSIVE[EnvName.DEV], "logsRetention", {("StatefulSet", "victorialogs")}),
]


@pytest.mark.parametrize(("stores", "key", "objects"), ABOUT)
def test_a_setting_changes_only_what_it_is_about(stores, key, objects):
    before, after = planned(EnvName.DEV, **stores), planned(EnvName.DEV, **stores, **{key: "5d"})
    changed = {
        (each["kind"], each["metadata"]["name"].rpartition("-")[0] or each["metadata"]["name"])
        for each in chain(before.manifests, after.manifests)
        if (each in before.manifests) != (each in after.manifests)
    }
    assert changed == objects


def test_rules_and_boards_change_in_place_and_roll_nothing():
    before, after = planned(EnvName.DEV), planned(EnvName.DEV, runbooksUrl="https://runbooks.example.com")
    changed = [each for each in after.manifests if each not in before.manifests]
    assert changed
    assert {each["kind"] for each in changed} == {"ConfigMap"}
    assert not any(each.get("immutable") for each in changed)


def test_manifests_are_plain_yaml(made):
    text = yaml.dump_all(made.manifests, Dumper=yaml.CSafeDumper)
    assert list(yaml.load_all(text, Loader=yaml.CSafeLoader)) == list(made.manifests)


@pytest.mark.parametrize("stores", [{}, PERMISSIVE[EnvName.DEV]], ids=["tempo, loki", "jaeger, victorialogs"])
def test_only_what_gives_metrics_is_scraped(stores):
    """A scrape of anything else would be a page for ever."""
    silent = {"postgres", "valkey", "objects", "langfuse-web", "langfuse-worker"}
    made = planned(EnvName.DEV, **stores)
    runs = {each["metadata"]["name"]: each for each in made.manifests if rules.pod_spec(each)}
    scraped = {
        name
        for name, each in runs.items()
        if METRICS_ANNOTATION in each["spec"]["template"]["metadata"].get("annotations", {})
    }
    assert scraped == runs.keys() - silent
