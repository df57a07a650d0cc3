"""Calls of a job, to the forge for its token and to web: within seconds, not too much of it, and never to anywhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.directory.one_answer import NoAnswer, one_answer, said_in

__all__ = ["Answer", "NoAnswer", "call"]

BYTES_MAX = 64 * 1024
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`said`: empty where it was no JSON object. `after_s`: how long it asks to be left alone."""

    status: int
    said: Mapping[str, Any]
    after_s: float = 0.0

    @property
    def is_passing(self) -> bool:
        """It may be another one in a moment. 404 without a word of ours is a proxy before a web that is not there."""
        return self.status == 429 or self.status >= 500 or (self.status == 404 and "error" not in self.said)

    def text(self, name: str) -> str:
        value = self.said.get(name)
        return value if isinstance(value, str) else ""


def call(
    method: str, url: str, authorization: str, body: Mapping[str, Any] | None = None, timeout_s: float = TIMEOUT_S
) -> Answer:
    """Secrets travel in the head, so plain HTTP is for this machine alone, and no redirect is followed. Raises NoAnswer."""
    headers = {"Authorization": authorization, "Accept": "application/json", "User-Agent": "prodaccess"}
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Content-Type": "application/json"}
    found = one_answer(method, url, headers, data, timeout_s=timeout_s, bytes_max=BYTES_MAX)
    said, again = said_in(found), str(found.heads.get("Retry-After") or "")
    after_s = float(again) if again.isascii() and again.isdigit() and len(again) < 5 else 0.0
    return Answer(found.status, said if isinstance(said, dict) else {}, after_s)
