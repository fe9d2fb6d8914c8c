"""A pipeline for GitLab, in a file to include: `include: {local: .gitlab/agents.yml}`."""

from typing import Any

from delivery.ci.steps import RESULTS, Project, baseline_of, checks, deliveries, live, written


def files(project: Project) -> dict[str, str]:
    """The files, by path."""
    head = (
        "Lint prompts, test tools, replay the golden dataset, compare, block; then deliver.\n"
        "Undecided (exit code 2) blocks too; to let it pass with a warning add `allow_failure: {exit_codes: [2]}`.\n"
        "Variables of the live model and of delivery are protected: only protected branches see them."
    )
    return {".gitlab/agents.yml": written(head, _pipeline(project))}


def _pipeline(project: Project) -> dict[str, Any]:
    ready = {"image": f"python:{project.python}", "before_script": [project.install]}
    requests = [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    own = '$CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID'
    baseline = baseline_of(project, "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME").command
    reports = {"junit": [f"{RESULTS}/tools.xml", f"{RESULTS}/golden/junit.xml"]}
    made: dict[str, Any] = {"stages": ["agents", *deliveries(project)]}
    made["agents:offline"] = {
        "stage": "agents",
        **ready,
        "rules": requests,
        "timeout": "30 minutes",
        "script": [baseline, *_all(command.command for command in checks(project))],
        "artifacts": {"when": "always", "paths": [RESULTS], "reports": reports},
    }
    made["agents:live"] = {
        "stage": "agents",
        **ready,
        "needs": ["agents:offline"],
        "rules": [{"if": own, "when": "manual", "allow_failure": True}],
        "timeout": "1 hour",
        "script": [baseline, live(project).command],
        "artifacts": {"when": "always", "paths": [RESULTS]},
    }
    before: list[str] = []
    for name, steps in deliveries(project).items():
        made[f"agents:{name}"] = {
            "stage": name,
            **ready,
            "needs": before,
            "rules": [{"if": "$CI_COMMIT_TAG =~ /^agents-/", **({"when": "manual"} if before else {})}],
            **({"environment": name} if before else {}),
            "script": [step.command for step in steps],
        }
        before = [f"agents:{name}"]
    return made


def _all(commands: Any) -> list[str]:  # noqa: ANN401 any iterable
    """Commands that all run, the first failure remembered: a report of everything, not of the first thing."""
    return ["failed=0", *(f"{command} || failed=$?" for command in commands), "exit $failed"]
