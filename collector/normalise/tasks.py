"""Task spans: the root of a run is the task where the application marks none, and its outcome is read off its failure.

A root that is a model call, a tool call or a request of the MCP protocol is no task: such programs have none.
An application that marks tasks itself marks the root or has a span above it, so nothing is counted twice.
"""

from typing import Any, Final

from agentobs.contract import ROLE_TASK, Attr, ErrorClass, Label, Operation, Outcome
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import IS_AGENT, IS_ERROR, IS_ROOT, NAME, OPERATION, span

_ROLE: Final = span(Attr.SPAN_ROLE)
_IS_TASK: Final = f'{_ROLE} == "{ROLE_TASK}"'
_OUTCOME_OF: Final = {ErrorClass.TIMEOUT: Outcome.TIMEOUT, ErrorClass.CANCELLED: Outcome.CANCELLED}


def groups() -> list[dict[str, Any]]:
    """Statement groups of tasks; they run last, when the error class is known."""
    outcome, failed = span(Attr.TASK_OUTCOME), span(Label.ERROR_CLASS)
    unset = f"{outcome} == nil"
    is_run = f'({OPERATION} == "{Operation.INVOKE_WORKFLOW}" or {IS_AGENT})'
    workflow = span(Attr.WORKFLOW_NAME)
    return [
        steps.group(
            ottl.constant(_ROLE, ROLE_TASK),
            *steps.fill(
                Attr.WORKFLOW_NAME, f'TrimPrefix({NAME}, "{Operation.INVOKE_WORKFLOW} ")', where=f"not {IS_AGENT}"
            ),
            ottl.copy(workflow, span(Attr.AGENT_NAME), condition=f"{workflow} == nil"),
            when=f"{IS_ROOT} and {is_run} and {_ROLE} == nil",
        ),
        steps.group(
            *(ottl.constant(outcome, end, f'{failed} == "{name}"') for name, end in _OUTCOME_OF.items()),
            ottl.constant(outcome, Outcome.FAILURE, f'{unset} and ({IS_ERROR} or {failed} != "{ErrorClass.NONE}")'),
            ottl.constant(outcome, Outcome.SUCCESS, unset),
            when=f"{_IS_TASK} and {unset}",
        ),
    ]
