r"""What is masked: one rule per shape of secret or personal data, each with the literals that must be there.

Go's regexp is quick only where a pattern starts with a literal, so every gate does; the patterns themselves run only on
text whose gate was met. Values are often JSON inside JSON, so a boundary is also an escape (`\n`, `\"`, `\\n`), and no
pattern may end inside one. Not here: where the rules are applied (`processors`).
"""

from dataclasses import dataclass
from typing import Final

# Left boundary, kept by the replacement: start, an escape sequence, or a character no token contains.
_LEFT: Final = r"(^|\\[nrtbf]|\\u[0-9a-f]{4}|[^A-Za-z0-9_\\-])"
_NUMBER_LEFT: Final = r"(^|\\[nrtbf]|\\u[0-9a-f]{4}|[^A-Za-z0-9_.\\+#/=-]|[^0-9A-Za-z_][=/])"
_NUMBER_RIGHT: Final = r"($|[^0-9A-Za-z_-])"
_LETTER_ESCAPE: Final = r"\\+u0(?:0[c-f]|[1-9a-f][0-9a-f])[0-9a-f]"
_ASSIGNED: Final = r"\\*[\"']?\]? ?[:=]"


@dataclass(frozen=True, slots=True)
class Rule:
    """Text matching `pattern` becomes `replacement`; tried only where one of `gates` matches."""

    name: str
    gates: tuple[str, ...]
    pattern: str
    replacement: str


def _mask(name: str) -> str:
    return f"[redacted:{name}]"


def _tokens(name: str, *shapes: str) -> tuple[Rule, ...]:
    """Tokens that begin with a literal: the pattern is quick enough to be its own gate."""
    return tuple(Rule(name, (shape,), shape, _mask(name)) for shape in shapes)


def _number(name: str, gates: tuple[str, ...], *shapes: str) -> Rule:
    """Digits in a recognisable grouping, bounded on both sides by what is no part of a longer number."""
    pattern = f"{_NUMBER_LEFT}(?:{'|'.join(shapes)}){_NUMBER_RIGHT}"
    return Rule(name, gates, pattern, "${1}" + _mask(name) + "${2}")


def _per_digit(rest: str, digits: str = "0123456789") -> tuple[str, ...]:
    """A gate that begins with any digit, as gates that begin with one literal each."""
    return tuple(f"{digit}{rest}" for digit in digits)


_NAMES: Final = (
    r"(?:[a-z0-9]+[_.-])*(?:(?:api|access|secret|private|account|signing|encryption|shared|license)[_-]?"
    r"(?:access[_-]?)?key(?:[_-]?id)?|secret|api[_-]?secret|client[_-]?secret|webhook[_-]?secret|"
    r"(?:api|access|refresh|auth|id|session|bearer|bot|csrf|oauth|secret|personal)[_-]?token|token|passw(?:or)?d|"
    r"passphrase|pwd|credentials?|authorization|(?:set-)?cookie|session[_-]?id|sessionid)"
)
_NAME_GATES: Final = (
    *(
        f"{name}{_ASSIGNED}"
        for name in ("key(?:_id)?", "Key", "KEY", "word", "WORD", "Word", "wd", "WD", "phrase", "ken", "KEN")
    ),
    *(f"{name}{_ASSIGNED}" for name in ("cret", "CRET", "kie", "KIE", "dentials?", "zation", "ZATION", "EY_ID")),
    f"ssion[_-]?[iI]d{_ASSIGNED}",
)
_VALUE: Final = r"[^\s\"'\\,;&|()\[\]{}<>]"

SECRETS: Final = (
    Rule(
        "private_key",
        ("-----BEGIN",),
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])*"
        r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?",
        _mask("private_key"),
    ),
    *_tokens("jwt", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}"),
    *_tokens("aws_key", r"A(?:KIA|SIA|ROA|IDA)[A-Z0-9]{16}"),
    *_tokens("google_key", r"AIza[A-Za-z0-9_-]{30,}", r"ya29\.[A-Za-z0-9_-]{20,}", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    Rule(
        "llm_key",
        (r"k-[A-Za-z0-9_-]{16}",),
        rf"{_LEFT}(?:sk-[A-Za-z0-9_-]{{16,}}|pk-lf-[A-Za-z0-9-]{{16,}})",
        "${1}" + _mask("llm_key"),
    ),
    *_tokens(
        "llm_key",
        r"gsk_[A-Za-z0-9]{20,}",
        r"hf_[A-Za-z0-9]{20,}",
        r"xai-[A-Za-z0-9]{20,}",
        r"r8_[A-Za-z0-9]{20,}",
        r"nvapi-[A-Za-z0-9_-]{20,}",
        r"pplx-[A-Za-z0-9]{20,}",
        r"tvly-[A-Za-z0-9-]{16,}",
    ),
    *_tokens(
        "vcs_token",
        r"gh[pousr]_[A-Za-z0-9]{20,}",
        r"github_pat_[A-Za-z0-9_]{20,}",
        r"gl(?:pat|rt|dt|cbt|ptt|agent|oas|soat)-[A-Za-z0-9_-]{16,}",
    ),
    *_tokens(
        "service_token",
        r"xox[a-z]-[A-Za-z0-9-]{10,}",
        r"xapp-[A-Za-z0-9-]{16,}",
        r"whsec_[A-Za-z0-9]{16,}",
        r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"SK[0-9a-f]{32}",
        r"npm_[A-Za-z0-9]{30,}",
        r"pypi-[A-Za-z0-9_-]{32,}",
        r"hvs\.[A-Za-z0-9_-]{20,}",
        r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    ),
    Rule(
        "service_token",
        (r"k_(?:live|test)_[A-Za-z0-9]{10}",),
        r"[spr]k_(?:live|test)_[A-Za-z0-9]{10,}",
        _mask("service_token"),
    ),
    Rule(
        "azure_key",
        ("AccountKey=", "SharedAccessKey=", r"ig=[A-Za-z0-9%+/]{16}"),
        r"(AccountKey=|SharedAccessKey=|[?&;]sig=|u0026sig=)[A-Za-z0-9%+/=_-]{16,}",
        "${1}" + _mask("azure_key"),
    ),
    Rule(
        "azure_key",
        (r"Q~[A-Za-z0-9_~.-]{30}",),
        r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,36}",
        _mask("azure_key"),
    ),
    Rule(
        "connection_string",
        (r"://[^\s/@:\"]*:[^\s/@\"]*@",),
        r"(://[^\s/:@\"'\\]*):[^\s/\"'\\]+@([A-Za-z0-9\[$])",
        "${1}:" + _mask("connection_string") + "@${2}",
    ),
    Rule(
        "authorization",
        ("Bearer [A-Za-z0-9]", "bearer [A-Za-z0-9]", "BEARER ", "Basic [A-Za-z0-9]", "basic [A-Za-z0-9+/]{12}"),
        r"([Bb]earer|BEARER|[Bb]asic|BASIC)( +)(?:[A-Za-z._~+/-]*[0-9=][A-Za-z0-9._~+/=-]{8,}|[A-Za-z._~+/-]{24,})",
        "${1}${2}" + _mask("authorization"),
    ),
    # "password": "..." at any depth of escaping, with the quotes kept.
    Rule(
        "secret",
        _NAME_GATES,
        rf"(?i)(\\*[\"'](?:{_NAMES})\\*[\"']\s*:\s*\[?\\*[\"'])(?:[^\"'\\\[]|\\+[^\"'\\])(?:[^\"'\\]|\\+[^\"'\\])*(\\*[\"'])",
        "${1}" + _mask("secret") + "${2}",
    ),
    # A header dump: the value of a cookie or of an authorization scheme goes to the end of the line.
    Rule(
        "secret",
        (f"kie{_ASSIGNED}", f"KIE{_ASSIGNED}", f"zation{_ASSIGNED}"),
        r"(?i)((?:set-)?cookie|authorization)(\s*[:=]\s*)[^\s\"'\\\[][^\"'\\\r\n]{5,}",
        "${1}${2}" + _mask("secret"),
    ),
    # PASSWORD=... in shells, code and connection strings. Behind a colon a word is more often a type than a value.
    Rule(
        "secret",
        _NAME_GATES,
        rf"(?i)(^|\\[nrt]|[^a-z0-9_.-])(?:((?:{_NAMES})\s*:?=\s*(?:\\*[\"'])?){_VALUE}{{6,}}|"
        rf"((?:{_NAMES})\s*:\s*(?:\\*[\"'])?)(?:{_VALUE}{{3,}}[0-9]{_VALUE}{{2,}}|{_VALUE}{{5,}}[0-9]|[0-9]{_VALUE}{{5,}}))($|[\s\"'\\,;&)}}\]<|])",
        "${1}${2}${3}" + _mask("secret") + "${4}",
    ),
)

_CARD_GATES: Final = (
    *(
        f"{start}[0-9]{{2,3}}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}"
        for start in ("4[0-9]", "5[1-5]", "2[2-7]", "6[0245]", "35")
    ),
    r"3[04678][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{4}",
)
_ISSUER: Final = r"(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|5[0-9]{2}|4[4-9][0-9]|2[0-9]{2})|35[2-8][0-9])"
_ID_GATES: Final = (
    *_per_digit(
        r"(?:[0-9]{6,7}-?[A-Z]|[0-9]{16}[0-9X]|[0-9]{3} [0-9]{4} [0-9]{4}|[0-9] ?[0-9]{2} ?[0-9]{2} ?[A-D]|"
        r"[0-9][A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]| ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}|"
        r"[0-9]{5}[-+A][0-9]{3})"
    ),
    r"-[0-9]{2}-[0-9]{4}",
    r"\.[0-9]{3}\.[0-9]{3}-",
)
_DAY: Final = r"(?:[0-2][0-9]|3[01])"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_TRUNK_GATE: Final = r"0(?:[1-9] [0-9]{2} |[0-9]{2,4}[ /-][0-9]{3}|0[1-9](?:[ -]?[0-9]){8})"
PERSONAL: Final = (
    Rule(
        "email",
        (rf"@[A-Za-z0-9-]*(?:[^\x00-\x7f]|{_LETTER_ESCAPE}|\.[A-Za-z])",),
        rf"((?:\\+[nrtbf]|\\+u00[0-3][0-9a-f]|\\+u2[0-9a-f]{{3}})?)(?:\pL')?(?:[\pL0-9.!#$%&*+=^_{{|}}~-]|{_LETTER_ESCAPE})*"
        rf"(?:[\pL0-9_+-]|{_LETTER_ESCAPE})@(?:(?:[\pL0-9-]|{_LETTER_ESCAPE})+\.)+[\pL]{{2,}}",
        "${1}" + _mask("email"),
    ),
    _number(
        "iban",
        (*_per_digit(r"[0-9](?: ?[A-Z0-9]{4}){3}"), "NO[0-9]{2} ?[0-9]{4}"),
        r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?",
    ),
    _number(
        "card",
        _CARD_GATES,
        rf"{_ISSUER}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}",
        r"3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}",
        r"3(?:0[0-5]|[68][0-9])[0-9][ -]?[0-9]{6}[ -]?[0-9]{4}",
    ),
    _number(
        "national_id",
        _ID_GATES,
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",  # US
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",  # UK
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",  # Brazil
        rf"[12] ?[0-9]{{2}} ?{_MONTH} ?[0-9]{{2}} ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}}",  # France
        r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",  # Italy
        r"(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-HJ-NP-TV-Z]",  # Spain
        rf"[0-9]{{2}}{_MONTH}{_DAY}-[1-8][0-9]{{6}}",  # Korea
        rf"(?:19|20)?[0-9]{{2}}{_MONTH}{_DAY}[-+][0-9]{{4}}",  # Sweden
        rf"{_DAY}{_MONTH}[0-9]{{2}}[-+A][0-9]{{3}}[0-9A-Y]",  # Finland, Denmark
        rf"[1-9][0-9]{{5}}(?:19|20)[0-9]{{2}}{_MONTH}{_DAY}[0-9]{{3}}[0-9X]",  # China
        r"[2-9][0-9]{3} [0-9]{4} [0-9]{4}",  # India
    ),
    Rule(
        "phone",
        (r"\+[0-9(][0-9 ()./-]{7}",),
        r"(^|\\[nrt]|[^A-Za-z0-9_+*/.-])\+(?:[0-9](?:[ ./()-]{0,2}[0-9]){7,14})",
        "${1}" + _mask("phone"),
    ),
    _number(
        "phone",
        (r"-[0-9]{3}-[0-9]{4}", r"\.[0-9]{3}\.[0-9]{4}", r"\([2-9][0-9]{2}\)", _TRUNK_GATE),
        r"(?:1[ .-])?\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}",
        r"(?:1[.-])?[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4}",
        r"0[1-9](?: [0-9]{2}){4}",
        r"0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}",
        r"00[1-9](?:[ -]?[0-9]){8,13}",
    ),
)
RULES: Final = SECRETS + PERSONAL
