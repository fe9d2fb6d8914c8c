"""The price table: what is refused and how, which price applies, and the arithmetic."""

import datetime as dt
from pathlib import Path

import pytest

from collector import prices
from collector.prices import PriceError

GOOD = "{provider: p, models: [m], valid_from: 2026-01-01, input: 1, output: 2}"


def written(tmp_path: Path, *entries: str, rates: str = "") -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text((f"rates: {rates}\n" if rates else "") + "prices:\n" + "".join(f"  - {e}\n" for e in entries))
    return path


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (GOOD.replace("input: 1", "input: -1"), r"prices\[0\] \(m\) input: .*greater than or equal to 0"),
        (GOOD.replace("input: 1", "input: .nan"), r"prices\[0\] \(m\) input: .*finite"),
        (GOOD.replace("input: 1", "input: .inf"), r"prices\[0\] \(m\) input: .*finite"),
        (GOOD.replace("input: 1", "input: cheap"), r"prices\[0\] \(m\) input: .*number"),
        (GOOD.replace("input: 1", "input: 0"), r"price of zero; expected more than 0, or `free: true`"),
        (GOOD.replace("input: 1", "inptu: 1"), r"prices\[0\] \(m\) in"),
        (GOOD.replace("2026-01-01", "someday"), r"prices\[0\] \(m\) valid_from: .*date"),
        (GOOD.replace("output: 2", "output: 2, currency: EUR"), r"m is priced in EUR .*fix: add the dollars per EUR"),
        (GOOD.replace("[m]", "[]"), r"models: .*at least 1"),
        ("just text", r"prices\[0\]"),
    ],
)
def test_a_bad_entry_is_refused_with_its_place_and_the_fix(tmp_path, entry, said):
    with pytest.raises(PriceError, match=said) as refused:
        prices.load(written(tmp_path, entry))
    assert "prices.yaml" in str(refused.value)


def test_two_prices_of_one_day_and_files_that_are_no_table_are_refused(tmp_path):
    with pytest.raises(PriceError, match="m has 2 prices from 2026-01-01; fix: keep one"):
        prices.load(written(tmp_path, GOOD, GOOD))
    for text in ("prices: [", "- 1", "prices: {}", ""):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(PriceError, match=r"bad\.yaml"):
            prices.load(tmp_path / "bad.yaml")
    with pytest.raises(PriceError, match="cannot be read"):
        prices.load(tmp_path / "absent.yaml")


def test_an_operators_file_replaces_and_adds(tmp_path):
    own = written(
        tmp_path,
        "{provider: openai, models: [gpt-4.1], valid_from: 2026-01-01, input: 1, output: 2, currency: EUR}",
        "{provider: home, models: [llama], valid_from: 2026-01-01, input: 0, output: 0, free: true}",
        rates="{EUR: 1.5}",
    )
    table = prices.load(own)
    assert table.cost_usd("gpt-4.1", 1_000_000, 1_000_000) == pytest.approx(4.5)
    assert table.cost_usd("llama", 1000, 1000) == 0
    assert table.cost_usd("gpt-4o", 1_000_000, 0) == pytest.approx(2.5), "the others stay"


def test_the_newest_price_that_is_valid_applies(tmp_path):
    table = written(tmp_path, GOOD, GOOD.replace("2026-01-01, input: 1", "2026-06-01, input: 7"))
    for day, cost in ((dt.date(2026, 5, 31), 1), (dt.date(2026, 6, 1), 7), (None, 7)):
        assert prices.load(table, on=day).cost_usd("m", 1_000_000, 0) == pytest.approx(cost)
    assert prices.load(table, on=dt.date(2025, 1, 1)).cost_usd("m", 1, 1) is None


def test_parts_have_their_own_price_and_what_exceeds_the_total_is_not_charged_twice():
    table = prices.load()
    million = 1_000_000
    cost = table.cost_usd("claude-sonnet-4-5", million, 0, cache_read=400_000, cache_write=300_000)
    assert cost == pytest.approx(0.3 * 3 + 0.4 * 0.3 + 0.3 * 3.75)
    assert table.cost_usd("claude-sonnet-4-5", 100, 0, cache_read=million) == pytest.approx(0.3)
    assert table.cost_usd("o3", 0, 1000, reasoning=400) == pytest.approx(0.008), "reasoning at the output price"
    assert table.cost_usd("unheard-of", 10, 10) is None


def test_every_built_in_price_is_plausible():
    for price in prices.load().prices.values():
        assert 0 < price.cache_read <= price.input <= price.output < 0.001, price.model
        assert price.input <= price.cache_write * 1.0001, price.model
