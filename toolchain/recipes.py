"""How each native binary is made: the types of the table in `table.py`, and the hash that keys the cache."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from toolchain.settings import platform_key, toolchain_root

MODULES = Path(__file__).parent / "modules"
GENERATOR = "builder"
"""Below the folder of a recipe: the module of its generator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """One executable file of a recipe."""

    name: str
    version: str
    version_args: tuple[str, ...] = ("--version",)
    """Arguments that make it print its version on the first line."""
    path_names: tuple[str, ...] = ()
    """Names to look for on PATH; its own name when empty."""

    @property
    def names_on_path(self) -> tuple[str, ...]:
        """The file names that count as this binary on PATH."""
        return self.path_names or (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An official archive of one platform (tar.gz or zip)."""

    url: str
    sha256: str
    members: Mapping[str, str]
    """Pattern of a path in the archive -> file name to install it as; "" keeps the name it has."""
    version: str = ""
    """What its binaries report, where that is not the version that is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBuild:
    """A build with Go, from one of three kinds of source.

    - `folder`: a module in toolchain/modules/<folder> that pins everything (go.mod, go.sum);
    - `folder` and `generator`: the main package is first generated from builder.yaml by that Go tool, of which
      `folder`/builder pins everything;
    - `module`: a published module that is built inside its own folder of the module cache; `module_sum` is its h1 hash.
    """

    packages: tuple[str, ...]
    minimum_go: str
    folder: str = ""
    generator: str = ""
    module: str = ""
    module_sum: str = ""
    tags: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Go string variables set at link time, so that the binary can say its version."""
    quick: bool = False
    """Compile without optimisation: half the time, for a large binary that only tests run."""

    def arguments(self) -> list[str]:
        """Return the arguments of `go build`, without output folder and packages."""
        variables = "".join(f" -X {name}={value}" for name, value in self.variables.items())
        tags = ["-tags", self.tags] if self.tags else []
        quick = ["-gcflags", "all=-N -l"] if self.quick else []
        return ["-mod=readonly", "-buildvcs=false", "-trimpath", *tags, *quick, "-ldflags", f"-s -w{variables}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One thing to make at once; it may yield several binaries."""

    name: str
    binaries: tuple[Binary, ...]
    build: GoBuild | None = None
    """None: it is never built, only found or taken from its publisher."""
    minutes: float = 0
    """Measured wall time of a cold build on two cores; only used to say how long it will still take."""
    releases: Mapping[str, Release] = field(default_factory=dict)
    """Platform (linux/amd64) -> official archive; only those whose checksum was confirmed."""

    @property
    def version(self) -> str:
        """The version of its first binary, which names the cache folder."""
        return self.binaries[0].version

    @property
    def folder(self) -> Path | None:
        """The folder of its Go module in this repository, or None when a published module is built in place."""
        return MODULES / self.build.folder if self.build and self.build.folder else None

    def versions(self, binary: Binary) -> tuple[str, ...]:
        """The versions of a binary that are as good as one another: the one that is built, the one that is released."""
        release = self.releases.get(platform_key())
        return tuple(dict.fromkeys((binary.version, *([release.version] if release and release.version else []))))

    def digest(self) -> str:
        """Return twelve hex digits over everything that decides the content of the binaries."""
        sha = hashlib.sha256()
        facts = {
            "platform": platform_key(),
            "build": asdict(self.build) if self.build else None,
            "arguments": self.build.arguments() if self.build else [],
            "binaries": [asdict(binary) for binary in self.binaries],
        }
        sha.update(json.dumps(facts, sort_keys=True).encode())
        if self.folder is not None:
            for file in sorted(path for path in self.folder.iterdir() if path.is_file()):
                sha.update(f"\0{file.name}\0".encode() + file.read_bytes())
        return sha.hexdigest()[:12]

    def home(self) -> Path:
        """Return the cache folder of its finished binaries."""
        return toolchain_root() / self.name / f"{self.version}-{self.digest()}"

    def lock_file(self) -> Path:
        """Return the file that one process at a time holds locked while it makes the recipe."""
        home = self.home()
        return home.with_name(f"{home.name}.lock")
