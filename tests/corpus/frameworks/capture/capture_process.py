"""Run a program of another language as the Python ones run: `python capture_process.py --instrumentation ai-sdk-7`.

Servers and files are Python's; the program gets their addresses in its environment and leaves its spans and outcomes in
files. Node finds its packages in $CORPUS_NODE_MODULES; Java's program is the archive $CORPUS_JAR (see spring-ai/).
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import scenario
from capture import HERE, Capture, arguments

# Framework, program, and what the program states
PROGRAMS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ai-sdk-5": ("ai-sdk", "run_ai_sdk_5.mjs", ("prompt",)),
    "ai-sdk-7": ("ai-sdk", "run_ai_sdk_7.mjs", ()),
    "otel-bridge": ("mastra", "run_mastra.mjs", ("prompt",)),
    "otel-exporter": ("mastra", "run_mastra.mjs", ("prompt",)),
    "observations": ("spring-ai", "", ()),
}
PACKAGES = ("ai", "@ai-sdk/", "@mastra/", "@opentelemetry/", "zod", "openai")


def _node_packages(modules: Path) -> dict[str, str]:
    found = {"node": _output("node", "--version")}
    for file in sorted([*modules.glob("*/package.json"), *modules.glob("@*/*/package.json")]):
        name = str(file.parent.relative_to(modules))
        if name.startswith(PACKAGES):
            found[name] = json.loads(file.read_text()).get("version", "")
    return found


def _java_archives(jar: Path) -> dict[str, str]:
    with zipfile.ZipFile(jar) as archive:
        names = sorted(Path(name).stem for name in archive.namelist() if name.endswith(".jar"))
    return {"java": _output("java", "--version").splitlines()[0], **dict.fromkeys(names, "")}


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _environment(capture: Capture, here: Path) -> dict[str, str]:
    """Addresses, and what a program in another language has to know of the scenario."""
    known = {
        "model": scenario.MODEL,
        "timeout": scenario.TOOL_TIMEOUT,
        "promptVersions": scenario.PROMPT_VERSIONS,
        "teams": {name: task.team for name, task in scenario.TASKS.items()},
        "instructions": {who: scenario.instructions(who) for who in scenario.AGENTS},
        "questions": {name: scenario.question(name) for name in scenario.TASKS},
        "tools": scenario.TOOLS_OF,
    }
    return {
        **os.environ,
        "CORPUS_MODEL_URL": capture.url,
        "CORPUS_OTLP_URL": f"{capture.receiver.url}/v1/traces",
        "CORPUS_OTLP_METRICS_URL": f"{capture.receiver.url}/v1/metrics",
        "CORPUS_EVENTS": str(here / "events.jsonl"),
        "CORPUS_OUTCOMES": str(here / "outcomes.json"),
        "CORPUS_INSTRUMENTATION": capture.instrumentation,
        "CORPUS_SCENARIO": json.dumps(known),
        "CORPUS_TASKS": json.dumps(capture.to_do),
    }


def _run(program: str, here: Path, environment: dict[str, str]) -> dict[str, str]:
    """Run a program to its end; the versions that it ran with."""
    if not program:
        jar = Path(environment["CORPUS_JAR"])
        subprocess.run(["java", "-jar", jar], cwd=here, env=environment, check=True, timeout=110)
        return _java_archives(jar)
    modules = Path(environment["CORPUS_NODE_MODULES"])
    # Node finds packages beside a program only, so the programs are copied beside them.
    for file in HERE.glob("*.mjs"):
        (here / file.name).write_text(file.read_text())
    (here / "node_modules").symlink_to(modules)
    subprocess.run(["node", program], cwd=here, env=environment, check=True, timeout=110)
    return _node_packages(modules)


def main() -> None:
    """Run one program."""
    args = arguments(*PROGRAMS)
    framework, program, stated = PROGRAMS[args.instrumentation]
    with (
        tempfile.TemporaryDirectory(prefix="corpus-process") as folder,
        Capture(framework, args, stated=stated, export=False) as capture,
    ):
        here = Path(folder)
        capture.hide(folder, "/capture")
        for path in filter(None, map(os.environ.get, ("CORPUS_NODE_MODULES", "CORPUS_JAR"))):
            capture.hide(str(Path(path).resolve().parent), "/program")
        capture.versions = _run(program, here, _environment(capture, here))
        log = here / "events.jsonl"
        # Nothing where the framework sends spans that never were spans of a provider.
        capture.log.lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        capture.tasks = json.loads((here / "outcomes.json").read_text())


if __name__ == "__main__":
    sys.exit(main())
