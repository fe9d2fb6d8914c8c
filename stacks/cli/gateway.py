"""`agentobs gateway`: read a policy, ask it, compare two, review tools, run the gateway."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentobs.guard.decide import Call, State
from agentobs.guard.document import Document, PolicyError
from agentobs.guard.switch import FileSwitch
from stacks import atomic, paths
from stacks.cli import safe

if TYPE_CHECKING:
    from gateway.pins import Pin
    from gateway.raw import Listing

app = typer.Typer(
    help="The MCP gateway: who may call which tool, how often, how long, for how much money.", no_args_is_help=True
)
pins_app = typer.Typer(help="Tools as they were reviewed, and what is otherwise now.")
app.add_typer(pins_app, name="pins")

_POLICY: Final = Path("policy.yaml")
_OBSERVED: Final = frozenset({"local", "dev"})
Policy = Annotated[Path, typer.Option("--policy", "-p", help="The policy's file.")]
LedgerFile = Annotated[
    Path | None, typer.Option("--ledger", help="The ledger's file; default: in the folder of the local stack.")
]
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
def budget(ledger: LedgerFile = None) -> None:
    """Show what is spent and held on every account of tasks, agents and the fleet."""
    from agentobs.guard.ledger import Ledger, LedgerError  # noqa: PLC0415 as above
    from agentobs.guard.quantities import usd  # noqa: PLC0415

    path = ledger or paths.home() / "gateway" / "ledger.db"
    if not path.exists():
        raise LedgerError(f"{path} is not there yet; fix: start the gateway, or name another with --ledger")
    for balance in Ledger(path).balances():
        safe.say(f"{balance.name}: {usd(balance.spent)} spent, {usd(balance.held)} held")


@app.command()
def serve(
    policy: Policy = _POLICY,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port to listen at.")] = 8790,
    switch: SwitchFile = None,
    ledger: LedgerFile = None,
    environment: Annotated[str, typer.Option("--environment", "-e", help="deployment.environment.name.")] = "local",
    record: Annotated[Path | None, typer.Option("--record", help="Write a tape of all calls into this folder.")] = None,
    replay: Annotated[
        Path | None, typer.Option("--replay", help="Answer from the tape of this folder, and ask no server.")
    ] = None,
    enforce: Annotated[
        bool | None,
        typer.Option("--enforce/--observe", help="Block tools that drifted; default: but in local and dev."),
    ] = None,
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
            releases=bool(os.environ.get("AGENTOBS_RELEASES_URL") or os.environ.get("AGENTOBS_RELEASES_FILE")),
            ledger=ledger or paths.home() / "gateway" / "ledger.db",
            environment=environment,
            record=record,
            replay=replay,
            enforce=environment not in _OBSERVED if enforce is None else enforce,
            endpoint=endpoint or None,
        ),
        identify,
    )


@pins_app.callback(invoke_without_command=True)
def pins(context: typer.Context, policy: Policy = _POLICY) -> None:
    """Ask every server for its tools; list what is otherwise than reviewed, exit 1 where there is something."""
    if context.invoked_subcommand:
        return
    document, reviewed, now = _asked(policy)
    from gateway.pins import compare  # noqa: PLC0415 as above

    found = [
        drift
        for name, server in document.servers.items()
        if name in now
        for drift in compare(name, reviewed.get(name), now[name], server.version, pinning=True)
    ]
    for drift in found:
        safe.say(f"{drift.server}{f'/{drift.tool}' if drift.tool else ''}: {drift.words}")
    for name in document.servers.keys() - now.keys():
        safe.say(f"{name}: does not answer")
    if found or document.servers.keys() - now.keys():
        raise typer.Exit(1)
    safe.say("Every tool is what was reviewed.")


@pins_app.command()
def accept(
    policy: Policy = _POLICY,
    server: Annotated[str, typer.Option("--server", help="Only this server; default: every one that answers.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Show what changed, ask, and write the definitions of now as reviewed."""
    from gateway import pins as pinning  # noqa: PLC0415 as above
    from gateway.drift import hidden  # noqa: PLC0415

    document, reviewed, now = _asked(policy)
    if server and server not in now:
        raise pinning.PinError(f"{server} does not answer or is not in {policy}; expected one of {', '.join(now)}")
    chosen = {name: listing for name, listing in now.items() if server in {"", name}}
    for name, listing in chosen.items():
        for drift in pinning.compare(name, reviewed.get(name), listing, document.servers[name].version, pinning=True):
            safe.say(f"{name}{f'/{drift.tool}' if drift.tool else ''}: {drift.words}")
        for tool in listing.tools:
            safe.say(f"  {tool.get('name')}: {tool.get('description', '')}")
            if hidden(tool):
                safe.say("    holds characters that nobody sees and a model reads")
    if not yes:
        typer.confirm("Write these as reviewed?", abort=True)
    path = _pins_file(policy, document.pins)
    atomic.write(path, pinning.dump(reviewed | pinning.taken(chosen)))
    safe.say(f"{path}: {', '.join(chosen)} reviewed")


def _asked(policy: Path) -> "tuple[Document, dict[str, Pin], dict[str, Listing]]":
    import asyncio  # noqa: PLC0415 as above

    from gateway import pins as pinning  # noqa: PLC0415
    from gateway.policy import load  # noqa: PLC0415
    from gateway.upstream import listings  # noqa: PLC0415

    document = load(policy)
    path = _pins_file(policy, document.pins)
    reviewed = pinning.load(path) if path.exists() else {}
    return document, reviewed, asyncio.run(listings(document.servers))


def _pins_file(policy: Path, named: str | None) -> Path:
    if named is None:
        raise PolicyError(
            f"{policy}: pins: is missing; fix: name the file of reviewed tools, for example pins: pins.yaml"
        )
    return policy.parent / named


def _json(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"arguments are no JSON: {error}") from None
    if not isinstance(found, dict):
        raise typer.BadParameter('arguments: expected a JSON object, for example {"order_id": "A-1"}')
    return found
