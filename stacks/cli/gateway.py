"""`agentobs gateway`: read a policy, ask it, compare two, run the gateway."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from agentobs.guard.decide import Call, State
from agentobs.guard.switch import FileSwitch
from stacks import paths
from stacks.cli import safe

app = typer.Typer(
    help="The MCP gateway: who may call which tool, how often, how long, for how much money.", no_args_is_help=True
)

_POLICY: Final = Path("policy.yaml")
Policy = Annotated[Path, typer.Option("--policy", "-p", help="The policy's file.")]
SwitchFile = Annotated[Path | None, typer.Option("--switch", help="The kill switch's file.")]


@app.command()
def check(policy: Policy = _POLICY) -> None:
    """Read a policy; list every fault with its key and fix, or what it allows."""
    from gateway.policy import load  # noqa: PLC0415 help needs no policy

    document = load(policy)
    tools = sum(len(agent.tools) for agent in document.agents.values())
    safe.say(f"{policy}: good. {len(document.servers)} servers, {len(document.agents)} agents, {tools} permissions.")
    for name, agent in document.agents.items():
        safe.say(f"  {name}: {', '.join('/'.join(key) for key in agent.tools) or 'no tool'}")


@app.command()
def explain(
    agent: Annotated[str, typer.Argument(help="Who calls.")],
    tool: Annotated[str, typer.Argument(help="SERVER/TOOL.")],
    arguments: Annotated[str, typer.Option("--arguments", "-a", help="The call's arguments as JSON.")] = "{}",
    policy: Policy = _POLICY,
    switch: SwitchFile = None,
) -> None:
    """Say what becomes of a call, step by step, without making it; exit 1 where it is refused."""
    from gateway import explain as explaining  # noqa: PLC0415 as above
    from gateway.policy import load  # noqa: PLC0415

    server, slash, name = tool.partition("/")
    if not slash:
        raise typer.BadParameter(f"{tool!r} is no tool; write SERVER/TOOL, for example orders/order_lookup")
    call = Call(agent, server, name, _json(arguments))
    kill = FileSwitch(switch).killed(agent, server, name) if switch else None
    state = State(agents=frozenset({agent}), kill=kill)
    document = load(policy)
    for said in explaining.explain(document, call, state):
        safe.say(f"{'yes' if said.passes else 'no ':3}  {said.step}: {said.words}")
    if not explaining.allowed(document, call, state):
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The policy before.")],
    new: Annotated[Path, typer.Argument(help="The policy after.")],
) -> None:
    """Say what a new policy changes: + more than before, - less, ~ another."""
    from gateway.explain import difference  # noqa: PLC0415 as above
    from gateway.policy import load  # noqa: PLC0415

    lines = difference(load(old), load(new))
    safe.say("\n".join(lines) or "The two allow the same.")


@app.command()
def serve(
    policy: Policy = _POLICY,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port to listen at.")] = 8790,
    switch: SwitchFile = None,
    environment: Annotated[str, typer.Option("--environment", "-e", help="deployment.environment.name.")] = "local",
    endpoint: Annotated[str, typer.Option("--endpoint", help="OTLP/HTTP address; without it nothing is emitted.")] = "",
) -> None:
    """Run the gateway until SIGTERM. Without issuers in the policy, callers of this computer say who they are."""
    from gateway import run  # noqa: PLC0415 as above
    from gateway.policy import load  # noqa: PLC0415
    from gateway.token_identity import identity_of  # noqa: PLC0415

    identify = identity_of(load(policy), host)
    run.serve(
        run.Settings(
            policy=policy,
            host=host,
            port=port,
            folder=paths.home() / "gateway",
            switch=switch,
            environment=environment,
            endpoint=endpoint or None,
        ),
        identify,
    )


def _json(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"arguments are no JSON: {error}") from None
    if not isinstance(found, dict):
        raise typer.BadParameter('arguments: expected a JSON object, for example {"order_id": "A-1"}')
    return found
