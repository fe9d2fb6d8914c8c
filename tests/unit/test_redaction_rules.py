"""The tables of redaction: complete, quick to search, and nothing that skips a search may hide what one would find."""

import re

import pytest
from support import fresh_corpus

from agentobs.contract import DESCRIPTIONS, Attr
from collector import redaction
from collector.redaction import ContentPolicy, allowed, named, personal, table, tokens
from collector.redaction.rules import Kind, Rule, grouped

CHAIN = redaction.chain(ContentPolicy.DROP)
SECRETS = [*fresh_corpus.secrets(1), *fresh_corpus.personal(1)]


def allowed_values(processor):
    return [re.compile(each.replace("$$", "$"), re.ASCII) for each in processor["allowed_values"]]


@pytest.mark.parametrize("processor", [CHAIN["redaction/values"], redaction.kpi_processors()["redaction/kpi"]])
def test_what_skips_the_search_is_nothing_that_it_finds(processor):
    """A value that matches is not looked into. What only a name beside it tells has none when it stands alone."""
    skipping = allowed_values(processor)
    alone = [text.hidden for text in SECRETS if text.kind in {"prefix", "email", "phone", "card", "iban"}]
    assert len(alone) > 500
    assert [hidden for hidden in alone if any(each.match(hidden) for each in skipping)] == []


@pytest.mark.parametrize("text", ["gpt-4.1", "planner", "7", "-0.25", "true", "stop", "812"])
def test_what_spans_mostly_hold_skips_the_search(text):
    assert any(each.match(text) for each in allowed_values(CHAIN["redaction/values"]))


@pytest.mark.parametrize("rule", [*tokens.TOKENS, *named.NESTED], ids=lambda rule: rule.name)
def test_every_rule_of_secrets_begins_with_a_literal(rule):
    """Else it is tried at every byte of every value."""
    assert re.match(r"[A-Za-z0-9_:/@~-]", rule.pattern), rule.pattern
    assert not re.match(r".[*?+{|]", rule.pattern), rule.pattern


def test_rules_with_the_same_beginning_are_one_search_that_finds_what_each_finds():
    rules = [Rule("a", Kind.TOKEN, "ab1"), Rule("c", Kind.TOKEN, "cd"), Rule("b", Kind.TOKEN, "ab2+")]
    assert grouped(rules) == ["ab(?:1|2+)", "cd"]


def test_every_attribute_of_the_contract_is_content_or_may_stay():
    told = {attr for attr in Attr if DESCRIPTIONS[attr].meaning.endswith("content")}
    assert told == set(allowed.CONTENT)
    assert set(Attr) - set(allowed.KEYS) == told
    assert not set(allowed.CONTENT) & set(allowed.KEYS)


def test_a_number_is_no_name():
    assert not set(allowed.NUMBERS) & set(allowed.NAMES)
    assert not set(allowed.LISTS) & {*allowed.NAMES, *allowed.NUMBERS}


def test_no_key_that_may_stay_is_named_like_a_secret():
    """So where only these stay, keys are not looked at again."""
    assert "redaction/keys" not in CHAIN
    assert [key for key in allowed.KEYS if any(re.search(each, key) for each in named.KEYS)] == []


def test_the_table_has_every_rule_once():
    names = [row[0] for row in table.rows()]
    assert len(names) == len(set(names)) == len(tokens.TOKENS) + len(named.NAMES) + len(personal.COVERED)


def test_an_error_is_refused_and_never_passed_on():
    """Only a statement that then leaves out its own value may fail alone."""
    for name, processor in CHAIN.items():
        if name.startswith("transform/"):
            assert processor["error_mode"] == "propagate"
            groups = [group for key in ("trace_statements", "log_statements") for group in processor[key]]
            lenient = [group for group in groups if group.get("error_mode", "propagate") != "propagate"]
            statements = [statement for group in lenient for statement in group["statements"]]
            assert all("agentobs.redact." in each or "log.body" in each for each in statements)
