"""Text between double quotes, as PromQL, LogQL, TraceQL and logfmt all read it."""


def escaped(text: str) -> str:
    """The text as it stands between the quotes: nothing in it ends them."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def quoted(text: str) -> str:
    """The text with its quotes."""
    return f'"{escaped(text)}"'
