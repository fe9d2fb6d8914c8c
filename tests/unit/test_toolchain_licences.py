"""Programs under the AGPL come from their publishers or not at all: nothing here builds one or links a part of one."""

import re
from pathlib import Path

import pytest

from toolchain import table
from toolchain.table import GROUPS, RECIPES


def test_what_is_under_the_agpl_is_never_built() -> None:
    assert {recipe.name for recipe in RECIPES if recipe.build is None} == {"tempo", "loki"}
    assert all(recipe.minutes == 0 for recipe in RECIPES if recipe.build is None)
    assert not set(GROUPS["local"]) & {"tempo", "loki"}


# As a module, in any major version; pyroscope-go and its like are other modules. An archive is no module.
_AGPL_MODULE = re.compile(r"github\.com/grafana/(?:loki|tempo|mimir|grafana|pyroscope)(?![\w-])(?!/releases/download/)")
_TEXTS = sorted(
    file
    for file in Path(table.__file__).parent.rglob("*")
    if file.is_file() and file.suffix in {".go", ".mod", ".py", ".sum", ".yaml"}
)


def test_no_module_under_the_agpl_is_named_anywhere_in_the_toolchain() -> None:
    assert {"go.mod", "go.sum", "builder.yaml", "table.py"} <= {file.name for file in _TEXTS}
    for file in _TEXTS:
        found = _AGPL_MODULE.search(file.read_text(encoding="utf-8"))
        assert found is None, f"{file} names {found and found.group()}: a program under the AGPL is never built"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("github.com/grafana/loki v1.6.2-0.20260801 // indirect", True),
        ("github.com/grafana/loki/v3 v3.7.8 h1:abc=", True),
        ("github.com/grafana/loki/v3/pkg/push v0.1.0/go.mod h1:abc=", True),
        ("module='github.com/grafana/tempo@v1.5.1'", True),
        ("github.com/grafana/tempo/cmd/tempo", True),
        ("\tgithub.com/grafana/mimir v0.0.0", True),
        ("github.com/grafana/grafana/pkg/server", True),
        ("github.com/grafana/pyroscope/api v1.2.0", True),
        ("github.com/grafana/pyroscope-go v1.2.0", False),
        ("github.com/grafana/regexp v0.0.0", False),
        ("https://github.com/grafana/loki/releases/download/v3.7.8/loki-linux-amd64.zip", False),
    ],
)
def test_a_module_under_the_agpl_is_told_from_an_archive_and_from_other_modules(text: str, *, named: bool) -> None:
    assert bool(_AGPL_MODULE.search(text)) == named
