"""Commands in pages: read as a shell reads them, far enough to know which programs run with which options.

A command that stands without `not-run` is run by a test, so only programs that a local stack suffices for may.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of a command line: its options with whether each takes a value, and the commands below it.

    `passes_on` hands what it does not know to another program. `arguments` is whether it takes words.
    """

    options: Mapping[str, bool] = field(default_factory=dict)
    commands: Mapping[str, "Command"] = field(default_factory=dict)
    passes_on: bool = False
    arguments: bool = False


# What curl and kubectl are called with here; a misspelt option is found, a rare one is added.
CURL: Final = Command(
    options={
        **dict.fromkeys(("-s", "-S", "-f", "-G", "-k", "-L", "-i", "-I", "-v", "-N"), False),
        **dict.fromkeys(("--fail", "--silent", "--show-error", "--get", "--head", "--location"), False),
        **dict.fromkeys(("-X", "-H", "-d", "-o", "-w", "-u", "-m", "--request", "--header", "--data"), True),
        **dict.fromkeys(("--data-urlencode", "--data-binary", "--output", "--user", "--max-time", "--config"), True),
    },
    arguments=True,
)
_OF_KUBECTL: Final = (
    "annotate", "apply", "auth", "cordon", "create", "delete", "describe", "drain", "events", "exec", "get", "label",
    "logs", "patch", "port-forward", "rollout", "scale", "set", "top", "uncordon", "wait", "config",
)  # fmt: skip
# Programs that only read what another one wrote, or say nothing to anybody.
_FILTERS: Final = frozenset((
    "jq", "head", "tail", "grep", "sort", "uniq", "wc", "cut", "tr", "awk", "sed", "cat", "echo", "printf", "date",
    "sleep", "export", "mkdir", "ls", "column",
))  # fmt: skip
_WORDS_OF_SHELLS: Final = frozenset((
    "do", "done", "while", "until", "if", "then", "else", "elif", "fi", "esac", "{", "}", "!",
    "eval", "time", "command", "set", "cd", "exit", "true", "false", "test", "[",
))  # fmt: skip
_SEPARATORS: Final = frozenset((";", "&", "&&", "|", "||", "(", ")", ";;"))
_REDIRECTIONS: Final = frozenset((">", ">>", "<", ">&", "<<<"))
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_SUBSTITUTION: Final = re.compile(r"\$\(([^()]*)\)")
_OUTPUT: Final = "output-of-another"
_SHORT_OPTIONS: Final = re.compile(r"-[A-Za-z]{2,}")


def calls(text: str) -> Iterator[list[str]]:
    """The words of every program that a script calls, those of `$(...)` too. Raises ValueError for open quotes."""
    for line in _lines(text):
        for inner in _SUBSTITUTION.findall(line):
            yield from calls(inner)
        yield from _simple(_SUBSTITUTION.sub(_OUTPUT, line))


def _lines(text: str) -> Iterator[str]:
    yield from text.replace("\\\n", " ").splitlines()


def _simple(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _SEPARATORS:
            words.append(word)
            continue
        if call := _program(words):
            yield call
        words = []


def _program(words: list[str]) -> list[str]:
    """Without assignments and words of the shell in front, and without redirections; empty where nothing is called."""
    if words and words[0] in {"for", "case"}:
        return []
    while words and (words[0] in _WORDS_OF_SHELLS or _ASSIGNMENT.match(words[0])):
        words = words[1:]
    if words and words[0] == _OUTPUT:
        return []
    cut = next((place for place, word in enumerate(words) if word in _REDIRECTIONS), len(words))
    return [word for word in words[:cut] if word != "2"] if cut < len(words) else words


def problems(text: str, *, runs: bool, agentobs: Command) -> Iterator[tuple[str, str]]:
    """What is wrong with a script, and the fix. `runs` is whether a test runs it."""
    try:
        found = [*calls(text)]
    except ValueError as error:
        yield f"no shell reads it: {error}", "close the quotes"
        return
    for program, *words in found:
        match program:
            case "agentobs":
                yield from _checked("agentobs", words, agentobs)
            case "curl":
                yield from _checked("curl", words, CURL)
            case "kubectl":
                yield from _kubectl(words, runs=runs)
            case _ if runs and program not in _FILTERS:
                yield f"`{program}` is run by a test, which has only agentobs, curl and filters", "not-run: and why"


def _kubectl(words: list[str], *, runs: bool) -> Iterator[tuple[str, str]]:
    if runs:
        yield "kubectl needs a cluster, which the test has not", "`bash not-run: needs a cluster`"
    options_with_values = {"-n", "--namespace", "--context"}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in options_with_values else rest[1:]
    if not rest or rest[0] not in _OF_KUBECTL:
        yield f"kubectl has no command {rest[0] if rest else '(none)'}", f"one of {', '.join(_OF_KUBECTL)}"


def _checked(said: str, words: list[str], command: Command) -> Iterator[tuple[str, str]]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--" or (command.passes_on and not word.startswith("-")):
            return
        if word.startswith("-") and word != "-":
            name, _, given = word.partition("=")
            for each in _spelt(name, command):
                if each not in command.options and each not in {"-h", "--help"}:
                    if not command.passes_on:
                        yield f"`{said}` has no option {each}", f"one of {', '.join(sorted(command.options))}"
                elif command.options.get(each) and not given:
                    rest = rest[1:]
        elif word in command.commands:
            yield from _checked(f"{said} {word}", rest, command.commands[word])
            return
        elif not command.arguments:
            expected = f"one of {', '.join(sorted(command.commands))}" if command.commands else "no word here"
            yield f"`{said}` has no command {word!r}", expected
            return


def _spelt(name: str, command: Command) -> list[str]:
    """`-sS` is two options, unless the command has one of that name."""
    if name in command.options or not _SHORT_OPTIONS.fullmatch(name):
        return [name]
    return [f"-{letter}" for letter in name[1:]]
