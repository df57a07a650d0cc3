"""How Slack's certificate is checked: against the machine's authorities, which are read once and not for each call."""

from __future__ import annotations

import ssl
from functools import cache


def tls_for(url: str) -> ssl.SSLContext | None:
    """For the SDK, which would make one for each call: 20 ms of a processor."""
    return _checking() if url.startswith("https:") else None


@cache
def _checking() -> ssl.SSLContext:
    """As Python's own client makes it."""
    made = ssl.create_default_context()
    made.set_alpn_protocols(["http/1.1"])
    return made
