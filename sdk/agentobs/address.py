"""Base addresses of HTTP services, checked once for all that take one."""

from urllib.parse import urlsplit


def base_address(url: str, setting: str) -> str:
    """Return `url` without a trailing slash. Raises ValueError naming `setting` and the fix, never the value."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or "/api" in parts.path or parts.username:
        raise ValueError(
            f"{setting} is not a base address; expected http(s)://host[:port] without /api and without keys in it, "
            "for example https://langfuse.example.com"
        )
    return url.strip().rstrip("/")
