"""Systems drawn at random: who there is, what they call, how well they work. Names and versions may be odd ones."""

import random
from typing import Any, Final

from support.worlds.model import GRAPH, MODEL, PROMPT, TOOL, WORKFLOW, Agent, Change, Habits, Tool, Traffic

_STONES: Final = ("amber", "maple", "river", "tundra", "garnet", "iris", "pine", "slate", "fjord", "lumen", "harbor")
_JOBS: Final = ("planner", "worker", "critic", "router", "agent", "writer")
_TOOLS: Final = (
    "kb-search", "order_lookup", "order_refund", "price.quote", "fx_rate", "sql_runner", "calendar_book",
    "geo.route", "vector_find", "mailer", "crm/read", "ticket_create",
)  # fmt: skip
_MODELS: Final = ("gpt-4.1", "gpt-4.1-mini", "gemini-2.5-flash", "mistral-large-2411", "sim-large-1", "claude-x")
_TYPES: Final = ("question", "order", "complaint", "none")
NEW_TYPES: Final = ("legal", "bulk")
ODD: Final = ("[/red]", "~x", "!y", "v" * 200, 'a"b\\c', "0", "2.1.6", "v12", "=1", "!~z", "latest", "ключ")


def system(rng: random.Random) -> dict[str, Any]:
    """Everything of a world but its kind: fields of `World`, with nothing that changes."""
    tools = tuple(_tool(rng, name) for name in rng.sample(_TOOLS, rng.randint(2, 7)))
    names = [f"{stone}-{rng.choice(_JOBS)}" for stone in rng.sample(_STONES, rng.randint(2, 6))]
    agents = tuple(
        _agent(rng, name, _used(rng, number, [tool.name for tool in tools])) for number, name in enumerate(names)
    )
    used = {tool for agent in agents for tool in agent.tools}
    return {
        "seconds": round(rng.uniform(240, 420)),
        "traffic": Traffic(rng.choice((rng.uniform(1.0, 2.0), rng.uniform(1.5, 3.5), rng.uniform(3.0, 6.0)))),
        "agents": agents,
        "tools": tuple(tool for tool in tools if tool.name in used),
        "graph": rng.choice(("g2", "3", "2024-11", "main")),
        "types": rng.choice((("none",), _TYPES[:2], _TYPES[:3])),
        "base": Habits(
            run_fails=rng.choice((0.0, 0.3, 0.9)),
            task_fails=rng.uniform(0.4, 1.0),
            bad_fails=rng.uniform(0.0, 0.5),
            again=rng.uniform(0.6, 0.95),
            other=rng.uniform(0.0, 0.04),
            talks=rng.uniform(0.2, 1.0),
            lead=rng.random() < 0.5,
        ),
    }


def _used(rng: random.Random, number: int, names: list[str]) -> tuple[str, ...]:
    """The first agent calls tools always, others mostly; one tool may have several users."""
    if number and rng.random() < 0.25:
        return ()
    return tuple(rng.sample(names, rng.randint(1, min(3, len(names)))))


def _tool(rng: random.Random, name: str) -> Tool:
    return Tool(
        name=name,
        version=version(rng),
        fails=rng.choice((0.0, rng.uniform(0.002, 0.02), rng.uniform(0.01, 0.06))),
        seconds=rng.uniform(0.05, 0.8),
        spread=rng.choice((0.2, 0.4, 0.4, 1.1)),
        timeout=rng.choice((2.0, 5.0, 10.0)),
    )


def _agent(rng: random.Random, name: str, tools: tuple[str, ...]) -> Agent:
    return Agent(
        name=name,
        prompt=version(rng),
        model=rng.choice(_MODELS),
        fails=rng.choice((0.0, rng.uniform(0.002, 0.02))),
        seconds=rng.uniform(0.2, 1.5),
        spread=rng.choice((0.3, 0.45, 0.8)),
        tokens=rng.uniform(400, 4000),
        price=rng.choice((1e-6, 4e-6, 1.5e-5)),
        bad_answers=rng.uniform(0.02, 0.1),
        evaluated=rng.choice((0.3, 1.0, 1.0)),
        tools=tools,
    )


def version(rng: random.Random, besides: str = "") -> str:
    """A version name, mostly an ordinary one."""
    while True:
        made = (
            rng.choice(ODD)
            if rng.random() < 0.12
            else rng.choice((f"v{rng.randint(1, 40)}", f"{rng.randint(1, 4)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}"))
        )
        if made != besides:
            return made


def runs(fields: dict[str, Any], dimension: str, entity: str) -> str:
    """The version that an entity runs at first."""
    if dimension == GRAPH:
        return str(fields["graph"])
    tools: tuple[Tool, ...] = fields["tools"]
    agents: tuple[Agent, ...] = fields["agents"]
    if dimension == TOOL:
        return next(tool.version for tool in tools if tool.name == entity)
    return next(agent.prompt if dimension == PROMPT else agent.model for agent in agents if agent.name == entity)


def changed(rng: random.Random, fields: dict[str, Any], dimension: str, entity: str, at: float, **more: Any) -> Change:
    """A change of an entity from its first version to a new one."""
    old = runs(fields, dimension, entity)
    new = rng.choice([m for m in (*_MODELS, "sim-large-2") if m != old]) if dimension == MODEL else version(rng, old)
    return Change(dimension, entity, old, new, at, **more)


def entity_of(rng: random.Random, fields: dict[str, Any], dimension: str, besides: frozenset[str] = frozenset()) -> str:
    """A tool, agent or workflow that has versions of a dimension."""
    if dimension == GRAPH:
        return WORKFLOW
    names: list[str] = [one.name for one in fields["tools" if dimension == TOOL else "agents"]]
    return rng.choice([name for name in names if name not in besides] or names)
