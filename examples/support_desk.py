"""What the Python examples share: the agents' prompts, the tools, their versions, and where model and collector are.

The story: a planner looks an order up and hands over, an executor refunds it. The first attempt at that fails.
"""

import os
import socket
import sys
from typing import Final
from urllib.parse import urlsplit

from agentobs import emit

COLLECTOR: Final = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://127.0.0.1:4318"
MODEL: Final = os.environ.get("OPENAI_MODEL") or "gpt-4.1-mini"
QUESTION: Final = "The kettle of order 1007 came broken. I want my money back."

VERSION: Final = "1.4.0"  # of this program
GRAPH_VERSION: Final = "7"  # of who hands over to whom
LOOKUP_VERSION: Final = os.environ.get("LOOKUP_VERSION") or "3.1.0"  # another one is broken, to ask `agentobs why`
REFUND_VERSION: Final = "2.0.4"
PLANNER: Final = emit.Prompt(
    "planner",
    "12",
    "You are the planner of a support desk. Look the order up, then have the executor refund it, naming the order.",
)
EXECUTOR: Final = emit.Prompt(
    "executor",
    "3",
    "You are the executor of a support desk. Refund the order you are told of. If that fails, try once more.",
)

_refused: set[str] = set()


def order_lookup(order: str) -> str:
    """Look up an order by its number."""
    if LOOKUP_VERSION != "3.1.0":
        raise LookupError(f"version {LOOKUP_VERSION} of the register has no orders")
    return f"order {order}: one kettle, 42.00 EUR, paid by card"


def order_refund(order: str) -> str:
    """Refund an order by its number."""
    if order not in _refused:
        _refused.add(order)
        raise ConnectionError("the payment provider is busy, try again")
    return f"order {order}: refunded 42.00 EUR"


def use_model() -> str:
    """Point OpenAI's clients to the scripted model, unless the environment names another; return the base URL."""
    url = os.environ["OPENAI_BASE_URL"] = os.environ.get("OPENAI_BASE_URL") or "http://127.0.0.1:8642/v1"
    os.environ["OPENAI_API_KEY"] = os.environ.get("OPENAI_API_KEY") or "scripted"
    try:
        at = urlsplit(url)
        socket.create_connection((at.hostname or "", at.port or (443 if at.scheme == "https" else 80)), 5).close()
    except (OSError, ValueError) as error:
        sys.exit(
            f"no model answers at OPENAI_BASE_URL={url}: {error}. Fix: start the scripted one in another terminal with "
            "`python3 examples/model_server`, or set OPENAI_BASE_URL and OPENAI_API_KEY for a real one"
        )
    return url
