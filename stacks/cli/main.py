"""`agentobs`: bring the local stack up, ask what is going on, take it down."""

import typer

from stacks.cli.errors import is_expected
from stacks.cli.verbs import VerbGroup

app = typer.Typer(
    cls=VerbGroup,
    help=__doc__,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _agentobs() -> None:
    """Verbs are in `stacks.cli.verbs`; without a callback typer takes an empty application for a mistake."""


def main() -> None:
    """Entry point: an expected failure is one message and exit code 1, without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        if not is_expected(error):
            raise
        from stacks.cli import show  # noqa: PLC0415 most commands end well, and some never draw anything

        show.error_console().print(show.failure(error), soft_wrap=True)
        raise SystemExit(1) from None
