"""Scanners of manifests, and what they find: checkov from a lock file of its own, kube-score from the toolchain."""

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

import toolchain
from toolchain.settings import cache_root

_LOCK: Final = Path(__file__).resolve().parents[1] / "checkov.lock"
_GOOD: Final = 10
_CRITICAL: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Checks that passed, and (check, `Kind/name`, critical or not) of those that did not."""

    passed: int
    failed: frozenset[tuple[str, str, bool]]

    @property
    def score(self) -> float:
        """Percent of the checks that passed."""
        return 100 * self.passed / (self.passed + len(self.failed))


def checkov(folder: Path) -> dict[str, Found]:
    """Scan the manifests in each subfolder, all in one go: name of the subfolder -> what was found."""
    command = [str(_checkov()), "-d", ".", "--framework", "kubernetes", "--skip-download", "-o", "json"]
    done = subprocess.run([*command, "--compact"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    assert document["summary"]["parsing_errors"] == 0
    results = document["results"]
    return {
        each.name: Found(
            passed=len(_of(results["passed_checks"], each)),
            failed=frozenset(
                (one["check_id"], _short(one["resource"]), False) for one in _of(results["failed_checks"], each)
            ),
        )
        for each in sorted(folder.iterdir())
    }


def _of(results: Iterable[Mapping[str, Any]], folder: Path) -> list[Mapping[str, Any]]:
    return [each for each in results if Path(each["file_abs_path"]).parent.name == folder.name]


def _short(resource: str) -> str:
    """`Kind/name` of `Kind.namespace.name`."""
    kind, _, name = resource.split(".", 2)
    return f"{kind}/{name}"


def kube_score(folder: Path) -> Found:
    """Scan the manifests in a folder."""
    binary = toolchain.require(["kube-score"])["kube-score"]
    files = [str(path) for path in sorted(folder.glob("*.yaml"))]
    command = [str(binary), "score", "--output-format", "json", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    graded = [
        (check["check"]["id"], f"{each['type_meta']['kind']}/{each['object_meta']['name']}", check["grade"])
        for each in json.loads(done.stdout)
        for check in each["checks"]
        if not check["skipped"]
    ]
    return Found(
        passed=len([grade for _, _, grade in graded if grade >= _GOOD]),
        failed=frozenset((check, name, grade <= _CRITICAL) for check, name, grade in graded if grade < _GOOD),
    )


def _checkov() -> Path:
    """The command of an environment that has just what the lock file says; made once for all checkouts."""
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    root = cache_root() / "checkov"
    root.mkdir(parents=True, exist_ok=True)
    home = root / digest
    with FileLock(root / "lock"):
        if not (home / "ready").exists():
            print("installing checkov, once (about a minute) ...", file=sys.__stderr__, flush=True)
            for older in root.glob("*/"):
                shutil.rmtree(older)
            venv.create(home, with_pip=True)
            pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--require-hashes", "-r", str(_LOCK)], check=True)
            (home / "ready").touch()
    return home / "bin" / "checkov"
