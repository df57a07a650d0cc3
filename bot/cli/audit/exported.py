"""An export: one line of JSON an entry, and on the last one what the ledger said of the whole log.

`number`, `digest`, the fields of the body, `words`, `link` and `salt` give an entry back byte for byte; where they would not,
because somebody wrote it otherwise than we do, `body` and `stored_words` hold it as it stands. `log` on the last line is the
log's state when the export began.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from workflows.core.audit_check import AuditState, StoredEntry
from workflows.core.canonical_json import canonical_json
from workflows.core.records.installation import Installation
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.seal.public_key import Seal

PAGE = 1000
_OURS = ("number", "digest", "words", "link", "salt", "body", "stored_words", "log")
# The last line is looked for in so many bytes from the end; a body is some hundreds, a change of the policy some thousands.
_TAIL_BYTES = 8_000_000


class BadExport(ValueError):
    """The message is one sentence."""


@dataclass(frozen=True, slots=True)
class LogState:
    """What stands beside the entries. `installation`: None where nothing was sealed, and none was needed, yet."""

    audit: AuditState
    installation: Installation | None
    seal: SealState | None
    # What has left for the archive, and is not in the export either.
    retained: Retained | None = None


# ---------------------------------------------------------------- written


def line_of(stored: StoredEntry) -> dict[str, Any]:
    """Raises CorruptRecord where the entry cannot be read."""
    from workflows.ledger.codec import audit_entry

    entry = audit_entry(stored)
    fields = json.loads(entry.body)
    line = {"number": entry.number, "digest": entry.digest, **fields, "words": dict(entry.private), "link": stored.link}
    line |= {"number": entry.number, "digest": entry.digest}
    if stored.private is not None:
        line["salt"] = entry.salt
    if _body(line) != stored.body:
        line["body"] = entry.body
    if stored.private is not None and _words(line) != stored.private:
        line["stored_words"] = stored.private.decode("utf-8", "replace")
    return line


def state_line(state: LogState) -> dict[str, Any]:
    """What `log` of the last line holds."""
    made, seal = state.installation, state.seal
    return {
        "id": made.id if made else "",
        "epoch": made.epoch if made else 1,
        "made_at": made.made_at.isoformat() if made else "",
        "state": asdict(state.audit),
        "seal": {**asdict(seal), "at": seal.at.isoformat(), "since": None} if seal else None,
        **_line_of_past(state.retained),
    }


def _line_of_past(found: Retained | None) -> dict[str, Any]:
    """Where the export begins; nothing where it begins with the first entry."""
    if found is None or found.first <= 1:
        return {}
    return {"retained": {"first": found.first, "frontier": list(found.frontier), "link": found.link}}


# ---------------------------------------------------------------- read back


def read_state(file: Path) -> LogState:
    """From the file's last line. Raises BadExport, and OSError."""
    with file.open("rb") as source:
        source.seek(max(0, source.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = source.read().splitlines()
    try:
        return _state(json.loads(lines[-1])["log"])
    except (IndexError, KeyError, ValueError, TypeError, RecursionError):
        raise BadExport(
            f"{file} does not end with the log's state: it was cut short, or an older version made it. Export it anew."
        ) from None


def pages(file: Path) -> Iterator[list[StoredEntry]]:
    """Entries as they were exported. Raises BadExport, which names the line."""
    page: list[StoredEntry] = []
    with file.open("rb") as source:
        for number, line in enumerate(source, 1):
            try:
                page.append(_entry(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise BadExport(f"{file}:{number} is no entry of an export.") from None
            if len(page) == PAGE:
                yield page
                page = []
    if page:
        yield page


def _entry(line: dict[str, Any]) -> StoredEntry:
    if type(line["number"]) is not int or not isinstance(line["digest"], str) or not isinstance(line["link"], str):
        raise TypeError
    body = line["body"].encode() if "body" in line else _body(line)
    stored = line["stored_words"].encode() if "stored_words" in line else _words(line)
    if body is None:
        raise TypeError
    return StoredEntry(line["number"], body, line["digest"], stored, line["link"])


def _body(line: dict[str, Any]) -> bytes | None:
    return _canonical({name: value for name, value in line.items() if name not in _OURS})


def _words(line: dict[str, Any]) -> bytes | None:
    """None where they were erased."""
    return _canonical({"salt": line["salt"], "private": line["words"]}) if "salt" in line else None


def _canonical(value: Any) -> bytes | None:
    try:
        return canonical_json(value)
    except TypeError:
        return None


def _state(log: dict[str, Any]) -> LogState:
    state = AuditState(**{**log["state"], "problems": tuple(log["state"]["problems"])})
    made = Installation(log["id"], datetime.fromisoformat(log["made_at"]), log["epoch"]) if log["id"] else None
    seal, past = _seal(log["seal"]) if log["seal"] else None, log.get("retained")
    retained = Retained(past["first"], tuple(past["frontier"]), past["link"]) if past else None
    return LogState(state, made, seal, retained)


def _seal(seal: dict[str, Any]) -> SealState:
    return SealState(
        **{
            **seal,
            "at": datetime.fromisoformat(seal["at"]),
            "frontier": tuple(seal["frontier"]),
            "seal": Seal(**seal["seal"]),
            "key_changes": tuple(Seal(**each) for each in seal["key_changes"]),
        }
    )
