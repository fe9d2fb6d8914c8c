"""One spelling of JSON: the vectors of RFC 8785 and what other programs trip over."""

import hashlib

import pytest

from agentobs.canonical import CanonicalError, canonical, digest


@pytest.mark.parametrize(
    ("document", "spelled"),
    [
        # RFC 8785, appendix B and section 3.2.3.
        ({"a": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27]}, '{"a":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'),
        ({"literals": [None, True, False]}, '{"literals":[null,true,false]}'),
        ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7},
         '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'),
        ([1.0, -0.0, 1e-7, 1e21], "[1,0,1e-7,1e+21]"),
        ({}, "{}"),
    ],
)  # fmt: skip
def test_json_has_one_spelling(document, spelled):
    assert canonical(document).decode() == spelled
    assert digest(document) == hashlib.sha256(spelled.encode()).hexdigest()


def test_the_order_of_keys_changes_no_digest():
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    "document", [float("nan"), float("inf"), 2**53, "\ud800", {"\udfff": 1}, {1: "a"}, {"a": object()}]
)
def test_what_has_no_canonical_form_is_refused_with_the_fix(document):
    with pytest.raises(CanonicalError, match="fix: write a large number as text"):
        canonical({"value": document})


def test_a_document_nested_without_end_is_refused():
    document: list = []
    for _ in range(100_000):
        document = [document]
    with pytest.raises(CanonicalError, match="canonical form"):
        canonical(document)
