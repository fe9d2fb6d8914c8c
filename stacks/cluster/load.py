"""Reading the settings of a stack: all that is missing, wrong or unsafe is said at once, before anything is made."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from stacks.cluster import required, unused
from stacks.cluster.external import external
from stacks.cluster.secrets import SECRETS
from stacks.cluster.settings import ClusterSettings
from stacks.environments import Environment
from stacks.settings import NAMESPACE, SettingsError, ours, read


@dataclass(frozen=True, slots=True)
class Read:
    """Settings that passed every check, and which secret settings came with them."""

    settings: ClusterSettings
    given: frozenset[str]


def parse(raw: Mapping[str, str], secure: Collection[str], environment: Environment) -> Read:
    """Read all configuration of a stack, `{"agentobs:key": text}`; `secure` are the keys that Pulumi keeps encrypted.

    Raises SettingsError with one line for everything that is missing, wrong or unsafe.
    """
    stack, values = str(environment.name), ours(raw)
    secrets = {key for key in values if key in SECRETS}
    problems: list[str] = []
    try:
        settings = read(ClusterSettings, {key: text for key, text in values.items() if key not in secrets}, stack)
    except SettingsError as error:
        problems.append(str(error))
    else:
        problems += [*_unsafe(settings, environment, secrets)]
    problems += [
        f"{NAMESPACE}:{key} of stack {stack} is a secret that stands there in plain text."
        f" Fix: {_set_secret(key, stack)}, and change the secret where it is issued"
        for key in sorted(secrets)
        if f"{NAMESPACE}:{key}" not in secure
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    return Read(settings, frozenset(secrets))


def _set_secret(key: str, stack: str) -> str:
    return f"pulumi config set --secret {NAMESPACE}:{key} -s {stack}"


def _unsafe(settings: ClusterSettings, environment: Environment, secrets: Collection[str]) -> Iterator[str]:
    """What the environment needs and the settings do not give."""
    stack = str(environment.name)
    for key in required.secrets(settings, environment):
        if key not in secrets:
            yield f"{NAMESPACE}:{key} of stack {stack} is missing: {SECRETS[key]}. Fix: {_set_secret(key, stack)}"
    for said in required.incomplete(settings, environment):
        yield f"settings of stack {stack}: {said}"
    yield from (f"settings of stack {stack}: {said}" for said in required.missing_receivers(settings, environment))
    yield from (f"settings of stack {stack}: {said}" for said in unused.unused(settings, environment))
    for said in unused.exposed(external(settings), environment):
        yield f"settings of stack {stack}: {said}"
