"""Workflows for GitHub Actions, split so that a fork's code never sees a secret or a token that writes.

The check runs the change's code with `contents: read` and nothing else. Another workflow, which checks nothing out,
takes its report and edits one comment.
"""

from typing import Any, Final

from delivery.ci.steps import RESULTS, Project, Step, baseline_of, checks, deliveries, live, written

_CHECKOUT: Final = {"uses": "actions/checkout@v4", "with": {"persist-credentials": False}}
_CHECK: Final = "Agents"
_REPORT: Final = "agents-ci"
_COMMENT: Final = """\
number=$(cat number)
case "$number" in *[!0-9]*|'') echo 'no number of a pull request'; exit 1;; esac
marker=$(head -n 1 golden/report.md)
ours='.[] | select(.user.login == "github-actions[bot]") | select(.body | startswith("<!-- agentobs golden")) | .id'
found=$(gh api "repos/$GITHUB_REPOSITORY/issues/$number/comments" --paginate --jq "$ours" | head -n 1)
if [ -n "$found" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" -F body=@golden/report.md > /dev/null
elif [ -n "$marker" ]; then
  gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" -F body=@golden/report.md > /dev/null
fi
"""


def files(project: Project) -> dict[str, str]:
    """The files, by path."""
    folder = ".github/workflows"
    return {
        f"{folder}/agents.yml": written(
            "Lint prompts, test tools, replay the golden dataset, compare, block: offline, without a secret.",
            _checks(project),
        ),
        f"{folder}/agents-comment.yml": written(
            "Tells a pull request what the gate found, in one comment. It runs no code of the change.", _comment()
        ),
        f"{folder}/agents-deliver.yml": written(
            "After a merge: the release is built, promoted in staging, and started as a canary in production.\n"
            "Give the environments `staging` and `production` their reviewers and their access in the settings.",
            _deliver(project),
        ),
    }


def _run(step: Step, **more: Any) -> dict[str, Any]:  # noqa: ANN401 any YAML
    return {"name": step.name, **more, "run": step.command}


def _ready(project: Project) -> list[dict[str, Any]]:
    return [
        {"uses": "actions/setup-python@v5", "with": {"python-version": project.python}},
        {"name": "Install", "run": project.install},
    ]


def _checks(project: Project) -> dict[str, Any]:
    kept = {
        "name": "Keep the results",
        "if": "always()",
        "uses": "actions/upload-artifact@v4",
        "with": {"name": _REPORT, "path": RESULTS},
    }
    number = {
        "name": "Note the number of the pull request",
        "if": "always()",
        "env": {"NUMBER": "${{ github.event.number }}"},
        "run": f'mkdir -p {RESULTS} && echo "$NUMBER" > {RESULTS}/number',
    }
    baseline = _run(baseline_of(project, "$BASE"), env={"BASE": "${{ github.base_ref }}"})
    offline = [_run(step, **({"if": "success() || failure()"} if n else {})) for n, step in enumerate(checks(project))]
    return {
        "name": _CHECK,
        "on": {"pull_request": {}},
        "permissions": {"contents": "read"},
        "concurrency": {"group": "agents-${{ github.ref }}", "cancel-in-progress": True},
        "jobs": {
            "offline": {
                "runs-on": "ubuntu-latest",
                "timeout-minutes": 30,
                "steps": [_CHECKOUT, *_ready(project), baseline, *offline, number, kept],
            },
            "live": {
                # A fork has no secrets, and its code must not get any.
                "if": "github.event.pull_request.head.repo.full_name == github.repository",
                "needs": "offline",
                "runs-on": "ubuntu-latest",
                "timeout-minutes": 60,
                "environment": "live-model",
                "steps": [
                    _CHECKOUT,
                    *_ready(project),
                    baseline,
                    _run(live(project), env={"OPENAI_API_KEY": "${{ secrets.OPENAI_API_KEY }}"}),
                ],
            },
        },
    }


def _comment() -> dict[str, Any]:
    download = {
        "uses": "actions/download-artifact@v4",
        "with": {
            "name": _REPORT,
            "run-id": "${{ github.event.workflow_run.id }}",
            "github-token": "${{ github.token }}",
        },
    }
    return {
        "name": "Agents: comment",
        "on": {"workflow_run": {"workflows": [_CHECK], "types": ["completed"]}},
        "permissions": {"actions": "read", "pull-requests": "write"},
        "jobs": {
            "comment": {
                "if": "github.event.workflow_run.event == 'pull_request'",
                "runs-on": "ubuntu-latest",
                "timeout-minutes": 5,
                "steps": [
                    download,
                    {"name": "Edit the comment", "env": {"GH_TOKEN": "${{ github.token }}"}, "run": _COMMENT},
                ],
            }
        },
    }


def _deliver(project: Project) -> dict[str, Any]:
    jobs: dict[str, Any] = {}
    before = ""
    for name, steps in deliveries(project).items():
        job: dict[str, Any] = {"runs-on": "ubuntu-latest", "timeout-minutes": 30}
        if before:
            job |= {"needs": before, "environment": name}
        jobs[name] = {**job, "steps": [_CHECKOUT, *_ready(project), *map(_run, steps)]}
        before = name
    return {
        "name": "Agents: deliver",
        "on": {"push": {"tags": ["agents-*"]}},
        "permissions": {"contents": "read"},
        "concurrency": {"group": "agents-deliver", "cancel-in-progress": False},
        "jobs": jobs,
    }
