"""The flagd document says what the pins say: asked with flagd's own core, session by session."""

import json

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from support.delivered import Desk, release, request

from agentobs import pins
from agentobs.pins.pins import Pins
from delivery.environments import flagd
from delivery.environments.operations import Kill, Start, Target
from delivery.environments.snapshot import snapshot
from delivery.environments.state import SplitKind


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    return desk


def core_of(desk):
    core = FlagdCore()
    core.set_flags(json.dumps(flagd.document(desk.head, desk.store)))
    return core


@pytest.mark.parametrize("kind", SplitKind)
def test_every_session_has_the_release_that_the_pins_give_it(desk, kind):
    desk.do(Start(request=request(), release=desk.add(release(planner="13")), share=2000, split=kind))
    core, held = core_of(desk), pins.parse(json.dumps(snapshot(desk.head, desk.store)))
    salt = desk.head.canary.salt
    for number in range(2000):
        session = f"session-{number}"
        context = EvaluationContext(attributes={"bucket": pins.bucket(salt, session)})
        mine = Pins.of(held, session, None).release
        assert core.resolve_string_value("release", "none", context).value == mine, session


@pytest.mark.parametrize("bucket", [None, 0, "", "text", float("nan")])
def test_a_bucket_that_is_none_is_stable(desk, bucket):
    desk.do(Start(request=request(), release=desk.add(release(planner="13")), share=9999))
    for context in (EvaluationContext(attributes={"bucket": bucket}), EvaluationContext()):
        assert core_of(desk).resolve_string_value("release", "none", context).value == release().id


def test_what_is_killed_is_off_and_the_rest_on(desk):
    desk.do(Kill(request=request(), target=Target(agent="planner")))
    desk.do(Kill(request=request(), target=Target(tool="search")))
    core = core_of(desk)
    flags = ("agent.planner.enabled", "agent.executor.enabled", "tool.search.enabled")
    assert [core.resolve_boolean_value(flag, True, None).value for flag in flags] == [
        False, True, False,
    ]  # fmt: skip
    desk.do(Kill(request=request(), target=Target()))
    assert core_of(desk).resolve_boolean_value("agent.executor.enabled", True, None).value is False
    assert core_of(desk).get_flag_set_metadata()["revision"] == 4
