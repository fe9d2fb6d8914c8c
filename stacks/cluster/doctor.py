"""What is missing or unsafe before an `up`: settings, access, capacity and what must already be in the cluster.

Nothing is changed. Settings are judged first; the cluster is asked only where they are good.
"""

import contextlib
import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from stacks.cluster import addresses, hardening, load, plan
from stacks.cluster.external import external
from stacks.cluster.plan import Plan
from stacks.cluster.rollout import connect
from stacks.cluster.settings import ClusterSettings
from stacks.cluster.snapshots import GROUP
from stacks.environments import Environment
from stacks.policy.rules import containers
from stacks.settings import SettingsError

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_ZONE: Final = "topology.kubernetes.io/zone"
_MADE: Final = (
    ("", "namespaces"),
    ("apps", "statefulsets"),
    ("", "secrets"),
    ("rbac.authorization.k8s.io", "clusterroles"),
)
_NOT_FOUND: Final = 404
_UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "m": 1e-3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: what was found, and for what is not good, the fix."""

    what: str
    good: bool
    fix: str = ""


def examine(environment: Environment, raw: Mapping[str, str], secure: Collection[str]) -> Iterator[Finding]:
    """Everything that an `up` of this stack needs, good or not."""
    try:
        chosen = load.parse(raw, secure, environment).settings
    except SettingsError as error:
        for line in str(error).splitlines():
            what, _, fix = line.partition(" Fix: ")
            yield Finding(what=what, good=False, fix=fix)
        return
    yield Finding(what=f"{len(raw)} settings", good=True)
    try:
        api = connect(chosen.context)
        version: Any = client.VersionApi(api).get_code()
    except (ConfigException, HTTPError, ApiException, OSError) as error:
        fix = "kubectl config get-contexts, then pulumi config set agentobs:context <name>"
        yield Finding(what=f"the cluster of context {chosen.context}: {_short(error)}", good=False, fix=fix)
        return
    yield Finding(what=f"cluster {chosen.context}, Kubernetes {version.git_version}", good=True)
    yield from _users(version, chosen)
    made = plan.make(environment, chosen)
    yield from _rights(api)
    yield from _storage(api, chosen.storage_class)
    yield from _room(api, made)
    yield from _zones(api, environment)
    yield from _present(api, made.namespace, [chosen.pull_secret, chosen.collector_tls_secret])
    yield from _external(api, chosen)
    if chosen.snapshot_class:
        custom, fix = client.CustomObjectsApi(api), "pulumi config set agentobs:snapshotClass <one that exists>"
        plural = "volumesnapshotclasses"
        ask = functools.partial(custom.get_cluster_custom_object, GROUP, "v1", plural, chosen.snapshot_class)
        yield _found(f"snapshot class {chosen.snapshot_class}", fix, ask)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _users(version: Any, chosen: ClusterSettings) -> Iterator[Finding]:  # noqa: ANN401 of a library where all may be None
    """A provider's minor version may end in a sign: `33+`."""
    if not chosen.user_namespaces:
        return
    there = int(version.major), int(version.minor.rstrip("+"))
    good, wanted = there >= hardening.LEAST_FOR_USERS, ".".join(map(str, hardening.LEAST_FOR_USERS))
    fix = "" if good else "pulumi config rm agentobs:userNamespaces, or a newer cluster"
    yield Finding(what=f"user namespaces, which need Kubernetes {wanted}", good=good, fix=fix)


def _rights(api: Any) -> Iterator[Finding]:  # noqa: ANN401 of a library where everything may be None
    for group, resource in _MADE:
        wanted = client.V1ResourceAttributes(verb="create", group=group, resource=resource)
        review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=wanted))
        answer: Any = client.AuthorizationV1Api(api).create_self_subject_access_review(review)
        allowed = answer.status.allowed
        fix = f"a role that may create {resource}; ask who runs the cluster"
        yield Finding(what=f"the right to create {resource}", good=bool(allowed), fix="" if allowed else fix)


def _storage(api: Any, named: str | None) -> Iterator[Finding]:  # noqa: ANN401 of a library where everything may be None
    listed: Any = client.StorageV1Api(api).list_storage_class()
    classes = {each.metadata.name: each for each in listed.items}
    if named:
        fix = f"pulumi config set agentobs:storageClass <one of {', '.join(classes) or 'none yet'}>"
        yield Finding(what=f"storage class {named}", good=named in classes, fix="" if named in classes else fix)
        return
    default = [name for name, each in classes.items() if (each.metadata.annotations or {}).get(_DEFAULT) == "true"]
    fix = f"pulumi config set agentobs:storageClass <one of {', '.join(classes) or 'none yet'}>"
    what = f"storage class {default[0]}, the default" if default else "no default storage class"
    yield Finding(what=what, good=bool(default), fix="" if default else fix)


def _room(api: Any, made: Plan) -> Iterator[Finding]:  # noqa: ANN401 of a library where everything may be None
    """Requests against what all nodes have. What others use is not known here, so that this is the least needed."""
    nodes = _nodes(api)
    for resource, unit, scale in (("cpu", "cores", 1.0), ("memory", "GiB", 2.0**30)):
        wanted = sum(_requested(manifest, resource) for manifest in made.manifests) / scale
        there = sum(quantity(node.status.allocatable[resource]) for node in nodes) / scale
        good = wanted <= there
        what = f"{resource}: {wanted:.1f} {unit} requested of {there:.1f} on {len(nodes)} nodes"
        yield Finding(what=what, good=good, fix="" if good else "more or larger nodes, or agentobs:langfuse off")


def _nodes(api: Any) -> list[Any]:  # noqa: ANN401 of a library where everything may be None
    listed: Any = client.CoreV1Api(api).list_node()
    return list(listed.items)


def _requested(manifest: Mapping[str, Any], resource: str) -> float:
    replicas = manifest.get("spec", {}).get("replicas", 1) if containers(manifest) else 0
    each = sum(quantity(container["resources"]["requests"][resource]) for container in containers(manifest))
    return float(replicas * each)


def quantity(text: str) -> float:
    """A quantity of Kubernetes as a number: `250m` is 0.25, `1Gi` 2^30."""
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    return float(text.removesuffix(unit)) * _UNITS.get(unit, 1)


def _zones(api: Any, environment: Environment) -> Iterator[Finding]:  # noqa: ANN401 of a library where everything may be None
    cluster = plan.cluster_of(environment)
    if not cluster.zones:
        return
    nodes = _nodes(api)
    zones = {(node.metadata.labels or {}).get(_ZONE) for node in nodes} - {None}
    most = max(size.replicas for size in cluster.sizes.values())
    good = len(zones) >= most
    fix = f"nodes in {most} zones, labelled {_ZONE}"
    yield Finding(what=f"nodes in {len(zones)} zones, {most} wanted", good=good, fix="" if good else fix)


def _external(api: Any, chosen: ClusterSettings) -> Iterator[Finding]:  # noqa: ANN401 of a library where everything may be None
    """External services in this cluster, and namespaces that are let in. What is outside, pods must reach."""
    core = client.CoreV1Api(api)
    for service in external(chosen):
        for url in {addresses.place(url): url for url in (service.url, service.otlp_url) if url}.values():
            space, name = addresses.namespace(url), addresses.service(url)
            if space:
                fix = f"pulumi config set agentobs:{service.name}Url <the address of a service that exists>"
                ask = functools.partial(core.read_namespaced_service, name, space)
                yield _found(f"service {name} in {space}", fix, ask)
                yield from _pod_port(ask, url, chosen.service_pod_ports)
    for key, space in (("prometheus", chosen.prometheus_namespace), ("grafana", chosen.grafana_namespace)):
        if space:
            fix = f"pulumi config set agentobs:{key}Namespace <the namespace of {key.capitalize()}>"
            yield _found(f"namespace {space}", fix, functools.partial(core.read_namespace, space))


def _pod_port(ask: Callable[[], Any], url: str, said: Mapping[str, int]) -> Iterator[Finding]:
    """A policy sees the port of the pod: where the service leads to another one, nothing would get through."""
    with contextlib.suppress(ApiException):
        numbers = {port.port: port.target_port for port in ask().spec.ports}
        place, target = addresses.place(url), numbers.get(addresses.port(url))
        if isinstance(target, int) and target != said.get(place, addresses.port(url)):
            fix = f"pulumi config set --path 'agentobs:servicePodPorts[\"{place}\"]' {target}"
            yield Finding(what=f"{place} leads to port {target}, which no policy opens", good=False, fix=fix)


def _found(what: str, fix: str, ask: Callable[[], object]) -> Finding:
    try:
        ask()
    except ApiException as error:
        why = "is missing" if error.status == _NOT_FOUND else f"cannot be read: {error.reason}"
        return Finding(what=f"{what} {why}", good=False, fix=fix)
    return Finding(what=what, good=True)


def _present(api: Any, namespace: str, names: Collection[str | None]) -> Iterator[Finding]:  # noqa: ANN401
    """Secrets that somebody else keeps must be in the namespace before the pods start."""
    for name in names:
        if name is None:
            continue
        fix = f"create it in namespace {namespace}, for example with cert-manager"
        ask = functools.partial(client.CoreV1Api(api).read_namespaced_secret, name, namespace)
        yield _found(f"secret {name} in {namespace}", fix, ask)
