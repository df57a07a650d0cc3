"""The socket that web listens on, waited for where another program has its port."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable

from bot.observability.obstacles import Obstacles, keep_trying

# As uvicorn has it.
BACKLOG = 2048
_AGAIN = "It is tried again automatically."


def listen(
    host: str, port: int, obstacles: Obstacles, wait: Callable[[float], object] = time.sleep, *, variable: str = "PORT"
) -> socket.socket:
    """Listening already, so that whoever asks before all else is ready waits for an answer and is not turned away.

    `variable`: what sets the port.
    """
    return keep_trying(
        lambda: _listen(host, port),
        (OSError,),
        lambda problem: _words(problem, host, port, variable),
        obstacles,
        variable.lower(),
        f"Web listens on port {port} now.",
        wait,
    )


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(BACKLOG)
    except OSError:
        found.close()
        raise
    return found


def _words(problem: OSError, host: str, port: int, variable: str) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: end that one, or set {variable} to another. {_AGAIN}"
    if problem.errno == errno.EACCES:
        return (
            f"Port {port} may not be used by this user ({_why(problem)}): "
            f"set {variable} to another, above 1023. {_AGAIN}"
        )
    return (
        f"Web cannot listen on {host}, port {port} ({_why(problem)}): "
        f"set PRODACCESS_HOST to an address of this machine. {_AGAIN}"
    )


def _why(problem: OSError) -> str:
    return (problem.strerror or type(problem).__name__).lower()
