"""A stack on a cluster, driven as a person drives it: the product's command, and Pulumi through it."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import toolchain
from stacks.environments import EnvName
from support.clusters import SECRETS, SETTINGS
from support.control_plane import ControlPlane

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(kw_only=True)
class ClusterStack:
    """A stack with a state folder of its own; `took`: first word of a Pulumi command -> seconds.

    `tree` is the checkout whose program, modules and command it uses; `program` is another program in their place.
    `checkpoints`: Pulumi writes its state after each step and not only at the end, as it does for everybody; that takes
    most of the time of an `up`.
    """

    name: EnvName
    home: Path
    plane: ControlPlane
    namespace: str = "agentobs"
    took: dict[str, float] = field(default_factory=dict)
    tree: Path = ROOT
    program: Path | None = None
    checkpoints: bool = False

    def env(self) -> dict[str, str]:
        """Variables under which commands work on this stack and this cluster."""
        provider = toolchain.require(["pulumi-resource-kubernetes"])["pulumi-resource-kubernetes"].parent
        faster = {} if self.checkpoints else {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        return {
            **os.environ,
            **faster,
            "AGENTOBS_HOME": str(self.home),
            "KUBECONFIG": str(self.plane.kubeconfig),
            "PATH": os.pathsep.join([str(provider), os.environ["PATH"]]),
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
            "PYTHONPATH": str(self.tree),
            "NO_COLOR": "1",
        }

    def agentobs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the stack."""
        command = [str(Path(sys.executable).parent / "agentobs"), *arguments, "-s", str(self.name)]
        variables = {key: value for key, value in self.env().items() if not key.startswith("LANGFUSE_")}
        return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)

    def pulumi(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Pulumi on the stack; the time it took is kept under its first word."""
        link = self.home / "project" / "stacks"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(self.program or self.tree / "stacks")
        command = [str(Path(sys.executable).parent / "agentobs"), "pulumi", "-s", str(self.name), *arguments]
        started = time.monotonic()
        done = subprocess.run(command, env=self.env(), cwd=ROOT, capture_output=True, text=True, check=False)
        self.took[arguments[0]] = time.monotonic() - started
        if ok:
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done

    def set(self, key: str, value: str) -> None:
        """Change one setting; the next `up` applies it."""
        # Pulumi guesses by the name that the address of a token endpoint is a secret.
        kind = "--secret" if f"agentobs:{key}" in SECRETS else "--plaintext"
        self.pulumi("config", "set", kind, f"agentobs:{key}", "--", value)

    def set_all(self, settings: dict[str, str]) -> None:
        """Change many settings at once, by their full names."""
        pairs = [
            argument
            for key, value in settings.items()
            for argument in ("--secret" if key in SECRETS else "--plaintext", f"{key}={value}")
        ]
        self.pulumi("config", "set-all", *pairs)

    def configure(self, **more: str) -> None:
        """Give the stack the settings with which it can be deployed, and more."""
        settings = {**SETTINGS[self.name], "agentobs:rolloutTimeout": "3m"}
        settings |= {f"agentobs:{key}": value for key, value in more.items()}
        self.set_all(settings)

    def programmed(self, name: str, before: str) -> None:
        """Use a program that first does something and then is the product's."""
        self.program = self.home / name
        self.program.mkdir()
        (self.program / "policy").symlink_to(self.tree / "stacks" / "policy")
        product = f"import runpy\n\nrunpy.run_path({str(self.tree / 'stacks')!r}, run_name='__main__')\n"
        (self.program / "__main__.py").write_text(f"{before}\n{product}")

    def up(self, *, ok: bool = True) -> str:
        """Bring it up; returns what Pulumi printed."""
        done = self.pulumi("up", "--yes", "--skip-preview", "--suppress-permalink=true", ok=ok)
        return done.stdout + done.stderr

    def objects(self, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        """Objects of a kind in the namespace: `apps/v1/statefulsets`, `v1/services`."""
        group, _, plural = kind.rpartition("/")
        root = "/api" if group == "v1" else "/apis"
        return self.plane.listed(f"{root}/{group}/namespaces/{namespace or self.namespace}/{plural}")

    def force_down(self) -> None:
        """Take everything away, whatever is protected, and wait until the namespace is gone."""
        if self._exists():
            self.plane.api("DELETE", "/api/v1/namespaces/agentobs")
        for kind in ("clusterrolebindings", "clusterroles"):
            path = f"/apis/rbac.authorization.k8s.io/v1/{kind}"
            for each in self.plane.listed(path):
                if each["metadata"]["name"].startswith("agentobs-"):
                    self.plane.api("DELETE", f"{path}/{each['metadata']['name']}")
        self.plane.await_gone("agentobs")

    def _exists(self) -> bool:
        return "agentobs" in {each["metadata"]["name"] for each in self.plane.listed("/api/v1/namespaces")}
