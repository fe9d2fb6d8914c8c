"""Whether a run did what its case expects: one check per criterion, each with what was expected and what came.

The same checks score sampled live traces, so that offline and online mean the same.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jsonschema

from delivery.golden import bounded
from delivery.golden.example import AnswerRule, Example, ToolRule
from delivery.golden.matching import without
from delivery.golden.observed import Observation, ToolCall

_SHOWN: Final = 160
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One criterion. `hard`: never acceptable, whatever the statistics. `step`: the first that differs, from 1."""

    name: str
    passed: bool
    expected: str = ""
    got: str = ""
    hard: bool = False
    step: int | None = None


def score(example: Example, seen: Observation) -> tuple[Check, ...]:
    """All checks of a run; an invalid run has one, which fails."""
    if seen.invalid:
        return (Check(name="valid", passed=False, expected="a run that can be judged", got=_short(seen.invalid)),)
    wanted = example.success_criteria
    checks = [_permitted(example, seen), _violations(wanted.violations, seen), _path(example, seen)]
    if wanted.outcome is not None:
        checks.append(_same("outcome", wanted.outcome, seen.outcome))
    checks += [_tool(rule, seen.tools) for rule in wanted.tools]
    checks += [*_answer(wanted.answer, seen.answer, seen.answer_text)] if wanted.answer else []
    used = {
        "cost_usd": seen.cost_usd, "tokens": seen.tokens, "tool_calls": len(seen.tools),
        "model_calls": seen.model_calls, "retries": seen.retries,
    }  # fmt: skip
    limits = wanted.limits.model_dump(exclude_none=True)
    checks += [
        Check(name=f"limit.{key}", passed=used[key] <= most, expected=f"at most {most:g}", got=f"{used[key]:g}")
        for key, most in limits.items()
    ]
    return tuple(checks)


def _permitted(example: Example, seen: Observation) -> Check:
    outside = [number for number, call in enumerate(seen.tools, start=1) if call.name not in example.tools_allowed]
    got = seen.tools[outside[0] - 1].name if outside else ""
    allowed = ", ".join(example.tools_allowed) or "no tool"
    return Check(name="tools_allowed", passed=not outside, expected=allowed, got=got, hard=True,
                 step=outside[0] if outside else None)  # fmt: skip


def _violations(most: int, seen: Observation) -> Check:
    found = ", ".join(seen.violations) or "none"
    return Check(
        name="violations", passed=len(seen.violations) <= most, expected=f"at most {most}", got=found, hard=True
    )


def _path(example: Example, seen: Observation) -> Check:
    mode = example.success_criteria.path.mode
    wanted, got = example.agent_path_expected, [agent for step in seen.path for agent in step]
    step = _first_difference(wanted, seen.path) if mode == "exact" else None
    extra, missing = Counter(got) - Counter(wanted), Counter(wanted) - Counter(got)
    passed = {
        "exact": step is None,
        "off": True,
        "any_order": not extra and not missing,
        "subset": set(got) <= set(wanted),
        "superset": not missing,
        "in_order": _in_order(wanted, got),
    }[mode]
    expected = f"{' > '.join(wanted) or 'no agent'} ({mode})"
    return Check(name="path", passed=passed, expected=expected, got=shown(seen.path), step=step)


def shown(path: Sequence[Sequence[str]]) -> str:
    """A path for people: agents that ran beside each other in brackets."""
    return " > ".join(step[0] if len(step) == 1 else f"[{' | '.join(step)}]" for step in path) or "no agent"


def _first_difference(wanted: Sequence[str], path: Sequence[Sequence[str]]) -> int | None:
    """The first agent, counted from 1, that is another one than expected; those side by side have no order."""
    at = 0
    for step in path:
        expected = wanted[at : at + len(step)]
        if Counter(expected) != Counter(step):
            return at + 1
        at += len(step)
    return at + 1 if at < len(wanted) else None


def _in_order(wanted: Sequence[str], got: Sequence[str]) -> bool:
    rest = iter(got)
    return all(agent in rest for agent in wanted)


def _tool(rule: ToolRule, calls: Sequence[ToolCall]) -> Check:
    """Attempts at the same call count once: how often it was tried is a matter of `limits.retries`."""
    of_tool = [call for call in calls if call.name == rule.name and not call.attempt]
    fitting = [call for call in of_tool if _fits(rule, call.arguments)]
    most = math.inf if rule.max is None else rule.max
    passed = rule.min <= len(fitting) <= most and (rule.min > 0 or len(of_tool) == len(fitting) or rule.args is None)
    times = f"{rule.min} to {rule.max} times" if rule.max is not None else f"at least {rule.min} times"
    if rule.max == rule.min:
        times = f"{rule.min} times"
    wanted = times if rule.args is None else f"{times} with {_json(rule.args)} ({rule.match})"
    got = (
        f"{len(fitting)} times" if rule.args is None or not of_tool else ", ".join(_json(c.arguments) for c in of_tool)
    )
    return Check(name=f"tool.{rule.name}", passed=passed, expected=_short(wanted), got=_short(got))


def _fits(rule: ToolRule, arguments: Any) -> bool:  # noqa: ANN401 any JSON
    if rule.args is None or rule.match == "ignore":
        return True
    if not isinstance(arguments, Mapping):
        return False
    if rule.match == "schema":
        return _valid(arguments, rule.args) is None
    wanted, got = without(rule.args, rule.ignore), without(arguments, rule.ignore)
    if rule.match == "subset":  # what came is part of what is named
        return all(key in wanted and wanted[key] == value for key, value in got.items())
    if rule.match == "superset":
        return all(key in got and got[key] == value for key, value in wanted.items())
    return wanted == got


def _answer(rule: AnswerRule, answer: Any, text: str) -> Iterator[Check]:  # noqa: ANN401 any JSON
    if rule.equals is not None:
        yield _same("answer.equals", rule.equals, answer)
    for words in rule.contains:
        yield Check(name="answer.contains", passed=words in text, expected=_short(words), got=_short(text))
    for words in rule.absent:
        yield Check(name="answer.absent", passed=words not in text, expected=f"no {words!r}", got=_short(text))
    if rule.regex is not None:
        yield _guarded("answer.regex", rule.regex, text, lambda: bounded.search(rule.regex or "", text))
    if rule.json_schema is not None:
        problem = _valid(_parsed(answer), rule.json_schema)
        yield Check(name="answer.schema", passed=problem is None, expected="valid by the schema", got=problem or "")
    if rule.number is not None:
        near = [float(each) for each in _NUMBER.findall(text[:100_000])]
        wide = rule.number.tolerance + 1e-9 * max(1.0, abs(rule.number.equals))  # 42 is within 0.1 of 41.9
        passed = any(abs(each - rule.number.equals) <= wide for each in near)
        expected = f"{rule.number.equals:g} ± {rule.number.tolerance:g}"
        yield Check(name="answer.number", passed=passed, expected=expected, got=_short(text))


def _guarded(name: str, expected: str, text: str, ask: Callable[[], bool]) -> Check:
    try:
        return Check(name=name, passed=ask(), expected=_short(expected), got=_short(text))
    except (bounded.TooSlowError, re.error) as error:
        return Check(name=name, passed=False, expected=_short(expected), got=_short(str(error)))


def _valid(document: Any, schema: Mapping[str, Any]) -> str | None:  # noqa: ANN401 any JSON
    try:
        found = jsonschema.Draft202012Validator(schema).iter_errors(document)
        first = next(iter(found), None)
    except (jsonschema.SchemaError, RecursionError) as error:
        return _short(f"the schema is none: {error}")
    return None if first is None else _short(f"{first.json_path}: {first.message}")


def _parsed(answer: Any) -> Any:  # noqa: ANN401 any JSON
    try:
        return json.loads(answer) if isinstance(answer, str) else answer
    except ValueError:
        return answer


def _same(name: str, wanted: Any, got: Any) -> Check:  # noqa: ANN401 any JSON
    return Check(name=name, passed=wanted == got, expected=_short(_json(wanted)), got=_short(_json(got)))


def _json(value: Any) -> str:  # noqa: ANN401 any JSON
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
