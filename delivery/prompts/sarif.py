"""Findings as SARIF 2.1.0, which GitHub and others show beside the lines."""

from pathlib import Path
from typing import Any

from delivery.prompts.checking import Checked
from delivery.prompts.rules import RULES


def document(checked: Checked, root: Path) -> dict[str, Any]:
    """The SARIF log; paths are relative to `root` where they lie below it."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    results = [
        {
            "ruleId": found.rule,
            "ruleIndex": [*RULES].index(found.rule),
            "level": str(found.level),
            "message": {"text": found.text},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _relative(path, root)},
                        "region": {"startLine": found.line},
                    }
                }
            ],
        }
        for path, findings in checked.findings.items()
        for found in findings
    ]
    driver = {"name": "agentobs prompts lint", "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}],
    }


def _relative(path: Path, root: Path) -> str:
    absolute = path.resolve()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.as_uri()
