"""Evaluations as Langfuse scores: the payload, the client against a real HTTP server, and the way from `emit`."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
from support.capture import capturing
from support.langfuse_api import ScoresApi, scores_api
from support.ports import free_ports

from agentobs import scores
from agentobs.scores.client import ScoreClient

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VERDICT = {
    "gen_ai.evaluation.name": "task_quality",
    "gen_ai.evaluation.score.value": 0.875,
    "gen_ai.evaluation.score.label": "pass",
    "gen_ai.evaluation.explanation": "asked by jane@example.com",
    "agentic.evaluation.source": "llm_judge",
    "gen_ai.prompt.version": "12",
    "gen_ai.conversation.id": "c-1",
}
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-synthetic", "LANGFUSE_SECRET_KEY": "sk-synthetic"}


@pytest.fixture
def api() -> Iterator[ScoresApi]:
    with scores_api() as running:
        yield running


def client_of(api: ScoresApi, patience_s: float = 5) -> ScoreClient:
    credentials = scores.from_environment({**KEYS, "LANGFUSE_BASE_URL": f"{api.url}/"})
    assert credentials is not None
    return ScoreClient(credentials, patience_s=patience_s)


def test_a_verdict_is_a_numeric_score_of_its_span_with_its_slices() -> None:
    score = scores.to_score(VERDICT, TRACE, SPAN, environment="Prod EU")
    assert score == {
        "id": score["id"],
        "name": "task_quality",
        "value": 0.875,
        "dataType": "NUMERIC",
        "traceId": TRACE,
        "observationId": SPAN,
        "environment": "prod-eu",
        "metadata": {"prompt_version": "12", "eval_source": "llm_judge", "label": "pass"},
    }


def test_the_explanation_passes_no_redaction_and_goes_only_when_asked_for() -> None:
    assert "jane" not in str(scores.to_score(VERDICT, TRACE, SPAN))
    assert scores.to_score(VERDICT, TRACE, SPAN, with_comment=True)["comment"] == "asked by jane@example.com"


def test_the_id_is_that_of_the_same_verdict_and_of_no_other() -> None:
    def number(trace: str = TRACE, span: str = SPAN, **changes: object) -> str:
        return str(scores.to_score({**VERDICT, **changes}, trace, span)["id"])

    others = {
        number(trace="1" * 32),
        number(span="2" * 16),
        number(**{"gen_ai.evaluation.name": "x"}),
        number(**{"agentic.evaluation.source": "human"}),
    }
    assert number() == number() == number(**{"gen_ai.evaluation.score.value": 0.1})
    assert len(others | {number()}) == 5


def test_a_label_alone_is_a_category() -> None:
    score = scores.to_score({"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "rude"}, TRACE, SPAN)
    assert (score["value"], score["dataType"]) == ("rude", "CATEGORICAL")


def test_without_a_trace_the_verdict_is_about_the_conversation() -> None:
    score = scores.to_score(VERDICT, "0" * 32, "0" * 16)
    assert score["sessionId"] == "c-1"
    assert not {"traceId", "observationId"} & score.keys()
    assert "observationId" not in scores.to_score(VERDICT, TRACE, "")


@pytest.mark.parametrize(
    ("attributes", "trace", "problem"),
    [
        ({"gen_ai.evaluation.score.value": 1}, TRACE, "no gen_ai.evaluation.name"),
        ({"gen_ai.evaluation.name": "q"}, TRACE, "'q' has no verdict; set gen_ai.evaluation.score.value"),
        ({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 1}, "", "record it inside a span"),
    ],
)
def test_an_event_that_is_no_score_is_refused_with_the_fix(attributes, trace, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        scores.to_score(attributes, trace, SPAN)


def test_off_without_an_address() -> None:
    assert scores.from_environment(KEYS) is None


@pytest.mark.parametrize("missing", KEYS)
def test_an_address_without_keys_names_the_missing_one(missing) -> None:
    with pytest.raises(ValueError, match=f"{missing} is not; set it, or unset LANGFUSE_BASE_URL"):
        scores.from_environment({**KEYS, "LANGFUSE_BASE_URL": "https://langfuse.example.com", missing: " "})


@pytest.mark.parametrize("url", ["langfuse", "https://langfuse.example.com/api/public", "https://a:b@langfuse"])
def test_an_address_that_is_none_is_refused(url) -> None:
    with pytest.raises(ValueError, match="expected http"):
        scores.from_environment({**KEYS, "LANGFUSE_BASE_URL": url})


def test_the_secret_shows_in_no_repr() -> None:
    assert "sk-synthetic" not in repr(scores.from_environment({**KEYS, "LANGFUSE_BASE_URL": "https://langfuse"}))


def test_a_score_is_posted_with_the_keys(api) -> None:
    score = scores.to_score(VERDICT, TRACE, SPAN)
    client_of(api).post(score)
    assert api.taken == [score]
    assert api.paths == {"/api/public/scores"}
    assert api.logins == {"pk-synthetic:sk-synthetic"}


def test_a_langfuse_in_trouble_is_tried_again_and_gets_the_same_id(api) -> None:
    api.answers.extend([(500, {}), (429, {"Retry-After": "1"}), (503, {})])
    begun = time.monotonic()
    client_of(api).post(scores.to_score(VERDICT, TRACE, SPAN))
    assert time.monotonic() - begun > 1.2, "Retry-After was not waited for"
    assert len(api.tried) == 4
    assert len({score["id"] for score in api.tried}) == len(api.taken) == 1


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        (401, "check that LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY belong"),
        (403, "may not write scores"),
        (404, "base address"),
        (400, "it says: .*because"),
        (302, "it says"),
    ],
)
def test_a_refusal_is_not_tried_again_and_names_the_fix(api, status, fix) -> None:
    api.status = status
    with pytest.raises(scores.ScoreError, match=fix) as refused:
        client_of(api).post(scores.to_score(VERDICT, TRACE, SPAN))
    assert len(api.tried) == 1
    assert "sk-synthetic" not in str(refused.value)


def test_a_langfuse_that_stays_away_is_given_up(api) -> None:
    (port,) = free_ports(1)
    away = scores.Credentials(url=f"http://127.0.0.1:{port}", public_key="pk", secret_key="sk")
    with pytest.raises(scores.ScoreError, match="took no score within 1 s \\(ConnectionError\\)"):
        ScoreClient(away, patience_s=1).post({})
    api.status = 500
    with pytest.raises(scores.ScoreError, match="HTTP 500"):
        client_of(api, patience_s=1).post(scores.to_score(VERDICT, TRACE, SPAN))
    assert 1 < len(api.tried) < 5


JUDGE = """
import logging, os, sys, time
from agentobs import emit, scores
from agentobs.contract import EvaluationSource
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.basicConfig(stream=sys.stderr)
exporters = emit.Exporters(
    spans=InMemorySpanExporter(), logs=InMemoryLogRecordExporter(), scores=scores.from_environment(os.environ)
)
receiver = {"endpoint": os.environ["RECEIVER"]} if "RECEIVER" in os.environ else {"exporters": exporters}
telemetry = emit.configure(service="judge", version="1", environment="Test 1", **receiver)
def judge(name="quality"):
    emit.evaluation(name=name, score=0.5, passed=True, source=EvaluationSource.CODE, explanation="secret")
"""


def judged(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LANGFUSE_")}
    return subprocess.run(
        [sys.executable, "-c", JUDGE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**clean, **environment},
    )


def at(api: ScoresApi) -> dict[str, str]:
    return {**KEYS, "LANGFUSE_BASE_URL": api.url}


def test_an_evaluation_is_also_a_score_of_its_span(api) -> None:
    code = """
    with emit.task(workflow="w", type="t", graph_version="7") as task:
        judge()
    emit.policy_violation(policy_id="p", action=emit.events.PolicyAction.BLOCKED)
    print(telemetry.shutdown())
    span = exporters.spans.get_finished_spans()[0].context
    print(f"{span.trace_id:032x} {span.span_id:016x}")
    print([record.log_record.event_name for record in exporters.logs.get_finished_logs()])
    """
    done = judged(code, at(api))
    lost, ids, events = done.stdout.splitlines()
    assert lost == "Lost(spans=0, logs=0, scores=0)", done.stderr
    (score,) = api.taken
    assert f"{score['traceId']} {score['observationId']}" == ids
    assert score["environment"] == "test-1"
    assert score["metadata"]["graph_version"] == "7"
    assert "secret" not in str(score)
    assert events == "['agentic.process.start', 'gen_ai.evaluation.result', 'agentic.policy.violation']"


def test_beside_an_endpoint_the_environment_decides(api) -> None:
    code = "with emit.agent('a'): judge()\nprint(telemetry.shutdown())"
    with capturing() as collector:
        done = judged(code, {**at(api), "RECEIVER": collector.url})
        assert done.stdout == "Lost(spans=0, logs=0, scores=0)\n", done.stderr
        assert [record["event"] for record in collector.records][1:] == ["gen_ai.evaluation.result"]
    (score,) = api.taken
    assert score["observationId"] == collector.span("invoke_agent a")["id"]


def test_other_exporters_post_nothing_unless_told(api) -> None:
    """A developer's own LANGFUSE_BASE_URL must not get the scores of a test."""
    code = """
    from agentobs.emit import Exporters
    from agentobs.emit.telemetry import Telemetry
    from opentelemetry.sdk.resources import Resource
    bare = Exporters(spans=InMemorySpanExporter(), logs=InMemoryLogRecordExporter())
    print(Telemetry(Resource.create(), bare, 20)._scores)
    """
    assert judged(code, at(api)).stdout == "None\n"


def test_nothing_is_posted_without_an_address(api) -> None:
    done = judged("with emit.agent('a'): judge()\nprint(telemetry.shutdown())", KEYS)
    assert done.stdout == "Lost(spans=0, logs=0, scores=0)\n", done.stderr
    assert api.tried == []


def test_scores_that_langfuse_refuses_are_counted_and_told_once_and_the_log_records_arrive(api) -> None:
    api.status = 401
    code = """
    with emit.agent("a"):
        for number in range(5): judge(f"q{number}")
    print(telemetry.flush(10), telemetry.shutdown(5))
    """
    done = judged(code, at(api))
    assert done.stdout == "False Lost(spans=0, logs=0, scores=5)\n", done.stderr
    assert done.stderr.count("score lost: Langfuse at") == 1
    assert "5 scores never reached Langfuse" in done.stderr
    assert "sk-synthetic" not in done.stderr


def test_a_langfuse_that_is_away_stops_nobody(api) -> None:
    """Emitting does not wait, shutdown keeps to its time, the queue is bounded, and what it drops is counted."""
    api.status = 503
    code = """
    begun = time.monotonic()
    with emit.agent("a"):
        for number in range(5000): judge(f"q{number}")
    print(time.monotonic() - begun < 5)
    begun = time.monotonic()
    lost = telemetry.shutdown(3)
    print(lost.scores, lost.spans, time.monotonic() - begun < 6)
    """
    done = judged(code, at(api))
    assert done.stdout == "True\n5000 0 True\n", done.stderr


def test_an_address_without_keys_stops_the_program_at_its_start() -> None:
    done = judged("", {"LANGFUSE_BASE_URL": "http://127.0.0.1:1", "RECEIVER": "http://127.0.0.1:1"})
    assert "LANGFUSE_PUBLIC_KEY is not; set it" in done.stderr
    assert done.returncode != 0
