import logging

import pytest
from opentelemetry._logs import SeverityNumber

from agentobs import emit
from agentobs.contract import Attr, EvaluationSource, PolicyAction


def test_an_evaluation_is_a_log_record_of_the_current_span_and_its_slices(recorded) -> None:
    with emit.task(workflow="w", type="t", graph_version="7"), emit.agent("critic", emit.Prompt("c", "5")):
        emit.evaluation(
            name="task_quality",
            score=0.875,
            passed=True,
            source=EvaluationSource.LLM_JUDGE,
            explanation="complete",
            tool_name="search",
            tool_version="1.2",
            model="large-1",
        )
    (found,) = recorded.logs
    record, span = found.log_record, recorded.span("invoke_agent critic")
    assert record.event_name == "gen_ai.evaluation.result"
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert (
        dict(record.attributes).items()
        >= {
            "gen_ai.evaluation.name": "task_quality",
            "gen_ai.evaluation.score.value": 0.875,
            "gen_ai.evaluation.score.label": "pass",
            "gen_ai.evaluation.explanation": "complete",
            "agentic.evaluation.source": "llm_judge",
            "gen_ai.tool.name": "search",
            "agentic.tool.version": "1.2",
            "gen_ai.request.model": "large-1",
            "gen_ai.agent.name": "critic",
            "gen_ai.prompt.version": "5",
            "agentic.graph.version": "7",
        }.items()
    )


def test_a_failed_evaluation_says_fail_and_leaves_out_what_it_is_not_about(recorded) -> None:
    emit.evaluation(name="hallucination", score=0, passed=False, source=EvaluationSource.CODE)
    (found,) = recorded.logs
    assert found.log_record.attributes[Attr.EVALUATION_LABEL] == "fail"
    assert found.log_record.attributes[Attr.EVALUATION_SCORE] == 0.0
    assert not {Attr.TOOL_NAME, Attr.REQUEST_MODEL, Attr.EVALUATION_EXPLANATION} & found.log_record.attributes.keys()


@pytest.mark.parametrize("score", [-0.1, 1.01, 85])
def test_a_score_outside_zero_to_one_is_refused_by_name(recorded, score) -> None:
    with pytest.raises(ValueError, match=r"evaluation 'q': score .* expected 0\.\.1"):
        emit.evaluation(name="q", score=score, passed=True, source=EvaluationSource.CODE)
    assert recorded.logs == []


def test_a_policy_violation_is_a_warning_with_id_action_and_severity(recorded) -> None:
    emit.policy_violation(policy_id="pii", action=PolicyAction.REDACTED, severity="high")
    (found,) = recorded.logs
    assert found.log_record.event_name == "agentic.policy.violation"
    assert found.log_record.severity_number is SeverityNumber.WARN
    assert dict(found.log_record.attributes) == {
        "agentic.policy.id": "pii",
        "agentic.policy.action": "redacted",
        "agentic.policy.severity": "high",
    }


def test_a_log_line_goes_out_with_trace_slices_and_exception(recorded) -> None:
    with emit.task(workflow="w", type="t", graph_version="7"):
        try:
            {}["no such order"]
        except KeyError:
            logging.getLogger("desk.orders").exception("lookup of %s failed", "A1")
    (found,) = recorded.logs
    record = found.log_record
    assert (record.body, record.severity_text) == ("lookup of A1 failed", "ERROR")
    assert found.instrumentation_scope.name == "desk.orders"
    assert record.trace_id == recorded.span("invoke_workflow w").context.trace_id
    assert record.attributes["exception.type"] == "KeyError"
    assert "no such order" in record.attributes["exception.stacktrace"]
    assert record.attributes[Attr.GRAPH_VERSION] == "7"


def test_the_exporters_own_log_lines_are_not_exported_again(recorded) -> None:
    logging.getLogger("opentelemetry.exporter.otlp").error("cannot export")
    logging.getLogger("urllib3.connectionpool").warning("retrying")
    logging.getLogger("desk").info("kept")
    logging.getLogger("desk").debug("below the level")
    assert [found.log_record.body for found in recorded.logs] == ["kept"]
