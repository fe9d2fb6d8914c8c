"""The commands of CI and of delivery, once for all platforms."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from delivery.errors import DeliveryError

RESULTS: Final = "agents-ci"
"""The folder that everything is written to, and that is kept."""
_PLAIN: Final = re.compile(r"[\w./:@=+ -]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Where things lie in a repository. `servers` empty: there is no tool server to test."""

    system: str
    dataset: str
    prompts: str
    servers: str
    release: str
    install: str
    python: str = "3.12"

    def __post_init__(self) -> None:
        """Raises DeliveryError for what would be something else inside a workflow."""
        for key in ("system", "dataset", "prompts", "servers", "release", "install", "python"):
            value = getattr(self, key)
            if value and not _PLAIN.fullmatch(value):
                raise DeliveryError(
                    f"--{key} {value!r} does not fit into a workflow; fix: letters, digits and ./:@=+- only"
                )
        for key in ("dataset", "prompts", "servers", "release"):
            path = PurePosixPath(getattr(self, key))
            if path.is_absolute() or ".." in path.parts:
                raise DeliveryError(f"--{key} {path}: lies outside the repository; fix: a path below its root")


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and its name for people."""

    name: str
    command: str


def checks(project: Project) -> list[Step]:
    """What every change goes through, offline and without a secret. The last one blocks."""
    word = shlex.quote
    dataset = word(project.dataset)
    found = []
    if project.prompts:
        found.append(
            Step("Lint prompts", f"agentobs prompts lint {word(project.prompts)} --sarif {RESULTS}/prompts.sarif")
        )
    if project.servers:
        servers = f"agentobs tools test {word(project.servers)} --examples {dataset}"
        found.append(Step("Test tools", f"{servers} --junit {RESULTS}/tools.xml"))
    found.append(Step("Check the golden dataset", f"agentobs golden check {dataset}"))
    found.append(
        Step("Replay, compare, block", f"agentobs golden gate {word(project.system)} {dataset} --out {RESULTS}/golden")
    )
    return found


def live(project: Project) -> Step:
    """With a live model: for changes of prompt, model or graph, where secrets may be used."""
    command = f"agentobs golden gate {shlex.quote(project.system)} {shlex.quote(project.dataset)} --online --vary-seed"
    return Step("Replay with the live model", f"{command} --out {RESULTS}/live")


def baseline_of(project: Project, branch: str) -> Step:
    """The baseline that counts is that of the branch that a change goes to: a change cannot bring its own."""
    path = shlex.quote(f"{project.dataset}/baseline.json")
    take = f'git fetch --depth=1 origin "{branch}" && git checkout FETCH_HEAD -- {path}'
    return Step("Take the baseline of the target branch", take)


def deliveries(project: Project) -> Mapping[str, list[Step]]:
    """After the merge: build the release, try it in staging, then a canary in production."""
    folder = shlex.quote(project.release)

    def run(stack: str, verb: str) -> str:
        """Keep the release, read its id, and start it."""
        kept = f"RELEASE=$(agentobs release build {folder} --stack {stack} | sed -n 's/^kept //p')"
        return f'{kept}\ntest -n "$RELEASE"\nagentobs release {verb} "$RELEASE" --stack {stack} --reason "merged"'

    return {
        "build": [Step("Check that the release builds", f"agentobs release check {folder}")],
        "staging": [Step("Keep the release, and promote it", run("staging", "promote"))],
        "production": [Step("Keep the release, and start a canary", run("prod", "canary"))],
    }


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and no aliases: people read and change these files."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 yaml's own
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def written(head: str, document: Mapping[str, Any]) -> str:
    """A workflow as a file; `head` says what it is for."""
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return "".join(f"# {line}\n" for line in head.splitlines()) + body
