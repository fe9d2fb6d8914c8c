"""Findings that need more than one span or more than its names, each with the neighbours that must stay silent."""

import pytest

from agentobs.contract import NESTED_CHAT, Attr, Label
from collector import check
from collector.check import Counted, Finding, Kind, Severity, Span

NOW = 1_000_000.0
RESOURCE = {Attr.SERVICE_NAME: "desk", Attr.SERVICE_VERSION: "1", Attr.ENVIRONMENT: "test"}
CHAT = {Attr.OPERATION: "chat", Attr.REQUEST_MODEL: "m", Attr.INPUT_TOKENS: 1000, Attr.OUTPUT_TOKENS: 100}
AGENT = {Attr.OPERATION: "invoke_agent", Attr.AGENT_NAME: "planner"}
TOOL = {Attr.OPERATION: "execute_tool", Attr.TOOL_NAME: "lookup"}
LANGCHAIN, OPENAI = "openinference.instrumentation.langchain", "opentelemetry.instrumentation.openai_v2"


def span(
    attributes, number="1", parent="", *, kind="internal", scope="x", trace="t", start=NOW - 10, took=1.0, name="step",
    resource=RESOURCE,
) -> Span:  # fmt: skip
    return Span(
        trace_id=trace, span_id=number, parent_id=parent, kind=kind, failed=False, start=start, end=start + took,
        attributes=attributes, resource=resource, name=name, scope=scope,
    )  # fmt: skip


class TestUnread:
    """Cases 28, 32 and 34: a dialect nobody reads, an old operation, a tool's span of another kind."""

    def of(self, *spans, counted=()) -> list[Finding]:
        return check.unread([list(spans)], counted)

    def test_an_operation_that_nobody_knows(self):
        old = {**CHAT, Attr.OPERATION: "chat.completions"}
        (found,) = self.of(span(old, kind="client", scope="Microsoft.SemanticKernel.Diagnostics", name="chat gpt-4.1"))
        assert (found.severity, found.kind, found.count) == (Severity.REQUIRED, Kind.UNREAD, 1)
        assert found.subject == "Microsoft.SemanticKernel.Diagnostics"
        assert found.what == "model calls that no KPI reads: they call their operation 'chat.completions'"
        assert check.framework(found.scope) == "Semantic Kernel"
        assert (found.example, found.trace_id) == ("chat gpt-4.1", "t")
        assert "gen_ai.operation.name to chat" in found.fix

    def test_no_operation(self):
        inner = {"ai.operationId": "ai.streamText.doStream", Attr.REQUEST_MODEL: "m", Attr.INPUT_TOKENS: 70}
        (found,) = self.of(span(AGENT), span(inner, "2", "1", scope="ai"))
        assert found.what == "model calls that no KPI reads: they have no gen_ai.operation.name"
        assert check.framework(found.scope) == "Vercel AI SDK"

    def test_a_tool_behind_a_queue(self):
        (found,) = self.of(span(AGENT), span(TOOL, "2", "1", kind="consumer", scope="temporal"))
        assert "tool calls whose span is of kind CONSUMER" in found.what
        assert "INTERNAL" in found.fix

    def test_a_call_over_mcp_that_no_tool_span_stands_for(self):
        call = {Attr.MCP_METHOD: "tools/call", Attr.TOOL_NAME: "lookup"}
        (found,) = self.of(span(AGENT), span(call, "2", "1", kind="client"))
        assert "agentobs.context.adopt()" in found.fix
        assert self.of(span(AGENT), span(TOOL, "2", "1"), span(call, "3", "2", kind="client")) == []
        assert self.of(span(call, "3", "gone", kind="client")) == [], "its tool may be what is gone"

    @pytest.mark.parametrize(
        ("attributes", "kind", "scope"),
        [
            (CHAT, "client", "x"),
            (TOOL, "internal", "x"),
            ({**CHAT, Attr.OPERATION: NESTED_CHAT}, "client", "x"),
            ({"openinference.span.kind": "CHAIN"}, "internal", LANGCHAIN),
            ({"ai.operationId": "ai.streamText", "ai.usage.promptTokens": 70}, "internal", "ai"),
            ({"http.request.method": "GET"}, "client", "opentelemetry.instrumentation.requests"),
        ],
    )
    def test_what_is_read_and_what_wraps_it(self, attributes, kind, scope):
        assert self.of(span(attributes, kind=kind, scope=scope)) == []

    def test_what_only_the_series_know(self):
        row = Counted("", {Label.SERVICE: "desk", Label.SCOPE: "litellm"}, 7.0)
        (found,) = self.of(counted=[row, Counted("", {Label.SERVICE: "desk", Label.SCOPE: "ai"}, 0.2)])
        assert (found.service, found.subject, found.count) == ("desk", "litellm", 7)
        seen = span({Attr.REQUEST_MODEL: "m"}, scope="litellm")
        assert [found.count for found in self.of(seen, counted=[row])] == [1], "the same thing is told once"


class TestTwice:
    """Case 11: the framework's and the provider client's instrumentation report one call."""

    def of(self, *spans) -> list[Finding]:
        return check.twice([list(spans)])

    def test_one_inside_the_other(self):
        (found,) = self.of(
            span(AGENT), span(CHAT, "2", "1", scope=LANGCHAIN), span(CHAT, "3", "2", scope=OPENAI, name="chat m"),
        )  # fmt: skip
        assert (found.kind, found.subject, found.count, found.of) == (Kind.TWICE, OPENAI, 1, 2)
        assert LANGCHAIN in found.what
        assert found.example == "chat m"
        assert found.fix.startswith(f"remove {OPENAI} and keep {LANGCHAIN}, which knows the agent")

    def test_what_the_second_one_lacks_is_told_by_nobody_else(self):
        named = {**CHAT, Attr.AGENT_NAME: "planner"}
        trace = [span(AGENT), span(named, "2", "1", scope=LANGCHAIN), span(CHAT, "3", "2", scope=OPENAI)]
        (single,) = check.singled([trace])
        assert check.twice([single]) == check.unnamed([single]) == check.unread([single]) == []
        assert [finding.count for finding in check.unnamed([trace])] == [1]

    def test_a_framework_s_span_of_an_agent_inside_the_program_s(self):
        run = span({Attr.OPERATION: "invoke_workflow"}, "2", "1", scope="fw")
        (found,) = self.of(span(AGENT, scope="agentobs.emit"), run, span(AGENT, "3", "2", scope="fw"))
        assert (found.kind, found.agent, found.subject, found.count, found.of) == (Kind.TWICE, "planner", "fw", 1, 2)
        assert "span=False" in found.fix
        (single,) = check.singled([[span(AGENT, scope="agentobs.emit"), span(AGENT, "3", "1", scope="fw")]])
        assert [each.places == set() for each in single] == [False, True]
        other = {**AGENT, Attr.AGENT_NAME: "executor"}
        for around in (span(AGENT, scope="fw"), span(other, scope="app"), span(TOOL, scope="app")):
            assert self.of(around, span(AGENT, "3", "1", scope="fw")) == []

    def test_with_a_span_of_nobody_between_them(self):
        between = span({"http.request.method": "POST"}, "h", "2")
        assert len(self.of(span(CHAT, "2", scope=LANGCHAIN), between, span(CHAT, "3", "h", scope=OPENAI))) == 1

    def test_at_the_same_time_or_with_one_answer(self):
        beside = (span(CHAT, "2", "1", scope=OPENAI), span(CHAT, "3", "1", scope=LANGCHAIN, start=NOW - 9.999))
        assert [found.subject for found in self.of(*beside)] == [OPENAI]
        answer = {**CHAT, Attr.RESPONSE_ID: "chatcmpl-1"}
        later = span({**answer, Attr.INPUT_TOKENS: 1}, "3", "1", scope="y", start=NOW)
        assert len(self.of(span(answer, "2", "1"), later)) == 1

    @pytest.mark.parametrize(
        "spans",
        [
            (span(CHAT, "2", scope=LANGCHAIN), span({**CHAT, Attr.OPERATION: NESTED_CHAT}, "3", "2", scope=OPENAI)),
            (span(CHAT, "2", scope=LANGCHAIN), span(CHAT, "3", "2", scope=LANGCHAIN)),
            (span(CHAT, "2", scope=LANGCHAIN), span(TOOL, "t", "2"), span(CHAT, "3", "t", scope=OPENAI)),
            (span(CHAT, "2", "1", scope=LANGCHAIN), span(CHAT, "3", "1", scope=OPENAI, start=NOW - 5)),
            (
                span(CHAT, "2", "1", scope=LANGCHAIN),
                span({**CHAT, Attr.INPUT_TOKENS: 7}, "3", "1", scope=OPENAI),
            ),
        ],
        ids=["marked", "one instrumentation", "a tool that asks a model", "one after the other", "two calls at once"],
    )
    def test_what_is_counted_once(self, spans):
        assert self.of(*spans) == []


class TestUnnamed:
    """A framework that names its agents on their own spans only."""

    TRACE = (span(AGENT, scope=LANGCHAIN), span(CHAT, "2", "1", scope=LANGCHAIN, name="ChatOpenAI"))

    def test_the_framework_the_label_and_the_line(self):
        (found,) = check.unnamed([self.TRACE])
        assert (found.severity, found.kind, found.subject) == (Severity.REQUIRED, Kind.UNNAMED, Attr.AGENT_NAME)
        assert (found.count, found.of, found.example) == (1, 1, "ChatOpenAI")
        assert check.framework(found.scope) == "LangChain or LangGraph"
        assert "agentobs.context.adopt()" in found.fix
        assert "emit.configure(...)" in found.fix

    def test_it_is_told_once(self):
        missing = check.missing([self.TRACE])
        assert Attr.AGENT_NAME not in {found.subject for found in missing}

    @pytest.mark.parametrize(
        ("scope", "language", "line"),
        [
            (LANGCHAIN, "python", "agentobs.context.adopt()"), (LANGCHAIN, "", "agentobs.context.adopt()"),
            (LANGCHAIN, "nodejs", "new AgentContextProcessor("), ("ai", "", "new AgentContextProcessor("),
            ("@n8n/agents", "nodejs", "new AgentContextProcessor("),
            ("Microsoft.SemanticKernel.Diagnostics", "", "baggage"), ("org.springframework.boot", "java", "baggage"),
        ],
    )  # fmt: skip
    def test_another_language_gets_another_line(self, scope, language, line):
        resource = {**RESOURCE, "telemetry.sdk.language": language}
        trace = (span(AGENT, scope=scope), span(CHAT, "2", "1", scope=scope, resource=resource))
        (found,) = check.unnamed([trace])
        assert line in found.fix
        assert sum(word in found.fix for word in ("adopt()", "AgentContextProcessor", "baggage")) == 1

    @pytest.mark.parametrize(
        "trace",
        [
            (span(AGENT, scope=LANGCHAIN), span({**CHAT, Attr.AGENT_NAME: "planner"}, "2", "1", scope=LANGCHAIN)),
            (span(CHAT, "2", scope=LANGCHAIN),),
            (span(AGENT, scope="x"), span(CHAT, "2", "1", scope="x")),
        ],
        ids=["it is named", "nobody in this trace knows", "no framework: its own code names it"],
    )
    def test_nothing_to_hand_down(self, trace):
        assert check.unnamed([trace]) == []


def task(name, trace, start, took, conversation="c1") -> Span:
    attributes = {**AGENT, Attr.SPAN_ROLE: "task", Attr.WORKFLOW_NAME: name, Attr.CONVERSATION_ID: conversation}
    return span(attributes, trace=trace, number=trace, start=start, took=took)


class TestScattered:
    """Case 23: sub-agents lose the trace, one request of a user looks like four."""

    SUPERVISOR = task("supervisor", "a", NOW - 10, 1.8)

    def test_parts_run_inside_the_whole(self):
        parts = [task(f"agent{n}", f"t{n}", NOW - 10, 1.0) for n in range(3)]
        (found,) = check.scattered([[self.SUPERVISOR], *([part] for part in parts)])
        assert (found.kind, found.count, found.of) == (Kind.SCATTERED, 3, 4)
        assert "copy_context" in found.fix

    @pytest.mark.parametrize(
        "other",
        [
            task("agent1", "b", NOW - 8, 1.0),
            task("agent1", "b", NOW - 10, 1.0, "c2"),
            task("supervisor", "b", NOW - 10, 1.0),
            task("agent1", "b", NOW - 10, 1.0, ""),
        ],
        ids=["the next turn", "another conversation", "the same agent at once", "no conversation"],
    )
    def test_tasks_of_their_own(self, other):
        assert check.scattered([[self.SUPERVISOR], [other]]) == []


class TestOrder:
    """Case 27: what breaks most comes first, and what is alike is one entry."""

    def swarm(self) -> list[list[Span]]:
        names = [f"worker_{number:012x}" for number in range(120)]
        return [[span({**AGENT, Attr.AGENT_NAME: name, Attr.SPAN_ROLE: "task"}, trace=name)] for name in names]

    def test_names_that_differ_in_an_id_are_one_agent_here(self):
        traces = check.with_aliases(self.swarm())
        assert {each.agent for trace in traces for each in trace} == {"worker_*"}
        assert len(check.missing(self.swarm())) > 1000
        assert len(check.missing(traces)) < 20

    def test_the_exploding_name_comes_before_what_is_missing(self):
        traces = check.with_aliases(self.swarm())
        values = [
            check.Value(label=Label.AGENT, value=f"worker_{n:012x}", service="desk", agent=f"worker_{n:012x}", series=1)
            for n in range(120)
        ]
        report = check.build(traces, [*check.missing(traces), *check.exploding(values)], (0, NOW))
        assert report.groups[0].kind is Kind.EXPLODING
        assert report.groups[0].count == 120
        assert [row.names for row in report.fed if row.agent] == [120]

    def test_findings_of_one_kind_are_one_group_with_an_example(self):
        found = [
            Finding(
                severity=Severity.REQUIRED, kind=Kind.MISSING, service=service, agent=agent, subject="s", what="no s",
                count=2, of=3, trace_id=trace, fix="do",
            )
            for service, agent, trace in (("a", "x", ""), ("a", "y", "t1"), ("b", "", "t2"))
        ]  # fmt: skip
        (group,) = check.grouped(found)
        assert (group.count, group.of, group.services, group.agents) == (6, 9, ["a", "b"], ["x", "y"])
        assert group.trace_id == "t1"
        assert group.breaks

    def test_what_a_view_could_show_comes_last(self):
        kinds = [(Kind.MISSING, Severity.RECOMMENDED), (Kind.DETACHED, Severity.PROBLEM), (Kind.LOST, Severity.PROBLEM)]
        made = [
            Finding(severity=severity, kind=kind, service="a", subject="s", what=kind, count=1, fix="do")
            for kind, severity in kinds
        ]
        assert [group.kind for group in check.grouped(made)] == [Kind.LOST, Kind.DETACHED, Kind.MISSING]

    def test_every_kind_says_what_it_breaks(self):
        assert all(kind.breaks for kind in Kind)
