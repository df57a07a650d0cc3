"""What a web process answers to whoever runs it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


def status(port: str, path: str) -> int:
    """0 where nobody listens yet."""
    return _asked(port, path)[0]


def read(port: str) -> dict[str, Any]:
    """What stands in /readyz; nothing is missing where nobody listens yet."""
    body = _asked(port, "/readyz")[1]
    found: dict[str, Any] = json.loads(body) if body else {"missing": [], "attention": []}
    return found


def _asked(port: str, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, problem.read()
    except OSError:
        return 0, b""
