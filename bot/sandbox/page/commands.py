"""Commands that the page shows the output of: run as somebody runs them in a terminal, on the sandbox's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.sandbox.installation.installation import InstallationError
from bot.sandbox.slack import CannotDo

Json = dict[str, Any]

COMMANDS: Mapping[str, Sequence[str]] = {
    "report": ("report", "--since", "1d"),
    "verify": ("audit", "verify"),
}


class Runs(Protocol):
    def output(self, words: Sequence[str]) -> str: ...


def run(machine: Runs, body: Mapping[str, Any]) -> Json:
    """`{"command": "prodaccess report --since 1d", "says": ...}`. Raise CannotDo for any that is not listed here."""
    words = COMMANDS.get(body["id"])
    if words is None:
        raise CannotDo(f"There is no command {body['id']} here.")
    try:
        return {"command": f"prodaccess {' '.join(words)}", "says": machine.output(words)}
    except InstallationError as problem:
        raise CannotDo(str(problem)) from None
