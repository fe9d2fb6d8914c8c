"""A query of recorded series, asked of the counters behind them.

Rules that run once a minute have recorded nothing, or half of it, when the first report of a stack is written. What
they would record now is their own expression, so there is no second definition. Not here: what they recorded before.
"""

import re
from functools import cache
from typing import Final

from alerts.alerting.model import VARIABLES
from alerts.catalogue import DIMENSIONS
from alerts.evidence.narrow import Mark, narrowed
from alerts.recording import kpis, versions
from alerts.timing import PRODUCTION

_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_SERIES: Final = rf"(?P<%s>(?:kpi|version):[\w:]+)(?P<%s>\{{(?:{_STRING}|[^}}\"])*\}})?"
# The last value of a range is that of now; other ranges and offsets are about what was recorded.
_LAST: Final = rf"last_over_time\({_SERIES % ('ended', 'of')}\[\$__range\]\)"
_NOW: Final = rf"(?<![\w:]){_SERIES % ('name', 'where')}(?![\w:{{\[]|\s*(?:offset|@)\b)"
_RECORDED: Final = re.compile(f"{_STRING}|{_LAST}|{_NOW}")
_LABEL: Final = re.compile(rf"(\w+)\s*(?:=~|!~|!=|=)\s*({_STRING})")


def of_counters(expr: str) -> str:
    """The query with each KPI and each version in use as counters tell it; unchanged where it reads neither."""

    def counted(found: re.Match[str]) -> str:
        name, where = found["name"] or found["ended"], found["where"] or found["of"] or ""
        return (name and _counted(name, where)) or found[0]

    return _RECORDED.sub(counted, expr)


def _counted(name: str, where: str) -> str:
    matchers = dict(_LABEL.findall(where))
    if name == versions.CURRENT:
        return _in_use(where, matchers)
    if name not in _expressions():
        return ""
    inner = narrowed(_expressions()[name], matchers, Mark.PATTERN, VARIABLES)
    return f"({of_counters(inner)})"


def _in_use(where: str, matchers: dict[str, str]) -> str:
    """Of owners of whom no version is recorded yet: a version in use would be taken for a second one."""
    wanted = matchers.pop("dimension", '".*"')[1:-1]
    mine = [each for each in DIMENSIONS if re.fullmatch(wanted, each.key)]
    seen = (narrowed(versions.seen_now(each, PRODUCTION), matchers, Mark.PATTERN, VARIABLES) for each in mine)
    recorded = f"last_over_time({versions.CURRENT}{where}[$__range])"
    return f"(({' or '.join(seen)}) unless on ({versions.WHOSE}) {recorded})"


@cache
def _expressions() -> dict[str, str]:
    """Recorded series -> what records it; not those of several rules, which labels tell apart."""
    records = [record for group in kpis.groups(PRODUCTION) for record in group.rules]
    return {record.name: record.expr for record in records if not record.labels}
