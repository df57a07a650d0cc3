"""A job is done with what a gate gave its role: it is given back before its time is over."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from bot.gate.client import NoAnswer
from bot.gate.job import Kept, is_over
from bot.gate.patience import APPROVED, PAUSE_S, REFUSED, Ended
from bot.gate.tokens import Call

TRIES = 5


class NothingKept(Exception):
    """Why there is nothing to give back, in a sentence."""


def keep(file: Path, kept: Kept) -> None:
    """For whoever runs the job alone. Raises OSError."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump({"url": kept.url, "ticket": kept.ticket}, out)


def kept_in(file: Path) -> Kept:
    """Raises NothingKept."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NothingKept(f"{file} is not there: the gate gave nothing, or nobody kept it.") from None
    except (OSError, ValueError) as problem:
        raise NothingKept(f"{file} cannot be read ({type(problem).__name__}).") from None
    url, ticket = (said.get("url"), said.get("ticket")) if isinstance(said, dict) else (None, None)
    if not (isinstance(url, str) and isinstance(ticket, str) and url and ticket):
        raise NothingKept(f"{file} holds nothing that the gate command has written with --keep.")
    return Kept(url, ticket)


def give_back(kept: Kept, call: Call, pause: Callable[[float], object]) -> Ended:
    """How it went. What is over already was taken away in time, or will be."""
    body, why = {"nonce": secrets.token_urlsafe(32)}, ""
    for _ in range(TRIES):
        try:
            answer = call("POST", f"{kept.url}/withdraw", f"Bearer {kept.ticket}", body)
        except NoAnswer as problem:
            why = str(problem)
        else:
            if answer.status == 200 and answer.text("state") == "withdrawn":
                return Ended(APPROVED, "What the gate gave is being taken away.")
            if is_over(answer):
                return Ended(APPROVED, answer.text("sentence") or "There is nothing to give back any more.")
            why = f"did not say that it takes it back ({answer.status})"
            if not answer.is_passing:
                break
        pause(PAUSE_S)
    return Ended(REFUSED, f"prodaccess {why}: what the gate gave ends by itself when its time is over.")
