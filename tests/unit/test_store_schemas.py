"""Our configurations of Tempo and Loki have only keys that these know, with values of the right type.

Neither is built, as their licence is the AGPL, so their own checks run only where a publisher's program is on PATH.
What they know is in `tests/schemas`: facts from the configuration reference of the version whose image we run.
"""

import copy

import pytest
import yaml
from support import known_keys
from support.clusters import EXTERNAL, ON_KUBERNETES, planned

import toolchain.table
from collector.stores import GRAFANA
from stacks.deployment import Deployment
from stacks.environments import LOCAL
from stacks.observability import workloads
from stacks.versions import IMAGES

STORES = ("tempo", "loki")
CASES = ("local", *ON_KUBERNETES, *EXTERNAL)


def _configurations(case, placement):
    """Store -> its configuration, where the case has one of ours."""
    if case == "local":
        made = workloads(Deployment.of(LOCAL, stores=GRAFANA), placement)
    else:
        name, changed = EXTERNAL.get(case, (case, {}))
        made = planned(name, **changed).workloads
    return {each.name: yaml.safe_load(each.files[f"{each.name}.yaml"]) for each in made if each.name in STORES}


@pytest.mark.parametrize("case", CASES)
def test_every_key_is_known_and_every_value_fits(case, placement):
    configurations = _configurations(case, placement)
    assert set(configurations) == set(STORES) or case in EXTERNAL
    for store, configuration in configurations.items():
        assert known_keys.problems(store, configuration) == []


@pytest.mark.parametrize("store", STORES)
def test_the_facts_are_of_the_version_that_runs(store):
    version = known_keys.facts(store)["source"]["version"]
    (recipe,) = (each for each in toolchain.table.RECIPES if each.name == store)
    assert (version, version) == (IMAGES[store].tag, recipe.version)


# What a slip of the hand makes of a configuration: store, path, new value (None: the key is misspelt), what is said.
SLIPS = (
    ("tempo", ("querier", "frontend_worker", "frontend_address"), None, "$.querier.frontend_worker: Additional"),
    ("tempo", ("server",), None, "$: Additional"),
    ("tempo", ("metrics_generator", "storage", "remote_write", 0, "url"), None, "remote_write[0]: Additional"),
    ("tempo", ("distributor", "receivers", "otlp", "protocols", "grpc", "endpoint"), 4317, "not of type 'string'"),
    ("tempo", ("compactor", "compaction", "block_retention"), "14d", "'14d' does not match"),
    ("tempo", ("memberlist", "bind_port"), "7946", "'7946' is not of type 'integer'"),
    ("tempo", ("memberlist", "bind_addr"), "127.0.0.1", "is not of type 'array'"),
    ("tempo", ("storage", "trace", "backend"), "filesystem", "'filesystem' is not one of"),
    ("loki", ("common", "ring", "kvstore", "store"), "gossip", "'gossip' is not one of"),
    ("loki", ("schema_config", "configs", 0, "index", "prefix"), None, "configs[0].index: Additional"),
    ("loki", ("limits_config", "retention_period"), 72, "72 is not of type 'string'"),
    ("loki", ("limits_config", "otlp_config", "resource_attributes", "attributes_config", 0, "action"), "index", "is"),
    ("loki", ("compactor", "retention_enabled"), "yes", "'yes' is not of type 'boolean'"),
    ("loki", ("auth_enabled",), None, "$: Additional"),
)


@pytest.mark.parametrize(("store", "path", "value", "said"), SLIPS, ids=lambda part: str(part)[:60])
def test_a_misspelt_key_and_a_wrong_value_are_named(store, path, value, said, placement):
    broken = copy.deepcopy(_configurations("local", placement)[store])
    *way, last = path
    held = broken
    for step in way:
        held = held[step]
    if value is None:
        held[f"{last}s"] = held.pop(last)
    else:
        held[last] = value

    (problem,) = known_keys.problems(store, broken)

    assert said in problem


def test_what_a_slip_breaks_is_found_at_every_depth_of_every_configuration(placement):
    """Each key of each configuration, misspelt, is a problem: no part of what we render is left unread."""
    for case in ("local", *ON_KUBERNETES):
        for store, configuration in _configurations(case, placement).items():
            unread = [path for path in _paths(configuration) if not _noticed(store, configuration, path)]
            # A mapping of labels has no fixed keys.
            assert [path for path in unread if "external_labels" not in path[:-1]] == []


def _noticed(store, configuration, path):
    broken = copy.deepcopy(configuration)
    held = broken
    for step in path[:-1]:
        held = held[step]
    held[f"{path[-1]}_"] = held.pop(path[-1])
    return bool(known_keys.problems(store, broken))


def _paths(node, above=()):
    """Where every key of a configuration lies."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*above, key)
            yield from _paths(value, (*above, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _paths(value, (*above, number))
