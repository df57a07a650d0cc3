"""So much one address may send, before anybody looks at a signature or fetches a key for it. See docs/adr/0036.

A chat sends much from few addresses, and whoever stands in front of us (a proxy, a load balancer) sends for everybody: both are
known by what they have proved. A stranger's request counts as many, and is paid back when it proves something.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.monotonic import monotonic_s
from bot.runtime.front import PROVED

# What one address may send: so many a second, so many at once. Four times what web is built for, which is 50 a second.
A_SECOND, AT_ONCE = 200.0, 2000.0
# A stranger's request counts as so many until it has proved something: 25 at once, then 2.5 a second.
STRANGERS_COST = 80.0
# Whoever has proved something is no stranger for so long, in seconds.
KNOWN_FOR_S = 3600.0
ADDRESSES_MAX = 10_000
# Of an IPv6 address whoever has one has all of these.
_IPV6_BITS = 64


@dataclass(slots=True)
class _Peer:
    tokens: float
    at_s: float
    proved_at_s: float = -math.inf


class Allowance:
    """Token buckets by address, of at most `ADDRESSES_MAX`: whoever was heard of longest ago is forgotten first.

    Used in one event loop.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic_s) -> None:
        self._now_s = now_s
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    def take(self, address: str) -> tuple[float, float]:
        """What was taken for a request; or 0.0, and how long to wait, in seconds."""
        peer = self._peer(address)
        known = peer.at_s - peer.proved_at_s <= KNOWN_FOR_S or _is_inside(address)
        cost = 1.0 if known else STRANGERS_COST
        if peer.tokens < cost:
            return 0.0, (cost - peer.tokens) / A_SECOND
        peer.tokens -= cost
        return cost, 0.0

    def answered(self, address: str, taken: float, *, proved: bool, broke: bool) -> None:
        """What came of it. `broke`: something went wrong on our side, which is nobody's fault."""
        peer = self._peer(address)
        if proved:
            peer.proved_at_s = peer.at_s
        if proved or broke:
            peer.tokens = min(AT_ONCE, peer.tokens + taken - 1.0)

    def __len__(self) -> int:
        return len(self._peers)

    def _peer(self, address: str) -> _Peer:
        name, now_s = _named(address), self._now_s()
        peer = self._peers.get(name)
        if peer is None:
            peer = self._peers[name] = _Peer(AT_ONCE, now_s)
            if len(self._peers) > ADDRESSES_MAX:
                self._peers.popitem(last=False)
        self._peers.move_to_end(name)
        peer.tokens = min(AT_ONCE, peer.tokens + (now_s - peer.at_s) * A_SECOND)
        peer.at_s = now_s
        return peer


class PeerLimits:
    """Around an ASGI app: of requests to these paths, and to all `below` one, those that are too many are answered 429 before
    they are read.
    """

    def __init__(
        self, app: ASGIApp, paths: Iterable[str], allowance: Allowance | None = None, *, below: str = ""
    ) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._below = below
        self._allowance = Allowance() if allowance is None else allowance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._is_limited(scope["path"]):
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        taken, wait_s = self._allowance.take(address)
        if not taken:
            again = {"Retry-After": str(math.ceil(wait_s))}
            await PlainTextResponse("too many requests from this address", 429, again)(scope, receive, send)
            return
        await self._watched(address, taken, scope, receive, send)

    def _is_limited(self, path: str) -> bool:
        return path in self._paths or (bool(self._below) and path.startswith(self._below))

    async def _watched(self, address: str, taken: float, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            self._allowance.answered(address, taken, proved=bool(scope.get(PROVED)), broke=status >= 500)


def _named(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        # A socket of the file system; or a proxy says what is no address, as long as it likes.
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return f"{int(found) >> (128 - _IPV6_BITS):x}::"
    return address


def _is_inside(address: str) -> bool:
    """Not of the internet: a proxy of ours, which sends what others have sent to it."""
    try:
        return not ip_address(address).is_global
    except ValueError:
        # A socket of the file system.
        return address == ""
