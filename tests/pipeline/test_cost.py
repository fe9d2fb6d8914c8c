"""The rendered price table prices spans as the table's own arithmetic does, on a real collector."""

import random

import pytest
from support import otlp

from collector import cost, normalise, prices

TABLE = prices.load()
USED = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1", **USED}
GPT = TABLE.cost_usd("gpt-4.1", 1000, 200)

# name -> (attributes, cost or None, unpriced)
CASES = {
    "release date": ({**CHAT, "gen_ai.request.model": "gpt-4.1-2025-04-14"}, GPT, None),
    "route": ({**CHAT, "gen_ai.request.model": "openai/gpt-4.1"}, GPT, None),
    "route and compact date": (
        {**CHAT, "gen_ai.request.model": "bedrock/anthropic/claude-sonnet-4-5-20250929"},
        TABLE.cost_usd("claude-sonnet-4-5", 1000, 200),
        None,
    ),
    "only the response names a model": (
        {**USED, "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4.1-2025-04-14"},
        GPT,
        None,
    ),
    "longer name is another model": (
        {**CHAT, "gen_ai.request.model": "gpt-4.1-mini"},
        TABLE.cost_usd("gpt-4.1-mini", 1000, 200),
        None,
    ),
    "unknown model": ({**CHAT, "gen_ai.request.model": "gpt-77"}, None, True),
    "no model at all": ({**USED, "gen_ai.operation.name": "chat"}, None, True),
    "no tokens": ({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-77"}, None, None),
    "only input": (
        {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1", "gen_ai.usage.input_tokens": 1000},
        TABLE.cost_usd("gpt-4.1", 1000, 0),
        None,
    ),
    "the application knows better": ({**CHAT, "agentic.cost.usd": 0.5}, 0.5, None),
    "explicit zero": ({**CHAT, "agentic.cost.usd": 0}, 0, None),
    "explicit text": ({**CHAT, "agentic.cost.usd": "a lot"}, GPT, None),
    "explicit negative": ({**CHAT, "agentic.cost.usd": -1.0}, GPT, None),
    "explicit nan": ({**CHAT, "agentic.cost.usd": float("nan")}, GPT, None),
    "an agent's sums are not priced again": ({**CHAT, "gen_ai.operation.name": "invoke_agent"}, None, None),
    "cached": (
        {**CHAT, "gen_ai.usage.cache_read.input_tokens": 400},
        TABLE.cost_usd("gpt-4.1", 1000, 200, cache_read=400),
        None,
    ),
    "more cached than sent": (
        {**CHAT, "gen_ai.usage.cache_read.input_tokens": 4000},
        TABLE.cost_usd("gpt-4.1", 1000, 200, cache_read=4000),
        None,
    ),
}


@pytest.fixture(scope="module")
def priced(through):
    collector, capture = through({"transform/normalise": normalise.processor(cost.cost_groups(TABLE))})
    rng = random.Random(7)
    spans = [otlp.span(name, attributes, kind="client") for name, (attributes, _, _) in CASES.items()]
    wanted = {}
    for model in TABLE.prices:
        used = (
            rng.randint(500, 9000),
            rng.randint(100, 900),
            rng.randint(0, 200),
            rng.randint(0, 200),
            rng.randint(0, 99),
        )
        wanted[model] = TABLE.cost_usd(
            model, used[0], used[1], cache_read=used[2], cache_write=used[3], reasoning=used[4]
        )
        keys = (
            "input_tokens",
            "output_tokens",
            "cache_read.input_tokens",
            "cache_write.input_tokens",
            "reasoning.output_tokens",
        )
        attributes = {f"gen_ai.usage.{key}": value for key, value in zip(keys, used, strict=True)}
        named = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
        spans.append(otlp.span(f"table {model}", {**named, **attributes}, kind="client"))
    assert collector.send(otlp.traces(spans)).ok
    capture.wait(lambda c: len(c.spans), len(spans))
    assert "failed to execute" not in collector.log
    return {span["name"]: span["attributes"] for span in capture.spans}, wanted


@pytest.mark.parametrize("name", CASES)
def test_a_call_costs_what_it_should(priced, name):
    found, _ = priced
    _, wanted, unpriced = CASES[name]
    assert found[name].get("agentic.cost.usd") == (pytest.approx(wanted, rel=1e-12) if wanted is not None else None)
    assert found[name].get("agentic.cost.unpriced") == unpriced


def test_every_model_of_the_table_costs_what_the_table_says(priced):
    found, wanted = priced
    for model, amount in wanted.items():
        assert found[f"table {model}"]["agentic.cost.usd"] == pytest.approx(amount, rel=1e-12), model
