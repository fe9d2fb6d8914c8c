"""What a page says can be asked, run and reached; each check notices a page of which that is not true."""

import pytest
import typer

from alerts import instances
from alerts.evidence import quick_checks
from alerts.lint import queries
from runbooks.book import checks, commands, library, prose, searches
from runbooks.book.checks import Book
from runbooks.book.kinds import Kind
from runbooks.book.library import Library, expected
from stacks.cli.main import app
from stacks.cli.runbooks import commands_of

AGENTOBS = commands_of(typer.main.get_command(app))
ALERTS = expected()[Kind.ALERT]
GOOD = """## Meaning

{words}

## Impact

See [the agents](AgentFailing.md).

## Diagnosis

```promql
kpi:tool_success:ratio5m{{tool_name="$tool_name"}}
```

## Mitigation

```bash
agentobs why --environment "$environment"
```

## Verify

```bash
agentobs traces --where "gen_ai.tool.name = $tool_name" --slower 5s
```

## Do not

```bash
agentobs logs --environment "$environment" --event agentic.policy.violation --by gen_ai.agent.name
```

## Escalation

Tell them.
""".format(words="word " * 300)
FENCES = GOOD[GOOD.index("```promql") : GOOD.index("## Escalation")]
LESS = "Words.\n\n## Mitigation\n\n{}\n\n## Verify\n\nWords.\n\n## Do not\n\nWords.\n\n"


def found(text, kind=Kind.ALERT):
    page = prose.read(kind, "ToolFailing", "page.md", text)
    return checks.findings(Book(library=Library(pages={"ToolFailing": page}, missing=()), agentobs=AGENTOBS))


def test_every_alert_has_a_page_and_no_page_has_findings():
    assert [str(each) for each in checks.findings(Book(library=library.load(), agentobs=AGENTOBS))] == []


def test_a_good_page_has_none():
    assert found(GOOD) == []


BREAKS = {
    "length": [("word " * 300, "word " * 100, "at least 150")],
    "asks": [
        (FENCES, LESS.format("Words."), "a fence of bash"),
        (FENCES, LESS.format("```bash\nagentobs doctor\n```"), "a fence of promql, or agentobs logs"),
    ],
    "promql": [
        ("kpi:tool_success:ratio5m", "kpi:tool_sucess:ratio5m", "no rule records it"),
        ('{tool_name="$tool_name"}\n```', '{tool="$tool_name"}\n```', "has no label tool"),
        ("kpi:tool_success:ratio5m", "rate(kpi:tool_success:ratio5m[5m]", "not PromQL"),
        ("kpi:tool_success:ratio5m", "agentic_tool_calls_total", "is a counter"),
    ],
    "labels": [
        ("tool.name = $tool_name", "tool.name = $agent_name", "$agent_name is no label"),
        ('why --environment "$environment"', 'why --environment "$place"', "$place is no label"),
    ],
    "command": [
        ("agentobs why", "agentobs whi", "has no command 'whi'"),
        ('--environment "$environment"\n', '--enviroment "$environment"\n', "has no option --enviroment"),
        ("agentobs why", "kubectl get pods; agentobs why", "kubectl needs a cluster"),
        ("agentobs why", "helm list; agentobs why", "`helm` is run by a test"),
        ("agentobs why", "curl --foo http://x; agentobs why", "`curl` has no option --foo"),
        ("agentobs why", "agentobs why 'x", "no shell reads it"),
    ],
    "search": [
        ('--where "gen_ai.tool.name =', '--where "gen_ai.tool.nam =', "no attribute gen_ai.tool.nam"),
        ('--where "gen_ai.tool.name = $tool_name"', '--where "a = 1 or b"', "is no condition; fix: write NAME OP"),
        ('--where "gen_ai.tool.name = $tool_name"', "--where 'gen_ai.tool.name = $tool_name'", "is never filled in"),
        ("--by gen_ai.agent.name", "--by=agent_name", "no attribute agent_name"),
        ("--event agentic.policy.violation", "--event agentic.violation", "no event agentic.violation"),
        ("--slower 5s", "--slower 5", "'5' is not a duration; fix: write for example"),
    ],
    "link": [
        ("AgentFailing.md", "AgentFailng.md", "AgentFailng.md is no page"),
        ("AgentFailing.md", "https://example.com", "is no page"),
        ("AgentFailing.md", "#nowhere", "no such section"),
    ],
}  # fmt: skip


def test_every_check_has_a_page_that_breaks_it():
    assert {check.__name__ for check in checks.CHECKS} == BREAKS.keys()


@pytest.mark.parametrize(
    ("check", "old", "new", "message"), [(check, *each) for check, cases in BREAKS.items() for each in cases]
)
def test_a_check_notices(check, old, new, message):
    assert old in GOOD
    wrong = [each for each in found(GOOD.replace(old, new, 1)) if each.check == check]
    assert wrong
    assert any(message in str(each) for each in wrong)
    assert all(each.fix and each.path.startswith("page.md") for each in wrong if each.path != "runbooks/pages")


@pytest.mark.parametrize("look", ["traces --failed", "logs --severity error", "why", "status --since 15m"])
def test_a_command_that_looks_is_a_query_too(look):
    assert found(GOOD.replace(FENCES, LESS.format(f"```bash\nagentobs {look}\n```"), 1)) == []


def test_a_missing_page_is_a_finding():
    wrong = checks.findings(Book(library=Library(pages={}, missing=("ToolFailing",)), agentobs=AGENTOBS))
    assert [(each.check, each.message) for each in wrong] == [("missing", "no page for ToolFailing")]


def test_what_no_test_runs_may_be_any_program_but_agentobs_must_still_exist():
    text = GOOD.replace("```bash\n", "```bash not-run: changes the deployment\nhelm rollback x\n", 1)
    assert found(text) == []
    assert [each.check for each in found(text.replace("agentobs why", "agentobs whi"))] == ["command"]


CALLS = {
    'eval "$(agentobs env)"': [["agentobs", "env"]],
    "x=$(curl -s http://a | jq .b); echo $x": [["curl", "-s", "http://a"], ["jq", ".b"], ["echo", "$x"]],
    "agentobs why \\\n  --json > /tmp/why.json  # keep it": [["agentobs", "why", "--json"]],
    "for i in 1 2; do curl -s http://a; done": [["curl", "-s", "http://a"]],
    'export a="b c" && agentobs status 2>&1': [["export", "a=b c"], ["agentobs", "status"]],
}


@pytest.mark.parametrize("text", CALLS)
def test_commands_are_read_as_a_shell_reads_them(text):
    assert [*commands.calls(text)] == CALLS[text]


@pytest.mark.parametrize("name", ALERTS)
def test_quick_checks_read_what_exists(name):
    for check in quick_checks(name):
        assert check.shows.endswith(".")
        if isinstance(check.query, str):
            assert [*queries.problems(check.query)] == []
        else:
            assert [*searches.problems(check.text)] == []


@pytest.mark.parametrize("name", ALERTS)
def test_quick_checks_use_only_labels_that_the_alert_has(name):
    asked = {label for check in quick_checks(name) for label in checks._VARIABLE.findall(check.text)}
    assert asked <= set(instances.labels_of(name))


def test_a_quick_check_is_the_very_expression_that_fired():
    (fired, value, *_) = quick_checks("ToolFailing")
    where = '{environment="$environment",tool_name="$tool_name"}'
    assert (
        fired.query.replace(where, "")
        == instances.every_rule().rules[[rule.name for rule in instances.every_rule().rules].index("ToolFailing")].expr
    )
    assert value.query == f"kpi:tool_success:ratio5m{where}"
    assert (value.threshold, value.above) == (0.9, False)


def test_what_is_joined_on_labels_is_narrowed_by_these_only():
    """The version before has another version than the one that the alert is about."""
    (fired, *_) = quick_checks("ToolSchemaChanged")
    current, _, previous = fired.query.partition(" and on ")
    assert 'version="$version"' in current
    assert 'tool_name="$tool_name"' in previous
    assert "$version" not in previous
