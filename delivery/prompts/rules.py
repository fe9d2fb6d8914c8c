"""What is wrong with a prompt, rule by rule. Each finding says what to do; `RULES` says what each rule is about."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from collector.redaction import finding
from delivery.prompts.reading import Finding, Level, Prompt, read

_CHARACTERS_OF_A_TOKEN: Final = 4
_SEEN: Final = frozenset("\t\n\r")
_INVISIBLE: Final = frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0\ufeff")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][\w.-]*)(?:\s[^<>]*)?(/?)>")
_FENCE: Final = re.compile(r"^(?:```|~~~)", re.MULTILINE)
_INJECTION: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|system|your)\b"
    r"[^.\n]{0,30}\b(?:instructions?|prompts?|rules|context)\b",
    re.IGNORECASE,
)
_VOID: Final = frozenset({"br", "hr", "img", "input"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What rules compare with. `tools` None: nobody said which there are. `policies`: lines by agent, `*` for all."""

    tools: Collection[str] | None = None
    policies: Mapping[str, Sequence[str]] = field(default_factory=dict)


def look(content: str, known: Known) -> list[Finding]:
    """All findings in one file, in the order of its lines."""
    found = [*_everywhere(content)]
    prompt, problems = read(content)
    found += problems
    if prompt is not None:
        for rule in _OF_PROMPTS:
            found += rule(prompt, known)
    return sorted(found, key=lambda each: (each.line, each.rule))


def _everywhere(content: str) -> Iterator[Finding]:
    """Of any text, front matter too."""
    for number, line in enumerate(content.split("\n"), start=1):
        for name in finding.secrets_and_personal_data(line):
            yield _error(
                "secret", number, f"holds what must not be in a prompt: {name}; fix: take it out, and revoke it"
            )
        for letter in sorted({letter for letter in line if _invisible(letter)}):
            text = (
                f"holds U+{ord(letter):04X}, which nobody sees ({unicodedata.name(letter, 'no name')}); fix: remove it"
            )
            yield _error("invisible-character", number, text)


def _invisible(letter: str) -> bool:
    return letter in _INVISIBLE or (unicodedata.category(letter) in {"Cf", "Cc", "Co", "Cn"} and letter not in _SEEN)


def _variables(prompt: Prompt, _: Known) -> Iterator[Finding]:
    declared = prompt.head.variables
    for use in prompt.uses:
        if use.name not in declared:
            yield _error(
                "undeclared-variable", use.line, f"{use.name!r} is used and not declared; fix: add it to variables"
            )
    for name in declared.keys() - {use.name for use in prompt.uses}:
        yield _warning("unused-variable", 1, f"{name!r} is declared and not used; fix: use it, or remove it")


def _tags(prompt: Prompt, _: Known) -> Iterator[Finding]:
    open_ones: list[tuple[str, int]] = []
    for found in _TAG.finditer(prompt.text):
        closing, name, alone = found[1], found[2], found[3]
        if alone or name.lower() in _VOID:
            continue
        if not closing:
            open_ones.append((name, found.start()))
        elif open_ones and open_ones[-1][0] == name:
            open_ones.pop()
        else:
            opened = f"<{open_ones[-1][0]}> is open" if open_ones else "nothing is open"
            yield _error(
                "unclosed-tag", prompt.line(found.start()), f"</{name}> closes nothing: {opened}; fix: pair them"
            )
    for name, at in open_ones:
        yield _error("unclosed-tag", prompt.line(at), f"<{name}> is never closed; fix: add </{name}>")


def _user_text(prompt: Prompt, _: Known) -> Iterator[Finding]:
    """Text of others stands where the model is told that it is data."""
    outside = {name for name, variable in prompt.head.variables.items() if variable and variable.user}
    for use in prompt.uses:
        if use.name in outside and not _in_block(prompt.text, use.at):
            block = f"<{use.name}> and </{use.name}>"
            text = f"{use.name!r} is text of a user outside a data block; fix: put it between {block}"
            yield _error("user-text-unmarked", use.line, text)


def _in_block(text: str, at: int) -> bool:
    if len(_FENCE.findall(text, 0, at)) % 2:
        return True
    depth = 0
    for found in _TAG.finditer(text, 0, at):
        depth += 0 if found[3] else -1 if found[1] else 1
    return depth > 0


def _injection(prompt: Prompt, _: Known) -> Iterator[Finding]:
    for found in _INJECTION.finditer(prompt.text):
        text = f"{found[0][:60]!r} reads like an injected instruction; fix: say what to do instead"
        yield _warning("injection-phrase", prompt.line(found.start()), text)


def _known_tools(prompt: Prompt, known: Known) -> Iterator[Finding]:
    for tool in prompt.head.tools if known.tools is not None else ():
        if tool not in (known.tools or ()):
            yield _error("unknown-tool", 1, f"no server offers the tool {tool!r}; fix: correct the name, or list it")


def _length(prompt: Prompt, _: Known) -> Iterator[Finding]:
    tokens = len(prompt.text) // _CHARACTERS_OF_A_TOKEN
    if tokens > prompt.head.max_tokens:
        most = prompt.head.max_tokens
        text = f"about {tokens} tokens, more than max_tokens {most}; fix: shorten it, or raise max_tokens"
        yield _error("too-long", prompt.first, text)


def _policies(prompt: Prompt, known: Known) -> Iterator[Finding]:
    flat = " ".join(prompt.text.split()).casefold()
    for line in [*known.policies.get("*", ()), *known.policies.get(prompt.head.agent or prompt.head.name, ())]:
        if " ".join(line.split()).casefold() not in flat:
            yield _error("policy-missing", prompt.first, f"lacks the line {line!r}; fix: add it word by word")


_OF_PROMPTS: Final[tuple[Callable[[Prompt, Known], Iterator[Finding]], ...]] = (
    _variables, _tags, _user_text, _injection, _known_tools, _length, _policies,
)  # fmt: skip

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "front-matter": "Name, version and owner stand at the head of the file, and nothing unknown does.",
        "template": "The text is a template of its format.",
        "secret": "No secret and no personal data.",
        "invisible-character": "No characters that nobody sees, or that turn the direction of text.",
        "undeclared-variable": "Every variable of the text is declared.",
        "unused-variable": "Every declared variable is used.",
        "unclosed-tag": "Tags come in pairs.",
        "user-text-unmarked": "Text of users stands in a block that marks it as data.",
        "injection-phrase": "No phrase that reads like an injection.",
        "unknown-tool": "Every tool exists.",
        "too-long": "Not longer than max_tokens.",
        "policy-missing": "The lines that policy asks for are there.",
        "changed-version": "A version keeps its text.",
    }
)


def _error(rule: str, line: int, text: str) -> Finding:
    return Finding(rule=rule, level=Level.ERROR, line=line, text=text)


def _warning(rule: str, line: int, text: str) -> Finding:
    return Finding(rule=rule, level=Level.WARNING, line=line, text=text)
