"""The plan as files: for a review, for a GitOps tool, for scanners. Needs no cluster, and no secret reaches a file.

For a tool `Secret` objects are left out; `SECRETS.md` says which are expected, with which keys. For a review everything
is in one file, with a digest in the place of each long text.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from collector.document import to_yaml
from stacks.cluster import load, plan, secrets
from stacks.cluster.plan import Plan
from stacks.environments import Environment
from stacks.settings import NAMESPACE, SettingsError

SECRETS_FILE: Final = "SECRETS.md"
_READABLE: Final = 8_000
"""Characters of a configuration that a review shows; the longer ones are generated and committed elsewhere."""


def stack_settings(file: Path) -> tuple[dict[str, str], frozenset[str]]:
    """Settings of a stack file without decrypting it: values, and the keys that are encrypted.

    Raises SettingsError for a file that is missing or no stack file.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        config: Mapping[str, Any] = document.get("config") or {}
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise SettingsError(
            f"the settings in {file} cannot be read: {error}."
            f" Fix: pulumi stack init {file.stem.removeprefix('Pulumi.')}; pulumi config set {NAMESPACE}:context <name>"
        ) from None
    encrypted = {key for key, value in config.items() if isinstance(value, Mapping) and "secure" in value}
    return {key: _text(value) for key, value in config.items() if key not in encrypted} | dict.fromkeys(
        encrypted, "encrypted"
    ), frozenset(encrypted)


def _text(value: object) -> str:
    """As Pulumi hands it to a program: words for what is true or false, JSON for maps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def documents(environment: Environment, file: Path) -> dict[str, str]:
    """File name -> text of everything that the stack of this file would have. Raises SettingsError."""
    made = planned(environment, file)
    return {SECRETS_FILE: _secrets(made), **dict(_manifests(made))}


def planned(environment: Environment, file: Path) -> Plan:
    """The plan of the stack of this file. Raises SettingsError."""
    values, encrypted = stack_settings(file)
    return plan.make(environment, load.parse(values, encrypted, environment).settings)


def review(made: Plan) -> str:
    """All manifests in one text, so that a diff shows the effect of a change."""
    return "".join(f"---\n{to_yaml(_reviewed(manifest), blocks=True)}" for manifest in made.manifests)


def _reviewed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(manifest)
    if "stringData" in manifest:
        shown["stringData"] = dict.fromkeys(manifest["stringData"], "(secret)")
    if "data" in manifest:
        shown["data"] = {key: _digested(key, text) for key, text in manifest["data"].items()}
    return shown


def _digested(key: str, text: str) -> str:
    # JSON are boards: nobody reviews them here, however short.
    if len(text) <= _READABLE and not key.endswith(".json"):
        return text
    return f"({len(text.splitlines())} lines, sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]})"


def _manifests(made: Plan) -> Iterator[tuple[str, str]]:
    for manifest in made.manifests:
        if manifest["kind"] != "Secret":
            yield f"{manifest['kind'].lower()}-{manifest['metadata']['name']}.yaml", to_yaml(manifest, blocks=True)


def _secrets(made: Plan) -> str:
    """What must be there before the pods start."""
    lines = [
        "# Secrets that these manifests expect",
        "",
        f"In namespace `{made.namespace}`. `pulumi up` makes them; with another tool, make them first.",
        "",
        "| secret | key | value |",
        "|---|---|---|",
    ]
    for workload, values in secrets.used(made.workloads).items():
        lines += [f"| {secrets.secret_of(workload)} | {value} | {_meaning(value)} |" for value in values]
    return "\n".join(lines) + "\n"


def _meaning(value: str) -> str:
    kind = secrets.VALUES[value]
    if isinstance(kind, secrets.Given):
        return secrets.SECRETS[kind.setting]
    if isinstance(kind, secrets.Composed):
        shown = kind.text.strip().replace("{", "<").replace("}", ">")
        return f"base64 of `{shown}`" if kind.base64 else f"`{shown}`"
    prefix = f"`{kind.prefix}` and " if kind.prefix else ""
    lasting = "; never change it" if kind.lasting else ""
    return f"{prefix}{2 * kind.bytes} random hexadecimal digits{lasting}"


def write(made: Mapping[str, str], folder: Path) -> None:
    """Write the files; those of an earlier rendering go. Raises SettingsError for a folder with other things in it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / SECRETS_FILE).exists():
        raise SettingsError(f"{folder} holds other files. Fix: name a new or an empty folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.yaml"):
        stale.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
