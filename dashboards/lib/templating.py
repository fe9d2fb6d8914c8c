"""Variables and annotations of a board as Grafana reads them."""

from collections.abc import Iterator
from typing import Any, Final

from alerts.promql import matchers
from alerts.recording import versions
from collector.stores import Stores
from dashboards.lib import sources, variables
from dashboards.lib.model import Board, Colour, Variable, VariableKind

_ON_TIME_RANGE_CHANGE: Final = 2
_ALPHABETICAL: Final = 1
_HIDDEN: Final = 2


def templates(board: Board, stores: Stores) -> list[dict[str, Any]]:
    """The data sources first, then the board's own, in the order in which one narrows the next."""
    return [
        *(_data_source(name) for name in sources.used(board, stores)),
        *(_variable(each) for each in board.variables),
    ]


def _data_source(name: str) -> dict[str, Any]:
    return {
        "type": "datasource", "name": name, "label": sources.TITLES[name], "query": sources.PLUGINS[name],
        "refresh": 1, "regex": "", "multi": False, "includeAll": False, "hide": 0, "options": [],
    }  # fmt: skip


def _variable(variable: Variable) -> dict[str, Any]:
    common = {"name": variable.name, "label": variable.title, "hide": 0}
    match variable.kind:
        case VariableKind.TEXT:
            return {**common, "type": "textbox", "query": "", "current": {"text": "", "value": ""}, "options": []}
        case VariableKind.LIST:
            return {**common, "type": "custom", "query": ",".join(variable.values), **_choice(variable)}
        case VariableKind.LABEL:
            query = f"label_values({narrowed(variable)}, {variable.label})"
            return {
                **common, "type": "query", "datasource": sources.reference("datasource"),
                "query": {"query": query, "refId": "Values"}, "refresh": _ON_TIME_RANGE_CHANGE, "regex": "",
                "sort": _ALPHABETICAL, **_choice(variable),
            }  # fmt: skip


def narrowed(variable: Variable) -> str:
    """The series whose label gives the values, narrowed by the variables before."""
    name, _, own = variable.series.rstrip("}").partition("{")
    rest = [f'{label}=~"${other}"' for label, other in variable.where.items()]
    inner = ",".join([*([own] if own else []), *rest])
    return f"{name}{{{inner}}}" if inner else name


def _choice(variable: Variable) -> dict[str, Any]:
    several = variable.all and not variable.single
    chosen = {"text": ["All"], "value": ["$__all"]} if several else {"text": "All", "value": "$__all"}
    everything = {"current": chosen, "allValue": ".*"} if variable.all else {}
    first = {"current": {"text": variable.values[0], "value": variable.values[0]}} if variable.values else {}
    return {"multi": several, "includeAll": variable.all, "options": [], **first, **everything}


def annotations(board: Board) -> list[dict[str, Any]]:
    """Lines across all panels: a version seen for the first time, and pages that fire."""
    environment = [each for each in board.variables if each.name == variables.ENVIRONMENT.name]
    where = matchers(variables.scope(tuple(each.label for each in environment)))
    return list(_annotations(where))


def _annotations(where: str) -> Iterator[dict[str, Any]]:
    inner = where[1:-1]
    yield _annotation(
        "Versions",
        f"{versions.FIRST_SEEN}{where} * 1000",
        Colour.INFO,
        "{{dimension}} {{agent_name}}{{tool_name}}{{workflow}} {{version}}",
        "first seen",
        useValueForTime="on",
    )
    pages = ",".join(['alertstate="firing"', 'severity="page"', *([inner] if inner else [])])
    yield _annotation(
        "Pages", f"ALERTS{{{pages}}}", Colour.BAD, "{{alertname}} {{agent_name}}{{tool_name}}{{workflow}}", "fires"
    )


def _annotation(name: str, expr: str, colour: Colour, title: str, text: str, **rest: str) -> dict[str, Any]:
    return {
        "name": name, "datasource": sources.reference("datasource"), "enable": True, "hide": False,
        "iconColor": colour, "expr": expr, "step": "60s", "titleFormat": title, "textFormat": text, **rest,
    }  # fmt: skip
