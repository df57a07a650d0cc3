"""Forms that stand in somebody's chat: kept, so that they can be drawn again with what is wrong with them.

A form is kept as JSON: each value of ours as an object that names its class, of a few that a form is made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.chat import form, message, rich
from bot.chat.form import Form
from bot.chat.wording import labels
from bot.teams.client.shelf import Shelf

# Whoever comes back to a form after a day opens a new one.
KEEP_S = 24 * 3600
# So many of one person's: those before are open no longer.
OPEN_MAX = 10
_CLASSES: Mapping[str, type[Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": found
    for module in (form, message, rich, labels)
    for name, found in vars(module).items()
    if isinstance(found, type) and is_dataclass(found) and found.__module__ == module.__name__
}
_NAMES = {found: name for name, found in _CLASSES.items()}


@dataclass(frozen=True, slots=True)
class Standing:
    """`version` grows with each time that it is drawn anew. `zone`: the reader's clock. `message`: where it stands."""

    form: Form
    version: int
    zone: str
    conversation: str
    message: str


class Forms:
    """Each call raises LedgerUnreachable."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def keep(self, name: str, standing: Standing) -> None:
        found = {
            "form": _stored(standing.form),
            "version": standing.version,
            "zone": standing.zone,
            "conversation": standing.conversation,
            "message": standing.message,
        }
        self._shelf.put(f"form:{name}", json.dumps(found).encode(), KEEP_S)

    def find(self, name: str) -> Standing | None:
        return _standing(self._shelf.get(f"form:{name}")) if name else None

    def opened(self, person: str, name: str) -> None:
        """One more of theirs, in the place of the oldest. Two at one moment may take one place: one of them is open then."""
        last = self._shelf.get(f"forms-of:{person}") or b""
        place = (int(last) + 1) % OPEN_MAX if last.isdigit() else 0
        self._shelf.put(f"forms-of:{person}", str(place).encode(), KEEP_S)
        before = self._shelf.swap(f"forms-of:{person}:{place}", name.encode(), KEEP_S)
        if before is not None:
            self.forget(before.decode("ascii", "replace"))

    def forget(self, name: str) -> None:
        self._shelf.take(f"form:{name}")


def same(one: Form, other: Form) -> bool:
    """Whether both are kept as the same: one that was read back has tuples where the other may have lists."""
    return bool(_stored(one) == _stored(other))


def _standing(body: bytes | None) -> Standing | None:
    """None also for what another version kept, and this one cannot read."""
    try:
        found = json.loads(body) if body else {}
        drawn = _read(found["form"])
        standing = Standing(drawn, int(found["version"]), found["zone"], found["conversation"], found["message"])
    except (ValueError, TypeError, KeyError):
        return None
    return standing if isinstance(drawn, Form) else None


def _stored(value: Any) -> Any:
    """Raises TypeError for what no form is made of."""
    if type(value) in _NAMES:
        parts = {each.name: _stored(getattr(value, each.name)) for each in fields(value)}
        return {"_": _NAMES[type(value)], **parts}
    if isinstance(value, datetime):
        return {"_": "at", "at": value.isoformat()}
    if isinstance(value, timedelta):
        return {"_": "for", "s": value.total_seconds()}
    if isinstance(value, list | tuple):
        return [_stored(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a form holds a {type(value).__name__}")


def _read(value: Any) -> Any:
    """Raises KeyError, TypeError, ValueError."""
    if isinstance(value, list):
        return tuple(_read(each) for each in value)
    if not isinstance(value, dict):
        return value
    kind = value["_"]
    if kind == "at":
        return datetime.fromisoformat(value["at"])
    if kind == "for":
        return timedelta(seconds=value["s"])
    return _CLASSES[kind](**{name: _read(part) for name, part in value.items() if name != "_"})
