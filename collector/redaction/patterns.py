r"""What is masked: one rule per class of secret or personal data, each with the cheap literals that must be there first.

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
_QUOTE: Final = r"\\*[\"']"
_TOKEN: Final = r"[A-Za-z0-9_-]"
_HEX: Final = r"[0-9a-f]"


@dataclass(frozen=True, slots=True)
class Rule:
    """Text matching `pattern` becomes `replacement`; tried only where one of `gates` matches."""

    name: str
    gates: tuple[str, ...]
    pattern: str
    replacement: str


def _mask(name: str) -> str:
    return f"[redacted:{name}]"


def _token(name: str, gates: tuple[str, ...], *shapes: str) -> Rule:
    """A token of recognisable shape, whatever surrounds it."""
    return Rule(name, gates, f"{_LEFT}(?:{'|'.join(shapes)})", "${1}" + _mask(name))


def _number(name: str, *shapes: str) -> Rule:
    """Digits in a recognisable grouping, bounded on both sides by what is no part of a longer number."""
    pattern = f"{_NUMBER_LEFT}(?:{'|'.join(shapes)}){_NUMBER_RIGHT}"
    return Rule(name, DIGITS, pattern, "${1}" + _mask(name) + "${2}")


# Six digits, whatever separates them, or the middle of an Italian tax code: one gate per first digit.
DIGITS: Final = tuple(
    rf"{digit}(?:(?:[ ./()-]{{0,2}}[0-9]){{5}}|[0-9][A-Z][0-9]{{2}}[A-Z][0-9]{{3}})" for digit in range(10)
)
_NAMES: Final = (
    r"(?:[a-z0-9]+[_.-])*(?:api[_-]?key|api[_-]?token|access[_-]?key(?:[_-]?id)?|secret(?:[_-]?(?:access[_-]?)?key)?|"
    r"client[_-]?secret|(?:access|refresh|auth|id|session|bearer|bot|csrf|oauth)[_-]?token|token|passw(?:or)?d|passphrase|"
    r"pwd|private[_-]?key|account[_-]?key|credentials?|authorization|(?:set-)?cookie|x-api-key|session[_-]?id|"
    r"signing[_-]?key|encryption[_-]?key|webhook[_-]?secret|secret[_-]?token)"
)
# Anchored at both ends: `.*token.*` would mask gen_ai.usage.input_tokens and turn its number into a string.
SECRET_KEY: Final = rf"(?i)^{_NAMES}$"
_NAME_GATES: Final = (
    r"api[_-]?[kKtT]",
    r"API[_-]?[KT]",
    r"[_-]?ey(?:_id)?\\*[\"']? ?[:=]"[len("[_-]?") :],
    r"KEY\\*[\"']? ?[:=]",
    "ecret",
    "ECRET",
    r"oken\\*[\"']? ?[:=]",
    r"OKEN\\*[\"']? ?[:=]",
    r"assw",
    r"ASSW",
    r"assphrase",
    r"wd\\*[\"']? ?[:=]",
    r"uthorization",
    r"UTHORIZATION",
    r"ookie",
    r"redential",
    r"ession[_-]?[iI]d",
)
# An unfinished escape would break the JSON around a value, so values end before a backslash.
_QUOTED_VALUE: Final = r"[^\"'\\\s][^\"\\]{2,}?"

SECRETS: Final = (
    Rule(
        "private_key",
        ("-----BEGIN",),
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?",
        _mask("private_key"),
    ),
    _token("jwt", ("eyJ",), r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}"),
    _token(
        "aws_key",
        ("A(?:KIA|SIA)[A-Z0-9]",),
        r"A(?:KIA|SIA)[A-Z0-9]{12,}",
    ),
    _token("google_key", ("AIza", r"ya29\.", "GOCSPX-"), r"AIza[A-Za-z0-9_-]{30,}", r"ya29\.[A-Za-z0-9_-]{20,}", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _token(
        "llm_key",
        ("sk-", "pk-lf-", "gsk_", "hf_", "xai-", "r8_", "nvapi-", "pplx-", "tvly-"),
        r"sk-[A-Za-z0-9_-]{16,}",
        r"pk-lf-[A-Za-z0-9-]{16,}",
        r"gsk_[A-Za-z0-9]{20,}",
        r"hf_[A-Za-z0-9]{20,}",
        r"xai-[A-Za-z0-9]{20,}",
        r"r8_[A-Za-z0-9]{20,}",
        r"nvapi-[A-Za-z0-9_-]{20,}",
        r"pplx-[A-Za-z0-9]{20,}",
        r"tvly-[A-Za-z0-9-]{16,}",
    ),
    _token(
        "vcs_token",
        ("gh[pousr]_", "github_pat_", "glpat-", "gl[a-z]+-[A-Za-z0-9_-]{20}"),
        r"gh[pousr]_[A-Za-z0-9]{20,}",
        r"github_pat_[A-Za-z0-9_]{20,}",
        r"gl(?:pat|rt|dt|cbt|ptt|agent|oas|soat)-[A-Za-z0-9_.-]{19,}[A-Za-z0-9]",
    ),
    _token(
        "service_token",
        ("xox[a-z]-", "xapp-", "k_(?:live|test)_", "whsec_", r"SG\.", "SK[0-9a-f]{32}", "npm_", "pypi-", r"hvs\.", "hooks.slack.com/services/"),
        r"xox[a-z]-[A-Za-z0-9-]{10,}",
        r"xapp-[A-Za-z0-9-]{16,}",
        r"[spr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"whsec_[A-Za-z0-9]{16,}",
        r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"SK[0-9a-f]{32}",
        r"npm_[A-Za-z0-9]{30,}",
        r"pypi-[A-Za-z0-9_-]{32,}",
        r"hvs\.[A-Za-z0-9_-]{20,}",
        r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    ),
    Rule(
        "azure_key",
        ("AccountKey=", "SharedAccessKey=", r"[?&]sig=", "Q~"),
        r"(AccountKey=|SharedAccessKey=|[?&;]sig=|\\u0026sig=)[A-Za-z0-9%+/=_-]{16,}",
        "${1}" + _mask("azure_key"),
    ),
    _token("azure_secret", ("Q~",), r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,36}"),
    Rule(
        "connection_string",
        ("://[^/@ ]*:[^/@ ]*@",),
        r"(://[^\s/:@\"'\\]*):[^\s/\"'\\]+@([A-Za-z0-9\[$])",
        "${1}:" + _mask("connection_string") + "@${2}",
    ),
    Rule(
        "authorization",
        ("earer ", "asic ", "EARER "),
        r"(?i)(^|[^a-z])(bearer|basic)( +)[A-Za-z0-9._~+/=-]{12,}",
        "${1}${2}${3}" + _mask("authorization"),
    ),
    # "password": "..." at any depth of escaping, with the quotes kept.
    Rule(
        "secret",
        _NAME_GATES,
        rf"(?i)(\\*[\"'](?:{_NAMES})\\*[\"']\s*:\s*\[?\\*[\"'])(?:[^\"\\\[]|\\\\[^\"\\])[^\"\\]*(\\*[\"'])",
        "${1}" + _mask("secret") + "${2}",
    ),
    # PASSWORD=... in shells, code and connection strings; Cookie: and Authorization: in header dumps.
    Rule(
        "secret",
        _NAME_GATES,
        rf"(?i)(^|\\[nrt]|[^a-z0-9_.-])((?:{_NAMES})\s*(?:=|:=|:)\s*(?:\\*[\"'])?)[^\s\"'\\,;&\[({{<$][^\s\"'\\,;&)]{{5,}}",
        "${1}${2}" + _mask("secret"),
    ),
)

_GROUPED_CARD: Final = r"(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|5[0-9]{2}|4[4-9][0-9]|2[0-9]{2}))"
PERSONAL: Final = (
    Rule(
        "email",
        ("@[A-Za-z0-9]",),
        r"((?:\\+[nrtbf]|\\+u[0-9a-f]{4})?)[A-Za-z0-9.!#$%&'*+=^_{|}~-]*[\pL0-9_+-]@(?:[\pL0-9](?:[\pL0-9-]*[\pL0-9])?\.)+[\pL]{2,}",
        "${1}" + _mask("email"),
    ),
    _number("iban", r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"),
    _number(
        "card",
        rf"{_GROUPED_CARD}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}",
        r"3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}",
        r"3(?:0[0-5]|[68][0-9])[0-9][ -]?[0-9]{6}[ -]?[0-9]{4}",
        r"35[2-8][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}",
    ),
    _number(
        "national_id",
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",  # US
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",  # UK
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",  # Brazil
        r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",  # France
        r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",  # Italy
        r"(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-HJ-NP-TV-Z]",  # Spain
        r"[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])-[1-8][0-9]{6}",  # Korea
        r"(?:19|20)?[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[-+][0-9]{4}",  # Sweden
        r"(?:[0-2][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}[-+A][0-9]{3}[0-9A-Y]",  # Finland, Denmark
        r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[0-9]{3}[0-9X]",  # China
        r"[2-9][0-9]{3} [0-9]{4} [0-9]{4}",  # India
    ),
    Rule(
        "phone",
        (r"\+[0-9(]",),
        r"(^|\\[nrt]|[^A-Za-z0-9_+*/.-])\+(?:[0-9](?:[ ./()-]{0,2}[0-9]){7,14})",
        "${1}" + _mask("phone"),
    ),
    _number(
        "phone",
        r"(?:1[ .-])?\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}",
        r"(?:1[ .-])?[2-9][0-9]{2}([.-])[2-9][0-9]{2}[.-][0-9]{4}"[:0] or r"(?:1[.-])?[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4}",
        r"0[1-9](?: [0-9]{2}){4}",
        r"0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}",
        r"00[1-9](?:[ -]?[0-9]){8,13}",
    ),
)
RULES: Final = SECRETS + PERSONAL
