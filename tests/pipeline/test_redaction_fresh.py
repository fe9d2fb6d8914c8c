"""Redaction on texts that are made anew: the shares are printed per class, and held to what is promised."""

from collections import Counter

import pytest
from support import fresh_corpus, otlp

from collector import redaction
from collector.redaction import ContentPolicy

SEED = 20261


@pytest.fixture(scope="module")
def redacting(through):
    return through(redaction.chain(ContentPolicy.KEEP))


def masked(redacting, texts):
    """Every text with what became of it as an attribute of a span."""
    collector, capture = redacting
    texts = list(texts)
    names = [f"{text.kind} {number} of {len(texts)}" for number, text in enumerate(texts)]
    spans = [otlp.span(name, {"text": text.text}) for name, text in zip(names, texts, strict=True)]
    assert collector.send(otlp.traces(spans)).ok
    capture.wait(lambda c: len({s["name"] for s in c.spans} & set(names)), len(texts))
    found = {span["name"]: span["attributes"]["text"] for span in capture.spans}
    return [(text, found[name]) for name, text in zip(names, texts, strict=True)]


def gone(hidden, text):
    """No recognisable part of it is left over."""
    size = max(5, len(hidden) // 4)
    return not any(hidden[start : start + size] in text for start in range(max(1, len(hidden) - size + 1)))


def shares(rows):
    """Share of good rows in all and per class; printed with what is wrong for the reader of the run."""
    total, right = Counter(), Counter()
    for text, after in rows:
        good = gone(text.hidden, after) if text.hidden else after == text.text
        for group in ("all", text.kind):
            total[group] += 1
            right[group] += good
        if not good:
            print(f"  {text.text!r} became {after!r}")  # noqa: T201 what is to be mended
    for group, count in total.items():
        print(f"{group:26} {right[group]:4} of {count:4}  {right[group] / count:.1%}")  # noqa: T201 the figures
    return {group: right[group] / count for group, count in total.items()}


def test_secrets(redacting):
    found = shares(masked(redacting, fresh_corpus.secrets(SEED)))
    assert found["all"] >= 0.95
    assert min(found.values()) >= 0.85


def test_personal_data(redacting):
    found = shares(masked(redacting, fresh_corpus.personal(SEED)))
    assert found["all"] >= 0.95
    assert min(found.values()) >= 0.80


def test_clean_texts_stay_as_they_are(redacting):
    assert shares(masked(redacting, fresh_corpus.clean(SEED)))["all"] >= 0.99
