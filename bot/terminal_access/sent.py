"""What a terminal sends: read, and refused in one sentence where it cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.gate.strict_json import object_of
from workflows.core.terminal.proof import HEX_64, LINE_LENGTH_MAX, RANDOM, Proof
from workflows.usecases.identity.terminal_acts import Sent

BODY_BYTES_MAX = 16 * 1024
_KEYS = frozenset({"challenge", "line", "ticket_hash", "region", "access_key", "date", "signature", "token"})


def read(body: bytes) -> Sent | str:
    """What was sent; or what is wrong with it, in one sentence."""
    try:
        said = object_of(body)
    except ValueError:
        return "The body is not a JSON object."
    if said.keys() != _KEYS or not all(isinstance(value, str) for value in said.values()):
        return "The body must have these keys, each with text: " + ", ".join(sorted(_KEYS)) + "."
    return _wrong(said) or Sent(said["challenge"], said["line"], _proof(said), said["ticket_hash"])


def _wrong(said: Mapping[str, str]) -> str:
    line = said["line"]
    checks = (
        (RANDOM.fullmatch(said["challenge"]), "'challenge' must be one of ours."),
        (0 < len(line) <= LINE_LENGTH_MAX, f"'line' must have at most {LINE_LENGTH_MAX} characters."),
        (line.isprintable() and line == " ".join(line.split()), "'line' must be one line, with single blanks."),
        (HEX_64.fullmatch(said["ticket_hash"]), "'ticket_hash' must be 64 hex digits."),
        (_proof(said).is_well_formed, "This is no signature of a call to AWS."),
    )
    return next((sentence for fits, sentence in checks if not fits), "")


def _proof(said: Mapping[str, Any]) -> Proof:
    return Proof(said["region"], said["access_key"], said["date"], said["signature"], said["token"])


def ticket_hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
