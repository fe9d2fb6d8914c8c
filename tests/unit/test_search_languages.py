"""A search in the language of each store, as it is written down here: quotes hold, numbers stay exact."""

import pytest

from collector.search import (
    Attribute,
    LineSearch,
    Op,
    SearchError,
    SpanSearch,
    Term,
    filled,
    jaeger,
    logql,
    logsql,
    traceql,
)
from collector.search.model import number, of_version, seconds

AGENT, HERE = "gen_ai.agent.name", "deployment.environment.name"


def one(key, op, value):
    return SpanSearch(terms=(Term(key, op, value),))


SPANS = [
    (SpanSearch(), "{ }"),
    (one(AGENT, Op.EQUAL, 'a"b\\c\nd'), r'{ span.gen_ai.agent.name = "a\"b\\c\nd" }'),
    (one(AGENT, Op.EQUAL, "$(x) é ☃"), '{ span.gen_ai.agent.name = "$(x) é ☃" }'),
    (one(AGENT, Op.EQUAL, ""), '{ span.gen_ai.agent.name = "" }'),
    (one(HERE, Op.UNEQUAL, "prod"),
     '{ resource.deployment.environment.name != nil && resource.deployment.environment.name != "prod" }'),
    (one("k8s.pod.name", Op.MATCHES, "a.*|b"), '{ resource.k8s.pod.name =~ "a.*|b" }'),
    (one("n", Op.ABOVE, 1_234_567), "{ span.n > 1234567 }"),
    (one("n", Op.AT_MOST, 1e-7), "{ span.n <= 0.0000001 }"),
    (one("n", Op.BELOW, 1e21), "{ span.n < 1000000000000000000000 }"),
    (one("n", Op.AT_LEAST, "$least"), "{ span.n >= $least }"),
    (one("n", Op.EQUAL, 5.0), "{ span.n = 5 }"),
    (one("flag", Op.EQUAL, value=True), "{ span.flag = true }"),
    (one("agentic.plan.steps_completed", Op.BELOW, Attribute("agentic.plan.steps_planned")),
     "{ span.agentic.plan.steps_completed < span.agentic.plan.steps_planned }"),
    (one('two "words', Op.EQUAL, "x"), r'{ span."two \"words" = "x" }'),
    (one("ключ", Op.EQUAL, "x"), '{ span."ключ" = "x" }'),
    (SpanSearch(any_of=((Term("a", Op.EQUAL, 1), Term("b", Op.EQUAL, 2)),)), "{ (span.a = 1 || span.b = 2) }"),
    (SpanSearch(failed=True, slower_than_s=5.0), "{ status = error && duration > 5000ms }"),
    (SpanSearch(slower_than_s="2m"), "{ duration > 120000ms }"),
    (SpanSearch(slower_than_s=0.0015), "{ duration > 1500us }"),
    (SpanSearch(slower_than_s="$slower", at_least=3), "{ duration > $slower } | count() >= 3"),
]  # fmt: skip


@pytest.mark.parametrize(("search", "text"), SPANS)
def test_traceql(search, text):
    assert traceql.render(search) == text


TAGS = [
    (SpanSearch(), "", {}, ""),
    (one("service.name", Op.EQUAL, 'a"b'), 'a"b', {}, ""),
    (one(AGENT, Op.EQUAL, "a b"), "", {AGENT: "a b"}, 'gen_ai.agent.name="a b"'),
    (one(AGENT, Op.EQUAL, 'a"b\\=\n'), "", {AGENT: 'a"b\\=\n'}, r'gen_ai.agent.name="a\"b\\=\n"'),
    (one(AGENT, Op.EQUAL, ""), "", {AGENT: ""}, 'gen_ai.agent.name=""'),
    (one("n", Op.EQUAL, 5), "", {"n": "5"}, "n=5"),
    (one("flag", Op.EQUAL, value=False), "", {"flag": "false"}, "flag=false"),
    # What has more than one writing, what is no equality, and what Jaeger has no word for, is decided by `matching`.
    (one("n", Op.EQUAL, 0.5), "", {}, ""),
    (one("n", Op.EQUAL, 2**60), "", {}, ""),
    (one("n", Op.EQUAL, Attribute("m")), "", {}, ""),
    (one("n", Op.UNEQUAL, 5), "", {}, ""),
    (one(AGENT, Op.MATCHES, "a.*"), "", {}, ""),
    (SpanSearch(any_of=((Term("a", Op.EQUAL, "1"),),)), "", {}, ""),
    (SpanSearch(failed=True), "", {"error": "true"}, "error=true"),
]


@pytest.mark.parametrize(("search", "service", "tags", "text"), TAGS)
def test_jaeger(search, service, tags, text):
    asked = jaeger.asked(search)
    assert (asked.service, dict(asked.tags)) == (service, tags)
    assert jaeger.tags_text(search) == text


@pytest.mark.parametrize(
    ("slower", "text"),
    [(None, ""), (5, "5000ms"), (0.5, "500ms"), ("1m", "60000ms"), (0.0015, "1ms"), (1.9999, "1999ms"), ("$x", "$x")],
)
def test_the_least_duration_for_jaeger_is_never_longer_than_what_is_asked(slower, text):
    assert jaeger.milliseconds(slower) == text


def line(*terms, **rest):
    return LineSearch(terms=tuple(Term(*term) for term in terms), **rest)


LINES = [
    (line(), '{service_name=~".+"}', "*"),
    (line((HERE, Op.EQUAL, 'p"d')), r'{deployment_environment_name="p\"d"}', r'"deployment.environment.name":="p\"d"'),
    (line((AGENT, Op.EQUAL, "a\\b\nc")), r'{service_name=~".+"} | gen_ai_agent_name="a\\b\nc"',
     r'"gen_ai.agent.name":="a\\b\nc"'),
    (line((AGENT, Op.EQUAL, "$(x) é `y`")), '{service_name=~".+"} | gen_ai_agent_name="$(x) é `y`"',
     '"gen_ai.agent.name":="$(x) é `y`"'),
    # To both an attribute that is empty is one that is missing, which fulfils nothing.
    (line((AGENT, Op.EQUAL, "")), '{service_name=~".+"} | gen_ai_agent_name!="" | gen_ai_agent_name=""',
     '("gen_ai.agent.name":* "gen_ai.agent.name":="")'),
    (line((AGENT, Op.UNEQUAL, "x")), '{service_name=~".+"} | gen_ai_agent_name!="" | gen_ai_agent_name!="x"',
     '("gen_ai.agent.name":* !"gen_ai.agent.name":="x")'),
    (line((AGENT, Op.MATCHES, r"a\.b|$x")),
     r'{service_name=~".+"} | gen_ai_agent_name!="" | gen_ai_agent_name=~"a\\.b|$x"',
     r'("gen_ai.agent.name":* "gen_ai.agent.name":~`^(?s:a\.b|$x)$`)'),
    (line((AGENT, Op.MATCHES, "`")), '{service_name=~".+"} | gen_ai_agent_name!="" | gen_ai_agent_name=~"`"',
     '("gen_ai.agent.name":* "gen_ai.agent.name":~"^(?s:`)$")'),
    (line(("n", Op.ABOVE, 1_234_567)), '{service_name=~".+"} | n > 1234567 | __error__=""', '"n":>1234567'),
    (line(("n", Op.EQUAL, -0.25)), '{service_name=~".+"} | n == -0.25 | __error__=""', '"n":="-0.25"'),
    (line(("n", Op.AT_MOST, "$most")), '{service_name=~".+"} | n <= $most | __error__=""', '"n":<=$most'),
    (line(("flag", Op.EQUAL, True)), '{service_name=~".+"} | flag="true"', '"flag":="true"'),
    (line(('a "b', Op.EQUAL, "x")), '{service_name=~".+"} | a__b="x"', r'"a \"b":="x"'),
    (line(severity=13, event="e", trace_id="0af7"),
     '{service_name=~".+"} | trace_id="0af7" | severity_number >= 13 | event_name="e"',
     'trace_id:="0af7" severity_number:>=13 event_name:="e"'),
    (line(text='say "a.b"'), r'{service_name=~".+"} |= "say \"a.b\""', r'~"say\\ \"a\\.b\"" !_msg:="(no text)"'),
    (LineSearch(any_of=((Term("a", Op.EQUAL, "1"), Term("b", Op.UNEQUAL, "2")),)),
     '{service_name=~".+"} | (a="1" or (b!="" and b!="2"))', '("a":="1" or ("b":* !"b":="2"))'),
]  # fmt: skip


@pytest.mark.parametrize(("search", "loki", "victorialogs"), LINES)
def test_logql_and_logsql(search, loki, victorialogs):
    assert logql.render(search) == loki
    assert logsql.render(search) == victorialogs


@pytest.mark.parametrize("render", [logql.render, logsql.render])
def test_two_attributes_of_a_line_cannot_be_compared(render):
    with pytest.raises(SearchError, match="a > b: two attributes of a line cannot be compared"):
        render(line(("a", Op.ABOVE, Attribute("b"))))


REFUSED = [
    (Op.ABOVE, "5 | delete", "expected a number"),
    (Op.BELOW, "5) or (*", "expected a number"),
    (Op.AT_LEAST, True, "expected a number"),
    (Op.AT_MOST, "", "expected a number"),
    (Op.ABOVE, "1_000", "expected a number"),
    (Op.EQUAL, float("nan"), "is not endless"),
    (Op.ABOVE, float("inf"), "is not endless"),
    (Op.MATCHES, 5, "expected a regular expression"),
    (Op.MATCHES, Attribute("b"), "expected a regular expression"),
]


@pytest.mark.parametrize(("op", "value", "said"), REFUSED)
def test_nothing_but_a_number_can_be_above_or_below_as_it_has_no_quotes(op, value, said):
    with pytest.raises(SearchError, match=said):
        Term("k", op, value)


EVIL = ['x" || true', "x | delete", "`", "\\", "$agent", "${agent}", "a or b", "5 or 1", "\n"]


@pytest.mark.parametrize("value", EVIL)
def test_a_value_that_is_filled_in_becomes_no_condition_of_its_own(value):
    asked = SpanSearch(
        terms=(Term(AGENT, Op.EQUAL, "$agent"), Term("n", Op.UNEQUAL, "is ${n}")), any_of=(of_version("$v"),)
    )
    found = filled(asked, {"agent": value, "n": value, "v": value})
    assert [term.value for term in found.terms] == [value, f"is {value}"]
    assert {term.value for term in found.any_of[0]} == {value}
    assert found == SpanSearch(
        terms=(Term(AGENT, Op.EQUAL, value), Term("n", Op.UNEQUAL, f"is {value}")), any_of=(of_version(value),)
    )
    lines = filled(LineSearch(event="$e", trace_id="$e", text="$e $other"), {"e": value})
    assert (lines.event, lines.trace_id, lines.text) == (value, value, f"{value} $other")


def test_a_number_that_is_filled_in_has_to_be_one():
    asked = SpanSearch(terms=(Term("n", Op.ABOVE, "$n"),), slower_than_s="$slower")
    assert traceql.render(filled(asked, {"n": "5", "slower": "2s"})) == "{ span.n > 5 && duration > 2000ms }"
    with pytest.raises(SearchError, match="n > 5 or true: expected a number"):
        filled(asked, {"n": "5 or true"})
    with pytest.raises(SearchError, match="'2s }' is not a duration"):
        traceql.render(filled(asked, {"n": "5", "slower": "2s }"}))


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (5.0, "5"), (-0.25, "-0.25"), (2**60, str(2**60)), (1e21, "1" + "0" * 21), (1e-7, "0.0000001")],
)
def test_a_number_is_written_in_digits_that_say_what_it_is(value, text):
    assert number(value) == text
    assert float(number(value)) == value


@pytest.mark.parametrize("text", ["", "5", "5 s", "1d", "-1s", "1.s", "\u0665s", "1e3s", "s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(SearchError, match="write for example 500ms, 5s, 2m or 1h"):
        seconds(text)
