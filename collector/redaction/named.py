r"""Secrets without a shape of their own, told by the name beside them: `DB_PASSWORD=x`, `"apiKey": "x"`, `--token x`.

A rule begins inside the last word of the name, in the spellings that exist, so `dbPassword`, `PGPASSWORD` and
`db-password` are one rule. In texts the name stays and the value goes, at any depth of escaping. Lists and maps are
masked by the processor as one text, name and all.
"""

from typing import Final

from collector.redaction.rules import MASK, Kind, Rule, TextRule, grouped

# From where the rule begins; what may follow up to the end of the name is `_REST`.
_STEMS: Final = (
    ("password, Passwort", r"assw(?:or[dt]|d)"),
    ("PASSWORD", r"ASSW(?:OR[DT]|D)"),
    ("passphrase", r"assphrase"),
    ("PASSPHRASE", r"ASSPHRASE"),
    ("db_pass", r"_pass"),
    ("DB_PASS", r"_PASS"),
    ("pwd", r"pwd"),
    ("Pwd", r"Pwd"),
    ("PWD", r"PWD"),
    ("secret, clientSecret, webhook_secret", r"ecret"),
    ("SECRET", r"ECRET"),
    ("token, accessToken, auth-token", r"oken"),
    ("TOKEN", r"OKEN"),
    ("credentials", r"redentials?"),
    ("CREDENTIALS", r"REDENTIALS?"),
    ("api_key, apiKey, Api-Key", r"pi[ _-]?[kK]ey"),
    ("API_KEY, API key", r"PI[ _-]?(?:KEY|[kK]ey)"),
    ("app_key, appKey", r"pp[_-]?[kK]ey"),
    ("APP_KEY", r"PP_?KEY"),
    ("access key", r"ccess[_-]?[kK]ey"),
    ("ACCESS_KEY", r"CCESS_?KEY"),
    ("private key", r"rivate[_-]?[kK]ey"),
    ("PRIVATE_KEY", r"RIVATE_?KEY"),
    ("account key", r"ccount[_-]?[kK]ey"),
    ("ACCOUNT_KEY", r"CCOUNT_?KEY"),
    ("shared key", r"hared[_-]?[kK]ey"),
    ("master key", r"aster[_-]?[kK]ey"),
    ("MASTER_KEY", r"ASTER_?KEY"),
    ("license key", r"icense[_-]?[kK]ey"),
    ("LICENSE_KEY", r"ICENSE_?KEY"),
    ("encryption or subscription key", r"ption[_-]?[kK]ey"),
    ("ENCRYPTION_KEY", r"PTION_?KEY"),
    ("signing key", r"igning[_-]?[kK]ey"),
    ("SIGNING_KEY", r"IGNING_?KEY"),
    ("authorization", r"uthorization"),
    ("AUTHORIZATION", r"UTHORIZATION"),
    ("cookie", r"ookie"),
)
_MARK: Final = r"\x1c"
_SHORT: Final = 6
_REST: Final = r"(?:[_-]?(?:id|ID|[kK]ey|KEY|[vV]alue|VALUE|[hH]ash|HASH|base|BASE|[0-9])){0,2}"
_CHAR: Final = r"[^\s\"'\\,;&|()\[\]{}<>]"
_DIGIT: Final = rf"(?:{_CHAR}{{3,}}[0-9]{_CHAR}{{2,}}|{_CHAR}{{5,}}[0-9]|[0-9]{_CHAR}{{5,}})"
_END: Final = r"($|[\s\"'\\,;&)}\]<|])"
_QUOTED: Final = (
    rf"{_MARK}({_REST}\\*[\"']\]?\s*(?::|=>?)\s*\[?\\*[\"'])(?:[^\"'\\\[]|\\+[^\"'\\])(?:[^\"'\\]|\\+[^\"'\\])*"
)
# With blanks around the sign, as with a colon, a word is more often code, a type or a sentence than a value.
_ASSIGNED: Final = rf"{_MARK}({_REST}\\*[\"']?\]?\s?:?=>?(?:\s?\\*[\"'])?){_CHAR}{{{_SHORT},}}{_END}"
_TOLD: Final = rf"{_MARK}({_REST}\\*[\"']?\]?(?:\s?(?::|:?=>?)\s?(?:\\*[\"'])?|>|\s(?:is|was)\s)){_DIGIT}{_END}"
_LINE: Final = r"(\s?[:=]\s?)[^\s\"'\\\[*][^\"'\\\r\n]{5,}"
_OPTION: Final = (
    r"--((?:[a-zA-Z0-9]+-)*(?:password|passwd|passphrase|pwd|secret|token|api-?key|access-key|private-key|credentials?))"
    r"(\s+\\*[\"']?)[^\s\"'\\*-][^\s\"'\\]{2,}"
)
# In the JSON text of a list or map: no group can keep the name there, and the value must not be masked already.
_NESTED: Final = (
    r"(?:_id|Id)?(?:\":\"[^\"*]+|[\"'\\\]]*\s?[:=>][\"'\\\s\[]*[\w./+~$!@#%^=-]{3,}[0-9][\w./+~$!@#%^*=-]{2,})"
)
# Of `OPENAI_KEY` or `ADMIN_KEY` only the value tells that it is none of a table.
_KEY_OF_ANY: Final = r"(_KEY\\*[\"']?\]?\s?[:=]\s?(?:\\*[\"'])?)[\w+/=-]{7,}[0-9][\w+/=-]{7,}"
_CURL: Final = r"-u ([^\s:\"'\\]{1,64}:)[^\s\"'\\]{4,}"


def _text_rule(name: str, pattern: str, replacement: str) -> TextRule:
    return TextRule(name, Kind.NAMED, pattern, replacement)


NAMES: Final = tuple(Rule(name, Kind.NAMED, stem) for name, stem in _STEMS)
"""The names, as they end."""
IN_TEXTS: Final = (
    _text_rule("no mark of the sender", _MARK, ""),
    _text_rule("option of a command line", _OPTION, "--${1}${2}" + MASK),
    _text_rule("user and password of curl", _CURL, "-u ${1}" + MASK),
    _text_rule("OPENAI_KEY and any other", _KEY_OF_ANY, "${1}" + MASK),
    *(
        _text_rule(f"{stem}, up to the end of the line", f"({stem}){_LINE}", "${1}${2}" + MASK)
        for stem in ("ookie", "uthorization", "UTHORIZATION")
    ),
    *(_text_rule("name of a secret", stems, "${0}" + _MARK) for stems in grouped(NAMES)),
    _text_rule("value in quotes", _QUOTED, "${1}" + MASK),
    _text_rule("value of an assignment", _ASSIGNED, "${1}" + MASK + "${2}"),
    _text_rule("value behind a colon", _TOLD, "${1}" + MASK + "${2}"),
    _text_rule("no mark any more", _MARK, ""),
)
"""Steps in texts, in order: mark names of secrets, mask what follows, take the marks away."""
NESTED: Final = tuple(Rule(rule.name, Kind.NAMED, rule.pattern + _NESTED) for rule in NAMES)
"""For all values: what stands in texts is masked before and found here no more."""
# Of attributes: the whole value goes, whatever its type. `first_token` and `max_tokens` are no secrets.
KEYS: Final = (
    "assw(?:or[dt]|d)", "ASSW(?:OR[DT]|D)", "assphrase", "ASSPHRASE", "pwd$", "PWD$", "ecret$", "SECRET$", "redential",
    "CREDENTIAL", "uthorization$", "UTHORIZATION$", "ookie", "COOKIE", "pi[._-]?(?:[kK]ey|[tT]oken)$",
    "PI[._-]?K(?:EY|ey)$", "pp[._-]?[kK]ey$", "ccess[._-]?(?:[kK]ey|[tT]oken)$", "rivate[._-]?[kK]ey$",
    "ccount[._-]?[kK]ey$", "igning[._-]?[kK]ey$", "hared[._-]?[kK]ey$", "ption[._-]?[kK]ey$", "_KEY$", "^token$",
    "[.]token$", "TOKEN$", "uth[._-]?[tT]oken$", "efresh[._-]?[tT]oken$", "ession[._-]?[tT]oken$",
    "earer[._-]?[tT]oken$", "bot[._-]?[tT]oken$",
)  # fmt: skip
