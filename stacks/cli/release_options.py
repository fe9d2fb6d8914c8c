"""Options of the release verbs, read and explained the same way by all."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from stacks import releases

_SHARE: Final = re.compile(r"\A(\d{1,3}(?:\.\d{1,2})?) ?%?\Z")


def share_of(text: str) -> int:
    """A share in 1/10,000 of `5%`, `0.5%` or `5`: always per cent."""
    match = _SHARE.match(text.strip())
    if match is None or not 0 < float(match[1]) <= 100:  # noqa: PLR2004 per cent
        raise typer.BadParameter(f"{text!r} is no share; write for example 5%, from 0.01% to 100%")
    return round(float(match[1]) * 100)


Environment = Annotated[str, typer.Option("--environment", "-e", help="Which environment; default: the stack's name.")]
StoreFolder = Annotated[
    Path | None,
    typer.Option("--store", envvar=releases.VARIABLE, help="Folder of another store of releases than the stack's."),
]
Why = Annotated[str, typer.Option("--reason", "-m", help="Why; it stands in the history.")]
By = Annotated[str, typer.Option("--by", help="Who does it; default: this user and computer.")]
Alert = Annotated[str, typer.Option("--alert", help="Fingerprint of the alert that is the reason.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what it would do, and do nothing.")]
Expect = Annotated[
    str, typer.Option("--expect", help="What is there now; where it is another by then, nothing is done.")
]
SharePart = Annotated[int, typer.Option("--share", parser=share_of, metavar="PERCENT", help="Of all sessions: 5%.")]
