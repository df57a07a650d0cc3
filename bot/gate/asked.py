"""What a pipeline's command sends with an ask: read, and refused in one sentence where it cannot be."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.gate.asks import No
from bot.gate.codes import Problem
from bot.gate.strict_json import object_of
from workflows.core.pipelines.identity import PipelineRun
from workflows.usecases.gates.ask import Words

BODY_BYTES_MAX = 16 * 1024
CHANGE_LENGTH_MAX = 500
URL_LENGTH_MAX = 500
TICKET_LENGTH_MAX = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# 256 random bits.
NONCE = re.compile(r"[A-Za-z0-9_-]{43}")
_URL = re.compile(r"https?://[^\s<>|\"'\\]+")
_KEYS = frozenset({"environment", "gate", "change", "url", "commit", "ticket", "nonce"})


@dataclass(frozen=True, slots=True)
class Sent:
    """`commit`: as typed, or its beginning; empty where nobody typed one. `nonce`: of this ask alone."""

    words: Words
    commit: str
    nonce: str


def read(body: bytes) -> Sent | No:
    try:
        said = object_of(body)
    except ValueError:
        return _no("The body is not a JSON object.")
    if odd := sorted(said.keys() - _KEYS):
        return _no(f"Nobody here knows the key {odd[0][:40]!r}.")
    if wrong := next((key for key in _KEYS if not isinstance(said.get(key, ""), str)), None):
        return _no(f"{wrong!r} must be text.")
    return _wrong(said) or Sent(_words(said), said.get("commit", "").lower(), said["nonce"])


def _wrong(said: Mapping[str, str]) -> No | None:
    checks = (
        (_NAME.fullmatch(said.get("environment", "")), "'environment' must be the name of one."),
        (_NAME.fullmatch(said.get("gate", "deploy")), "'gate' must be the name of one."),
        (
            0 < len(_one_line(said.get("change", ""))) <= CHANGE_LENGTH_MAX,
            f"'change' must say what changes, in at most {CHANGE_LENGTH_MAX} characters.",
        ),
        (_is_url(said.get("url", "")), f"'url' must be a web address of at most {URL_LENGTH_MAX} characters."),
        (len(said.get("ticket", "")) <= TICKET_LENGTH_MAX, f"'ticket' has at most {TICKET_LENGTH_MAX} characters."),
        (
            not said.get("commit") or _COMMIT.fullmatch(said["commit"].lower()),
            "'commit' must be the commit's whole id, or at least 7 digits of it.",
        ),
        (NONCE.fullmatch(said.get("nonce", "")), "'nonce' must be 43 random characters of base64url."),
    )
    return next((_no(sentence) for fits, sentence in checks if not fits), None)


def _words(said: Mapping[str, Any]) -> Words:
    return Words(
        said["environment"],
        said.get("gate", "deploy"),
        _one_line(said["change"]),
        said.get("url", ""),
        _one_line(said.get("ticket", "")),
    )


def commit_problem(sent: Sent, run: PipelineRun) -> No | None:
    """The commit is the token's. What somebody typed beside it must be the same one."""
    if run.commit.startswith(sent.commit):
        return None
    return No(Problem.COMMIT, f"The token is for the commit {run.commit[:12]}, and --commit says {sent.commit[:12]}.")


def wait_ticket(token: str, nonce: str) -> str:
    """256 bits that only who holds both can make, so that an ask that is sent again has the same ticket, and a token that
    somebody has seen has none.
    """
    made = hashlib.sha256(b"\0".join((b"prodaccess wait ticket", nonce.encode(), token.encode()))).digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def ticket_hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def _is_url(text: str) -> bool:
    return not text or (len(text) <= URL_LENGTH_MAX and text.isprintable() and _URL.fullmatch(text) is not None)


def _one_line(text: str) -> str:
    """As typed, but for what would draw over other lines."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _no(sentence: str) -> No:
    return No(Problem.REQUEST, sentence)
