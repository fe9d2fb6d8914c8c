"""Play a world: its tasks one after the other, each with its agents, model calls, tools and evaluations.

A call counts when it ends. What is kept is a list of moments and values per set of labels; `sampled` makes counters.
"""

import random
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from support.worlds.model import GRAPH, MODEL, PROMPT, TOOL, WORKFLOW, Agent, Change, Effect, Fault, Slow, Tool, World
from support.worlds.systems import NEW_TYPES

_ATTEMPTS: Final = 3
_NOVEL_IS_BAD: Final = 0.5
_VIOLATIONS: Final = 0.01
Key = tuple[str, ...]
Events = dict[Key, list[list[float]]]


def _lists(count: int) -> Events:
    return defaultdict(lambda: [[] for _ in range(count)])


@dataclass(slots=True)
class Played:
    """Events of each family by labels: ends of calls, then what was measured. Not in order of time."""

    tasks: Events = field(default_factory=lambda: _lists(3))  # seconds, USD
    runs: Events = field(default_factory=lambda: _lists(2))  # seconds
    models: Events = field(default_factory=lambda: _lists(4))  # seconds, tokens, USD
    tools: Events = field(default_factory=lambda: _lists(2))  # seconds
    evaluations: Events = field(default_factory=lambda: _lists(1))
    violations: Events = field(default_factory=lambda: _lists(1))


@dataclass(slots=True)
class _Setting:
    """What a task runs: versions by dimension and entity, the track, and the faults of its versions."""

    versions: dict[tuple[str, str], str]
    track: str
    faults: list[Fault]


@dataclass(slots=True)
class _Task:
    setting: _Setting
    faults: list[Fault]
    graph: str
    novel: bool
    failed: bool = False
    cost: float = 0.0


def play(world: World) -> Played:
    """Everything that happens in a world; the same each time."""
    return _Player(world).play()


class _Player:
    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = random.Random(f"{world.seed}/{world.number}/{world.kind}/events")
        self.played = Played()
        self.tools: dict[str, Tool] = {tool.name: tool for tool in world.tools}
        self.slow: list[Slow] = sorted(world.slow_calls, key=lambda one: one.at)
        self.free = [fault for fault in (*world.faults, *world.bursts) if fault.change is None]
        self.borders = sorted({t for c in world.changes for t in (c.at, c.until) if t is not None})
        self.settings: dict[tuple[int, tuple[bool, ...]], _Setting] = {}
        self.canaries: dict[int, list[Change]] = {}

    def play(self) -> Played:
        traffic, rng, seconds = self.world.traffic, self.rng, self.world.seconds
        most = traffic.rate * (1 + traffic.depth) * max(1.0, traffic.ends)
        at = rng.expovariate(most)
        wave = 6.283185307 / traffic.period
        flat = not traffic.depth and traffic.ends == 1.0
        from math import sin  # noqa: PLC0415

        while at < seconds:
            rate = (
                most
                if flat
                else (traffic.rate * (1 + traffic.depth * sin(at * wave)) * (1 + (traffic.ends - 1) * at / seconds))
            )
            if flat or rng.random() * most < rate:
                self.task(at)
            at += rng.expovariate(most)
        return self.played

    def setting(self, at: float) -> _Setting:
        """What a task that starts now runs: canaries are chosen per task."""
        epoch = bisect_right(self.borders, at)
        if epoch not in self.canaries:
            self.canaries[epoch] = [c for c in self.world.changes if _runs(c, at) and c.share < 1]
        random_ = self.rng.random
        chosen = tuple(random_() < c.share for c in self.canaries[epoch])
        found = self.settings.get((epoch, chosen))
        if found is None:
            found = self.settings[epoch, chosen] = self._made(epoch, at, chosen)
        return found

    def _made(self, epoch: int, at: float, chosen: tuple[bool, ...]) -> _Setting:
        world = self.world
        versions = {(TOOL, tool.name): tool.version for tool in world.tools}
        versions |= {(PROMPT, agent.name): agent.prompt for agent in world.agents}
        versions |= {(MODEL, agent.name): agent.model for agent in world.agents}
        versions[GRAPH, WORKFLOW] = world.graph
        full = sorted((c for c in world.changes if _runs(c, at) and c.share >= 1), key=lambda c: c.at)
        picked = [c for c, hit in zip(self.canaries[epoch], chosen, strict=True) if hit]
        for change in (*full, *picked):
            versions[change.dimension, change.entity] = change.new
        faults = [
            fault
            for fault in world.faults
            if (c := fault.change) is not None and versions[c.dimension, c.entity] == c.new
        ]
        return _Setting(versions, "canary" if any(c.tracked for c in picked) else "stable", faults)

    def size(self, task: _Task, effect: Effect, entity: str, at: float, user: str = "") -> float:
        """The strongest fault of an effect here and now; 0 if there is none."""
        found = 0.0
        for fault in task.faults:
            if fault.effect is effect and fault.entity in {"", entity} and fault.user in {"", user} and fault.at <= at:
                if fault.until is not None and at >= fault.until:
                    continue
                size = fault.size
                if fault.ramp:
                    size *= min(1.0, (at - fault.at) / fault.ramp)
                found = max(found, size)
        return found

    def task(self, begin: float) -> None:
        rng, world = self.rng, self.world
        setting = self.setting(begin)
        active = [f for f in self.free if f.at <= begin + 60 and (f.until is None or begin < f.until)]
        task = _Task(setting, setting.faults + active, setting.versions[GRAPH, WORKFLOW], novel=False)
        if task.faults:
            task.novel = rng.random() < self.size(task, Effect.NEW_TYPES, "", begin)
            rounds = self.size(task, Effect.LOOPS, "", begin) or 1.0
        else:
            rounds = 1.0
        kind = rng.choice(NEW_TYPES if task.novel else world.types)
        at = begin
        rounds = int(rounds) + (rng.random() < rounds % 1)
        for turn in range(rounds):
            for number, agent in enumerate(world.agents):
                if (turn == 0 or number) and agent.comes <= begin < agent.goes:
                    at = self.run(task, agent, at)
        chance = world.base.other
        if task.faults:
            chance = max(chance, self.size(task, Effect.TASK_FAILS, "", begin), 0.2 if rounds > 1 else 0.0)
        failed = task.failed or rng.random() < chance or (task.novel and rng.random() < _NOVEL_IS_BAD)
        outcome, error = ("failure", "other") if failed else ("success", "none")
        kept = self.played.tasks[task.graph, setting.track, error, outcome, kind]
        for values, value in zip(kept, (at, at - begin, task.cost), strict=True):
            values.append(value)
        if rng.random() < _VIOLATIONS:
            agent = rng.choice(world.agents)
            prompt = setting.versions[PROMPT, agent.name]
            self.played.violations[agent.name, prompt, task.graph, setting.track][0].append(at)

    def run(self, task: _Task, agent: Agent, begin: float) -> float:
        """One run of an agent, until it ends; return when."""
        rng, name, base = self.rng, agent.name, self.world.base
        prompt = task.setting.versions[PROMPT, name]
        at, failed = self.model(task, agent, prompt, begin)
        for tool in (self.tools[each] for each in agent.tools):
            if not tool.comes <= begin < tool.goes:
                continue
            at, gave_up = self.tool(task, name, prompt, tool, at)
            if gave_up:
                failed = failed or rng.random() < base.run_fails
                task.failed = task.failed or rng.random() < base.task_fails
            if rng.random() < base.talks:
                at, broken = self.model(task, agent, prompt, at)
                failed = failed or broken
        if task.faults:
            failed = failed or rng.random() < self.size(task, Effect.AGENT_FAILS, name, begin)
        task.failed = task.failed or (failed and rng.random() < base.task_fails)
        kept = self.played.runs[name, prompt, task.graph, task.setting.track, "other" if failed else "none"]
        kept[0].append(at)
        kept[1].append(at - begin)
        if rng.random() < agent.evaluated:
            chance = agent.bad_answers
            if task.faults:
                chance = max(chance, self.size(task, Effect.BAD_ANSWERS, name, begin))
            if task.novel:
                chance = max(chance, _NOVEL_IS_BAD)
            bad = rng.random() < chance
            task.failed = task.failed or (bad and rng.random() < base.bad_fails)
            model = task.setting.versions[MODEL, name]
            key = (name, prompt, task.graph, model, task.setting.track, "fail" if bad else "pass")
            self.played.evaluations[key][0].append(at)
        return at

    def model(self, task: _Task, agent: Agent, prompt: str, at: float) -> tuple[float, bool]:
        """A model call: when it ends, and whether it failed."""
        rng, name = self.rng, agent.name
        if at < agent.thinks:
            return at, False
        model = task.setting.versions[MODEL, name]
        seconds = agent.seconds * rng.lognormvariate(0.0, agent.spread)
        tokens = agent.tokens * rng.lognormvariate(0.0, 0.4)
        fails, price = agent.fails, agent.price
        if task.faults:
            seconds *= self.size(task, Effect.MODEL_SLOW, name, at) or 1.0
            seconds *= self.size(task, Effect.MACHINE_SLOW, "", at) or 1.0
            tokens *= self.size(task, Effect.TOKENS, name, at) or 1.0
            price *= self.size(task, Effect.MODEL_DEAR, name, at) or 1.0
            fails = max(fails, self.size(task, Effect.MODEL_FAILS, name, at))
        failed = rng.random() < fails
        at += seconds
        kept = self.played.models[name, prompt, task.graph, model, task.setting.track, "other" if failed else "none"]
        kept[0].append(at)
        kept[1].append(seconds)
        if not failed:
            kept[2].append(tokens)
            kept[3].append(tokens * price)
            task.cost += tokens * price
        return at, failed

    def tool(self, task: _Task, user: str, prompt: str, tool: Tool, at: float) -> tuple[float, bool]:
        """A tool call with its retries: when the last one ends, and whether all of them failed."""
        rng, name, again = self.rng, tool.name, 0.0
        key = (user, prompt, task.graph, name, task.setting.versions[TOOL, name], task.setting.track)
        for attempt in range(_ATTEMPTS):
            seconds = tool.seconds * rng.lognormvariate(0.0, tool.spread)
            fails, runs_out = tool.fails, 0.0
            if task.faults:
                seconds *= self.size(task, Effect.TOOL_SLOW, name, at, user) or 1.0
                seconds *= self.size(task, Effect.MACHINE_SLOW, "", at) or 1.0
                fails = max(fails, self.size(task, Effect.TOOL_FAILS, name, at, user))
                runs_out = self.size(task, Effect.TOOL_TIMES_OUT, name, at, user)
            error = "none"
            if self.slow and self.slow[0].at <= at and self.slow[0].tool == name:
                error, seconds = "timeout", self.slow.pop(0).seconds
            elif runs_out and rng.random() < max(runs_out, again):
                error, seconds = "timeout", tool.timeout
            elif rng.random() < max(fails, again if not runs_out else 0.0):
                error = "tool_error"
            at += seconds
            kept = self.played.tools[(*key, error, "true" if attempt else "false")]
            kept[0].append(at)
            kept[1].append(seconds)
            if error == "none":
                return at, False
            again = self.world.base.again if fails > tool.fails or runs_out else 0.5
        return at, True


def _runs(change: Change, at: float) -> bool:
    return change.at <= at and (change.until is None or at < change.until)
