"""`agentobs langfuse`: what a Langfuse project needs beyond what it makes at its first start."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from agentobs import scores
from agentobs.scores import Credentials, ScoreError
from collector.langfuse.score_configs import STANDARD, ScoreConfig
from stacks.cli import safe
from stacks.cli.options import Stack
from stacks.clients.langfuse import Action, Configs
from stacks.cluster.rollout import connect
from stacks.cluster.secrets import secret_of
from stacks.endpoints import of_stack
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.settings import NAMESPACE
from stacks.workspace import Workspace, WorkspaceError

app = typer.Typer(help="The project in Langfuse.", no_args_is_help=True)
_WEB: Final = "langfuse-web"


@app.command()
def configure(
    stack: Stack = EnvName.LOCAL,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="An evaluation of yours, scored 0 to 1; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
) -> None:
    """Make the score configs that are missing and mend those that differ; a second run changes nothing.

    Keys come from the stack; where LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are set, from there.
    """
    known = {config.name for config in STANDARD}
    try:
        own = [ScoreConfig(name=each) for each in name or [] if each not in known]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with _project(stack) as project:
        for each, action in Configs(project).reconcile([*STANDARD, *own], dry_run=dry_run):
            said = f"would be {action}" if dry_run and action is not Action.SAME else action
            safe.say(f"{each}: {said}")


@contextmanager
def _project(stack: EnvName) -> Iterator[Credentials]:
    try:
        given = scores.from_environment(os.environ)
    except ValueError as error:
        raise ScoreError(str(error)) from None
    if given:
        yield given
        return
    workspace = Workspace(stack)
    if ENVIRONMENTS[stack].cluster is None:
        yield _credentials(_setting(workspace, "langfuseUrl"), _file(_setting(workspace, "langfuseKeysFile")))
        return
    with of_stack(stack, ["langfuse"]) as there:
        if "langfuse" not in there.urls:
            raise WorkspaceError(
                f"the stack {stack} has no Langfuse; fix: pulumi config set {NAMESPACE}:langfuse managed"
            )
        said = workspace.outputs()
        if "langfuse" in said["external"]:
            yield _credentials(there.urls["langfuse"], _setting(workspace, "langfuseKeys"))
        else:
            public, secret = _generated(said["cluster"]["context"], said["cluster"]["namespace"])
            yield Credentials(url=there.urls["langfuse"], public_key=public, secret_key=secret)


def _setting(workspace: Workspace, key: str) -> str:
    try:
        return workspace.pulumi("config", "get", f"{NAMESPACE}:{key}", quiet=True).strip()
    except WorkspaceError:
        raise WorkspaceError(
            f"the stack {workspace.stack} has no {NAMESPACE}:{key}."
            f" Fix: agentobs pulumi -s {workspace.stack} config set {NAMESPACE}:{key} <value>, or name the project in"
            " LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        ) from None


def _file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ScoreError(f"the keys of Langfuse in {path} cannot be read: {error.strerror}") from None


def _credentials(url: str, keys: str) -> Credentials:
    """`keys` is base64 of `public_key:secret_key`. Raises ScoreError that does not show them."""
    try:
        public, colon, secret = base64.b64decode(keys.strip(), validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise ScoreError("the keys of Langfuse are not base64 of public_key:secret_key")
    return Credentials(url=url.rstrip("/"), public_key=public, secret_key=secret)


def _generated(context: str, namespace: str) -> tuple[str, str]:
    """The keys that the stack has made, as its own pods get them."""
    try:
        found = client.CoreV1Api(connect(context)).read_namespaced_secret(secret_of(_WEB), namespace)
    except ApiException as error:
        raise ScoreError(
            f"the secret {secret_of(_WEB)} in namespace {namespace} of {context} cannot be read: {error.reason}."
            " Fix: a role that may get it, or the keys of the project in LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        ) from None
    data = found.data or {}
    keys = [base64.b64decode(data.get(key, "")).decode() for key in ("langfusePublicKey", "langfuseSecretKey")]
    return keys[0], keys[1]
