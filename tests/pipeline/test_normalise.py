"""The normaliser in a real collector: a span of any dialect in, the contract's attributes and one family out."""

import pytest
from support import otlp
from support.dialects import CASES
from support.families import families

from collector import normalise


@pytest.fixture(scope="module")
def collected(through):
    """What the collector made of the cases, by case; and the log of the collector."""
    collector, capture = through({"transform/normalise": normalise.processor()})
    ids = {}
    for number, case in enumerate(CASES):
        ids[case.id] = span_id = (number + 1).to_bytes(8)
        span = otlp.span(
            case.name,
            case.attributes,
            kind=case.kind or "internal",
            status=case.status,
            message=case.message,
            span_id=span_id,
            parent=case.parent,
            events=case.events,
        )
        if not case.kind:
            span.kind = 0
        assert collector.send(otlp.traces([span], case.resource, case.scope)).ok
    assert collector.send(
        otlp.logs([otlp.record("", {"event.name": "gen_ai.evaluation.result"}), otlp.record("", {"event.name": 7})])
    ).ok
    capture.wait(lambda c: len(c.spans), len(CASES))
    by_id = {span["id"]: span for span in capture.spans}
    return {name: by_id[span_id.hex()] for name, span_id in ids.items()}, collector, capture


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_span_carries_the_contract_s_attributes_and_its_family_once(collected, case):
    span = collected[0][case.id]
    got = {key: span["attributes"].get(key) for key in case.want}
    assert got == {str(key): value for key, value in case.want.items()}
    assert families(span) == set(case.counts.split())
    assert None not in span["attributes"].values(), "no statement may write nothing"


def test_case_names_are_unique():
    assert len({case.id for case in CASES}) == len(CASES)


def test_the_old_name_of_the_environment_becomes_the_new_one(collected):
    resource = collected[0]["old name of the environment"]["resource"]
    assert resource["deployment.environment.name"] == "prod"


def test_an_event_name_in_an_attribute_becomes_the_event_s_name(collected):
    _, _, capture = collected
    capture.wait(lambda c: len(c.records), 2)
    named, odd = capture.records
    assert named["event"] == named["attributes"]["event_name"] == "gen_ai.evaluation.result"
    assert odd["event"] == ""
    assert "event_name" not in odd["attributes"]


def test_no_input_makes_a_statement_fail(collected):
    _, collector, _ = collected
    assert "failed to" not in collector.log
