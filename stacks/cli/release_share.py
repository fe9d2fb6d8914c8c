"""Verbs that carry releases between people: sign, verify, push, pull, tools."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from delivery.errors import DeliveryError
from delivery.releases import artifact
from delivery.releases.artifact import Reference
from runbooks.signature import Namespace, Signature
from stacks import atomic, baselines, releases, signing
from stacks.cli import safe
from stacks.cli.options import Stack
from stacks.cli.release_change import ReleaseId
from stacks.cli.release_options import By, StoreFolder
from stacks.environments import EnvName

Address = Annotated[
    str, typer.Argument(help="oci://registry.example.com/team/support, with :TAG for another than the id.")
]
Plain = Annotated[bool, typer.Option("--plain-http", help="The registry speaks HTTP without TLS.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `agentobs release`."""
    for verb in (sign, verify, push, pull, tools):
        app.command()(verb)


def sign(
    release: ReleaseId,
    key: Annotated[Path, typer.Option("--key", help="SSH key that signs.")],
    by: By = "",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Sign a release with an SSH key; the signature is kept beside it."""
    with releases.of_stack(stack, store) as place:
        found = place.store.release(release)
        made = signing.sign(found.digest, key, by or baselines.operator(), Namespace.RELEASE)
        place.store.sign(release, made.model_dump_json().encode())
    safe.say(f"{release} is signed by {made.by} with the key {made.fingerprint}")


def verify(
    release: ReleaseId,
    signers: Annotated[
        Path | None, typer.Option("--signers", help="File of allowed signers, see ssh-keygen(1).")
    ] = None,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Check that a release is what its id says, that its texts are there, and who signed it; exit 1 where not."""
    with releases.of_stack(stack, store) as place:
        found = place.store.release(release)
        for text in found.texts:
            place.store.text(text)
        kept = [Signature.model_validate_json(each) for each in place.store.signatures(release)]
    said = [signing.verify(found.digest, each, signers, Namespace.RELEASE) for each in kept]
    if signers is not None and not said:
        raise DeliveryError(f"{release} is not signed, so nobody in {signers} vouches for it")
    safe.say(f"{release} is whole, with {len(found.texts)} texts; {'; '.join(said) or 'not signed'}")


def push(
    release: ReleaseId,
    address: Address,
    plain_http: Plain = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Push a release with its texts to a registry, as an OCI artifact."""
    with releases.of_stack(stack, store) as place:
        found = place.store.release(release)
        texts = [place.store.text(each) for each in sorted(found.texts)]
    digest = artifact.push(Reference.parse(address), found, texts, plain_http=plain_http)
    safe.say(f"pushed {release} to {address}: {digest}")


def pull(
    address: Address,
    release: Annotated[str, typer.Argument(help="Id of the release; not needed where the address has a tag.")] = "",
    plain_http: Plain = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Pull a release from a registry and keep it, once all of it was checked."""
    reference = Reference.parse(address)
    if not reference.tag and not release:
        raise typer.BadParameter("name the release: pull oci://host/name ID, or oci://host/name:TAG")
    found, texts = artifact.pull(reference, release, plain_http=plain_http)
    if release and found.id != release:
        raise DeliveryError(f"{address} holds release {found.id}, not {release}; nothing was kept")
    with releases.of_stack(stack, store) as place:
        place.store.add_release(found, texts)
    safe.say(f"kept {found.id} {found.name}")


def tools(
    server: Annotated[str, typer.Argument(help="Address of an MCP server, or the command that starts one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File or folder; a folder gets SERVER.json.")] = Path(
        "tools"
    ),
) -> None:
    """Write what an MCP server answers to tools/list, as `release build` pins it."""
    from delivery.releases import listing  # noqa: PLC0415 the MCP client takes long to import

    document = asyncio.run(listing.listed(server))
    file = out if out.suffix == ".json" else out / f"{document['server']['name']}.json"
    atomic.write(file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    safe.say(
        f"wrote {file}: {len(document['tools'])} tools of {document['server']['name']} {document['server']['version']}"
    )
