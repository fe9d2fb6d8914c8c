r"""Personal data by its grouping: mail addresses, phones, cards, accounts, ids of persons.

Nothing is computed: no checksum of a card, an account or an id. Boundaries decide. In texts a number that may begin
one of these gets a mark in front, so that every rule begins with that character and costs nothing where no number is;
an escape (`\n`) is a boundary, for texts are often JSON. In lists and maps the number follows a quote, a blank or a
colon of their JSON. No rule matches a control character: in a series key it separates labels.
"""

from typing import Final

from collector.redaction.rules import MASK, Kind, Rule, TextRule

_MARK: Final = r"\x1d"
_M: Final = f"{_MARK}?"
_S: Final = rf"(?:{_M}[ \x{{a0}}.-])?"
_B: Final = rf"(?:{_M}[ -])?"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_DAY: Final = r"(?:[0-2][0-9]|3[01])"
_ISSUER: Final = r"(?:4[0-9]{3}|5[0-8][0-9]{2}|2[2-7][0-9]{2}|6(?:0[14]|[2-7][0-9])[0-9]|35[2-8][0-9])"
_END: Final = r"($|[^0-9A-Za-z_-])"
_BOUNDARY: Final = r"[^\w.+#/\\-]"
_ESCAPE: Final = r"\\[nrt]"
_BEGIN: Final = "[A-Z]*-?[0-9]"

_NUMBERS: Final = {
    "IBAN": (rf"[A-Z]{{2}}[0-9]{{2}}(?:{_B}[A-Z0-9]{{4}}){{2,7}}(?:{_B}[A-Z0-9]{{1,3}})?",),
    "payment card": (
        rf"{_ISSUER}{_S}[0-9]{{4}}{_S}[0-9]{{4}}{_S}[0-9]{{4}}(?:[0-9]{{3}})?",
        rf"3[47][0-9]{{2}}{_B}[0-9]{{6}}{_B}[0-9]{{5}}",
        rf"3[068][0-9]{{2}}{_B}[0-9]{{6}}{_B}[0-9]{{4}}",
    ),
    "id of a person: US": (r"[0-9]{3}-[0-9]{2}-[0-9]{4}", rf"[0-9]{{3}}{_M} [0-9]{{2}}{_M} [0-9]{{4}}"),
    "id of a person: UK": (rf"(?:[A-CEGHJ-PR-TW-Z]{{2}})?[0-9]{{2}}{_B}[0-9]{{2}}{_B}[0-9]{{2}} ?[A-D]",),
    "id of a person: Brazil": (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",),
    "id of a person: France": (
        rf"[12][0-9]{{2}}{_MONTH}[0-9]{{10}}",
        rf"[12]{_M} [0-9]{{2}}{_M} {_MONTH}{_M} [0-9]{{2}}{_M} [0-9]{{3}}{_M} [0-9]{{3}}{_M} [0-9]{{2}}",
    ),
    "id of a person: Italy": (r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",),
    "id of a person: Spain": (r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]",),
    "id of a person: Korea": (rf"[0-9]{{2}}{_MONTH}{_DAY}-[1-8][0-9]{{6}}",),
    "id of a person: Sweden": (rf"(?:19|20)?[0-9]{{2}}{_MONTH}{_DAY}[-+][0-9]{{4}}",),
    "id of a person: Denmark, Finland": (rf"{_DAY}{_MONTH}[0-9]{{2}}[-+A][0-9]{{3}}[0-9A-Y]",),
    "id of a person: China": (rf"[1-9][0-9]{{5}}(?:19|20)[0-9]{{2}}{_MONTH}{_DAY}[0-9]{{3}}[0-9X]",),
    "id of a person: India": (rf"[2-9][0-9]{{3}}{_M}[ -][0-9]{{4}}{_M}[ -][0-9]{{4}}",),
    "phone in national form": (
        rf"(?:1{_M}[ .-])?[2-9][0-9]{{2}}[.-][0-9]{{3}}[.-][0-9]{{4}}",
        rf"0[1-9](?:{_M}[ .-][0-9]{{2}}){{4}}",
        r"0[67][0-9]{8}",
        rf"0[0-9]{{1,4}}{_M}[ /-][0-9]{{3,4}}{_B}[0-9]{{3,5}}",
        rf"00[1-9](?:{_B}[0-9]){{8,13}}",
    ),
}
# So few steps that Go tries them without its slow way up to 10 KiB of text.
_MAIL: Final = Rule(
    "mail address",
    Kind.PERSONAL,
    r"[^\s\"<>()\[\],:;=@/|\x00-\x1f]+(?:@|%40)(?:(?:[\pL0-9-]|\\+u0\w+)+\.)+\pL\pL+",
)
_ABROAD: Final = Rule("phone with a country", Kind.PERSONAL, r"\+[0-9(](?:[ ./()-]{0,3}[0-9]){7,14}")
_AREA: Final = Rule(
    "phone with an area in brackets", Kind.PERSONAL, r"\([0-9]{2,5}\) ?[0-9]{3,5}[ .-]?[0-9]{2,5}(?:[ -]?[0-9]{2,4})?"
)


def _either(*shapes: str) -> str:
    return f"(?:{'|'.join(shapes)})"


def _shapes(group: str) -> list[str]:
    return [shape for name, shapes in _NUMBERS.items() if name.startswith(group) for shape in shapes]


IN_TEXTS: Final = (
    TextRule("no mark of the sender", Kind.PERSONAL, _MARK, ""),
    TextRule("mark", Kind.PERSONAL, f"{_BOUNDARY}{_BEGIN}", _MARK + "${0}"),
    TextRule("mark at the start", Kind.PERSONAL, f"^{_BEGIN}", _MARK + "${0}"),
    TextRule("mark before an escape", Kind.PERSONAL, f"{_ESCAPE}{_BEGIN}", _MARK + "${0}"),
    *(
        TextRule(
            group,
            Kind.PERSONAL,
            f"{_MARK}({_BOUNDARY}|{_ESCAPE}|){_either(*_shapes(group))}{_END}",
            "${1}" + MASK + "${2}",
        )
        for group in ("IBAN", "payment card", "id of a person", "phone")
    ),
    TextRule("no mark any more", Kind.PERSONAL, _MARK, ""),
)
"""Steps in texts, in order: mark where a number begins, mask numbers, take the marks away."""

# Fewer shapes than in texts, and any of a kind: each is tried at every blank of every value.
_NESTED_NUMBER: Final = _either(
    r"[2-6][0-9]{3}[ .-]?[0-9]{4}[ .-]?[0-9]{4}[ .-]?[0-9]{4}",
    r"3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5}",
    r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?",
    r"0[0-9]{1,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}",
    r"[0-9]{3}[.-][0-9]{2,3}[.-][0-9]{3,4}(?:-[0-9]{2})?",
)
NESTED: Final = (
    _MAIL,
    _ABROAD,
    _AREA,
    *(
        Rule(f"number at {what}", Kind.PERSONAL, rf"{sign}{_NESTED_NUMBER}(?:$|[\s\"',;\\}}\]])")
        for what, sign in (("the start", r"^\x1b?"), ("a quote", '"'), ("a blank", " "), ("a colon", ":"))
    ),
)
"""For all values; what stands in texts is masked before and found here no more."""

LABELS: Final = (
    _MAIL,
    _ABROAD,
    Rule("number", Kind.PERSONAL, rf"\b{_either(*_NUMBERS['IBAN'], *_NUMBERS['payment card'])}\b"),
)
"""For short texts that no step has marked: labels of series."""

COVERED: Final = (_MAIL.name, _ABROAD.name, _AREA.name, *_NUMBERS)
"""What is recognised, for people."""
