"""Workflows for users' repositories: their commands run in a sample repository, and a fork's code gets nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from delivery.ci import github, gitlab
from delivery.ci.steps import RESULTS, Project, checks
from delivery.errors import DeliveryError
from stacks.cli import golden
from stacks.cli.ci import app

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project(system="desk:answer", dataset="golden", prompts="prompts", servers="mcp.json", release=".",
                  install="pip install -r requirements.txt")  # fmt: skip
PROMPT = "---\nname: desk\nversion: 1\nowner: us\n---\nAnswer.\n"
SYSTEM = """
from agentobs import emit
def answer(case):
    with emit.task(workflow="desk", type="chat", graph_version="1"), emit.agent("desk", emit.Prompt("desk", "1")):
        return "fine"
"""
SERVER = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("plain", log_level="ERROR")
server.add_tool(lambda order: order, name="lookup", structured_output=False)
server.run()
"""


def loaded(path, files):
    made = yaml.safe_load(files[path])
    return {("on" if key is True else key): value for key, value in made.items()}  # YAML 1.1 reads on as true


def workflow(name):
    return loaded(f".github/workflows/{name}.yml", github.files(PROJECT))


def test_what_runs_the_code_of_a_change_may_read_and_nothing_else():
    made = workflow("agents")
    assert [*made["on"]] == ["pull_request"]
    assert made["permissions"] == {"contents": "read"}
    offline, live = made["jobs"]["offline"], made["jobs"]["live"]
    assert "secrets" not in json.dumps(offline)
    assert "secrets." in json.dumps(live)
    assert live["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    checkouts = [step for job in (offline, live) for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert len(checkouts) == 2
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_what_may_write_runs_no_code_of_a_change():
    made = workflow("agents-comment")
    assert [*made["on"]] == ["workflow_run"]
    assert made["on"]["workflow_run"]["workflows"] == [workflow("agents")["name"]]
    steps = made["jobs"]["comment"]["steps"]
    assert [step.get("uses", "run").split("@")[0] for step in steps] == ["actions/download-artifact", "run"]
    assert "${{" not in steps[1]["run"]  # what a report holds never becomes a script
    assert "pull_request_target" not in "".join(github.files(PROJECT).values())


@pytest.mark.parametrize("path", [*github.files(PROJECT), *gitlab.files(PROJECT)])
def test_a_workflow_is_of_its_platform_s_form(path):
    files = github.files(PROJECT) | gitlab.files(PROJECT)
    made = loaded(path, files)
    if path.startswith(".github"):
        assert {*made} <= {"name", "on", "permissions", "concurrency", "jobs"}
        for job in made["jobs"].values():
            assert {*job} <= {"runs-on", "timeout-minutes", "steps", "if", "needs", "environment", "env"}
            assert all(("uses" in step) != ("run" in step) for step in job["steps"])
            assert {*([job["needs"]] if "needs" in job else [])} <= {*made["jobs"]}
        return
    jobs = {name: job for name, job in made.items() if name != "stages"}
    assert all(job["stage"] in made["stages"] and job["script"] for job in jobs.values())
    assert all({*job.get("needs", ())} <= {*jobs} for job in jobs.values())


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with a system, a dataset with its baseline, a prompt and a tool server; on branch main."""
    root = tmp_path_factory.mktemp("repository")
    (root / "desk.py").write_text(SYSTEM)
    (root / "server.py").write_text(SERVER)
    (root / "mcp.json").write_text(
        json.dumps({"mcpServers": {"plain": {"command": sys.executable, "args": ["server.py"]}}})
    )
    (root / "prompts").mkdir()
    (root / "prompts" / "desk.md").write_text(PROMPT)
    (root / "golden").mkdir()
    case = {"input": 1, "expected_behavior": "x", "tools_allowed": [], "agent_path_expected": ["desk"],
            "success_criteria": {"answer": {"equals": "fine"}}}  # fmt: skip
    lines = [json.dumps({**case, "id": f"c{number}"}) + "\n" for number in range(60)]
    (root / "golden" / "cases.jsonl").write_text("".join(lines))
    done = CliRunner().invoke(golden.app, ["freeze", str(root / "golden"), "--version", "1", "--reason", "first"])
    assert done.exit_code == 0, done.output
    shell(root, "agentobs golden bless desk:answer golden --runs 5 --out out && rm -r out && git init -q -b main .")
    author = "-c user.name=a -c user.email=a@example.org"
    shell(root, f"git add -A && git {author} commit -qm first && git remote add origin .")
    return root


def shell(root, script, code=0):
    """Run what a workflow runs, with this checkout as the installed product."""
    commands = root.parent / "bin"
    commands.mkdir(exist_ok=True)
    command = commands / "agentobs"
    command.write_text(f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'sdk')!r}]\n"
                       "from stacks.cli.main import main\nmain()\n")  # fmt: skip
    command.chmod(0o755)
    env = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def scripts():
    """What runs before a merge, on both platforms."""
    steps = [step["run"] for step in workflow("agents")["jobs"]["offline"]["steps"] if "run" in step]
    github_ = "\n".join(steps[1:])  # all but the installation
    job = loaded(".gitlab/agents.yml", gitlab.files(PROJECT))["agents:offline"]
    return {"github": github_, "gitlab": "\n".join(job["script"])}


@pytest.mark.parametrize("platform", ["github", "gitlab"])
def test_the_steps_pass_on_a_good_change_and_block_a_worse_one(platform, repository):
    script = scripts()[platform]
    variables = "export BASE=main NUMBER=7 CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main\n"
    said = shell(repository, variables + script)
    assert "passed" in said
    assert "0 errors" in said
    assert (repository / RESULTS / "golden" / "report.md").read_text().startswith("<!-- agentobs golden")
    # A worse change that brings a baseline of its own: that of the target branch counts.
    (repository / "desk.py").write_text(SYSTEM.replace("fine", "bad"))
    (repository / "golden" / "baseline.json").write_text("{}")
    assert "regressed" in shell(repository, variables + script, code=1)
    (repository / "desk.py").write_text(SYSTEM)


def test_files_are_written_once_and_names_cannot_become_scripts(tmp_path):
    words = ["init", "github", "--system", "desk:answer", "--root", str(tmp_path)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert {path.name for path in (tmp_path / ".github" / "workflows").iterdir()} == {
        "agents.yml", "agents-comment.yml", "agents-deliver.yml",
    }  # fmt: skip
    assert isinstance(CliRunner().invoke(app, words).exception, DeliveryError)
    for key, value in (
        ("system", "a:b; rm -rf /"),
        ("dataset", "../golden"),
        ("install", "pip install ${{ secrets.X }}"),
    ):
        with pytest.raises(DeliveryError, match=f"--{key}"):
            Project(**{name: getattr(PROJECT, name) for name in PROJECT.__slots__} | {key: value})
    bare = Project(**{name: getattr(PROJECT, name) for name in PROJECT.__slots__} | {"prompts": "", "servers": ""})
    assert [step.name for step in checks(bare)] == ["Check the golden dataset", "Replay, compare, block"]
