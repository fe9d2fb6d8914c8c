"""What the tools do: small, real functions over made-up data. Failures are added outside (`faults`)."""

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mcp_types import ToolAnnotations

from demo.system import TOOLS_OF, ServerName, ToolName

_ARTICLES: Final = (
    ("delivery", "Parcels arrive within three working days; the tracking page shows the current stop."),
    ("returns", "Items can be returned within 30 days; refunds go to the original means of payment."),
    ("warranty", "The warranty covers defects for 24 months; wear and tear is excluded."),
    ("password", "Reset the password from the sign-in page; the link is valid for one hour."),
    ("invoice", "Invoices are in the account under Orders and can be downloaded as PDF."),
)
_STATES: Final = ("packed", "shipped", "out for delivery", "delivered")


def kb_search(query: str) -> str:
    """Search the knowledge base and return the best article."""
    words = set(query.lower().split())
    title, text = max(_ARTICLES, key=lambda article: len(words & {article[0], *article[1].lower().split()}))
    return f"{title}: {text}"


def archive_search(query: str) -> str:
    """Search the archive of closed tickets: slower to read than the knowledge base, never empty."""
    return f"archive ticket {_number(query, 9000) + 1000}: {kb_search(query)}"


def order_lookup(order_id: str) -> str:
    """Return state and amount of one order."""
    number = _number(order_id, 400)
    return f"order {order_id}: {_STATES[number % len(_STATES)]}, total {number + 5}.90 EUR"


def refund_quote(order_id: str, reason: str) -> str:
    """Work out how much of an order may be refunded."""
    share = 100 if reason == "damaged" else 90
    return f"order {order_id}: {(_number(order_id, 400) + 5.9) * share / 100:.2f} EUR refundable ({share} %)"


def order_refund(order_id: str) -> str:
    """Refund one order and return the booking number."""
    return f"order {order_id} refunded, booking R{_number(order_id, 90_000) + 10_000}"


def _number(text: str, below: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()) % below


_FUNCTIONS: Final[Mapping[ToolName, Callable[..., str]]] = MappingProxyType(
    {
        ToolName.KB_SEARCH: kb_search,
        ToolName.ARCHIVE_SEARCH: archive_search,
        ToolName.ORDER_LOOKUP: order_lookup,
        ToolName.ORDER_REFUND: order_refund,
        ToolName.REFUND_QUOTE: refund_quote,
    }
)


# A refund that was made is not made again, so that a repeated call does no harm.
HINTS: Final = {
    tool: ToolAnnotations(read_only_hint=tool is not ToolName.ORDER_REFUND, idempotent_hint=True) for tool in ToolName
}


def functions_of(server: ServerName) -> dict[ToolName, Callable[..., str]]:
    """Return the tools one server offers."""
    return {tool: _FUNCTIONS[tool] for tool in TOOLS_OF[server]}
