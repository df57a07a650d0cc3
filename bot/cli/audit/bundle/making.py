"""Makes a bundle: in which order what is read, and what holds it together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from bot import __version__
from bot.cli.audit.bundle.certifications import write_certifications
from bot.cli.audit.bundle.entries import Told, write_entries
from bot.cli.audit.bundle.folder import About, Folder, new_folder
from bot.cli.audit.bundle.index import Index
from bot.cli.audit.bundle.requests import write_access, write_requests
from bot.cli.audit.bundle.standing import policy_records, write_drift, write_groups, write_policy, write_seals
from bot.cli.audit.bundle.verifier import verifier
from bot.cli.audit.exported import LogState
from bot.cli.audit.sources import export_lines, state_of
from bot.cli.past import away, left
from bot.cli.period import Asked, Wanted
from bot.cli.report import wanted_of
from bot.wiring import Common
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.records.grant import Grant
from workflows.core.seal.layout import folder as folder_of
from workflows.ports import Archive
from workflows.usecases.oversight.access_review import Found, entries_between

LOG = About(
    "audit.jsonl",
    "The whole audit log, one entry a line; the last one has its state and seal. Whole, because one signature covers all.",
    "the log in Redis, as `prodaccess audit export` prints it",
)
KEY = About(
    "public-key.pem",
    "The public key that signed. Believe it only if its fingerprint is the one that you have from elsewhere.",
    "the ledger's seal",
)
VERIFIER = About("verify.py", "Checks all of this without network.", "prodaccess itself, its own modules word for word")
INDEX = About("index.html", "This page.", "all of the above")


class NothingThere(ValueError):
    """The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Made:
    """`manifest`: its SHA-256. `notes`: sentences for whoever made it. `left_out`: whether something could not be read."""

    files: int
    requests: int
    entries: int
    manifest: str
    notes: Sequence[str]
    left_out: bool


@dataclass(frozen=True, slots=True)
class Making:
    parts: Common
    archive: Archive | None

    def into(self, path: Path, first: str, until: str) -> Made:
        """Raises NotEmpty, NothingThere, ArchiveUnavailable, OSError; then nothing is there."""
        policy = self.parts.context.policy.current()
        wanted = wanted_of(self.parts, policy, Asked("", first, until), "")
        # Before anything else is read: what comes meanwhile is in no table, and is missing nowhere.
        records, state = policy_records(self.parts.ledger), state_of(self.parts.ledger)
        if not state.audit.upto:
            raise NothingThere("The audit log is empty: there is nothing to hand over.")
        with new_folder(path) as folder:
            unreadable = self._log(folder, state)
            found = write_access(folder, self.parts, policy, wanted)
            ids = write_requests(folder, self.parts, found, policy)
            told = self._entries(folder, wanted, state)
            gone = sorted(told.asked - set(ids))
            stands = left(self.parts)
            notes = [
                *([away(stands)] if stands is not None else []),
                *unreadable,
                *_left_out(found.unread, gone),
                *write_policy(folder, records),
            ]
            write_groups(folder, self.parts, policy)
            open_drift = write_drift(folder, self.parts)
            unanswered = write_certifications(folder, self.parts, policy, wanted)
            self._seals(folder, state, wanted)
            with folder.text(VERIFIER) as output:
                output.writelines(verifier())
            self._index(folder, found, told, state, notes, (open_drift, unanswered), wanted)
            facts = self._facts(state, wanted, gone)
            self._nobody_was_erased(state)
            return Made(
                len(folder.filed) + 1,
                len(ids),
                sum(told.counts.values()),
                folder.manifest(facts),
                notes,
                bool(stands or unreadable or found.unread),
            )

    def _log(self, folder: Folder, state: LogState) -> list[str]:
        """Returns a sentence for each entry that cannot be read."""
        unreadable: list[str] = []
        with folder.text(LOG) as output:
            for line in export_lines(self.parts.ledger, state, unreadable, upto=state.audit.upto):
                output.write(json.dumps(line, ensure_ascii=False) + "\n")
        return [f"{problem}, and is left out." for problem in unreadable]

    def _nobody_was_erased(self, state: LogState) -> None:
        """Of whom some tables would have names, and the log no entry that says so."""
        after = state.audit.upto
        while page := self.parts.ledger.entries(after=after):
            if any(entry.event is Event.PERSON_ERASED for entry in page):
                raise NothingThere("Somebody was erased while this was made: make it again.")
            after = page[-1].number

    def _entries(self, folder: Folder, wanted: Wanted, state: LogState) -> Told:
        ledger = self.parts.ledger

        @cache
        def verified(id_: str) -> datetime | None:
            grant = ledger.read(keys.grant(id_)).readable(keys.grant(id_), Grant)
            return grant.closed_at if grant else None

        return write_entries(folder, entries_between(ledger, wanted.since, wanted.until, state.audit.upto), verified)

    def _seals(self, folder: Folder, state: LogState, wanted: Wanted) -> None:
        made = state.installation
        of = folder_of(made.id, made.epoch) if made else ""
        write_seals(folder, state, self.archive if made else None, of, wanted.since, wanted.until)
        if state.seal is not None and state.seal.public_key:
            with folder.text(KEY) as output:
                output.write(state.seal.public_key)

    def _index(
        self,
        folder: Folder,
        found: Found,
        told: Told,
        state: LogState,
        notes: list[str],
        standing: tuple[int, int],
        wanted: Wanted,
    ) -> None:
        now = self.parts.ledger.now()
        page = Index(found.report, told, state, tuple(folder.filed), notes, *standing, now, wanted.zone, __version__)
        with folder.text(INDEX) as output:
            output.writelines(page.parts())

    def _facts(self, state: LogState, wanted: Wanted, gone: Sequence[str]) -> dict[str, object]:
        """What the verifier needs to know, and where each bundle is from."""
        return {
            "kind": "prodaccess.bundle",
            "version": __version__,
            "log": state.installation.id if state.installation else "",
            "from": wanted.since.isoformat(),
            "until": wanted.until.isoformat(),
            "made": self.parts.ledger.now().isoformat(),
            "upto": state.audit.upto,
            "without_record": list(gone),
        }


def _left_out(unread: Sequence[str], gone: Sequence[str]) -> Sequence[str]:
    found = []
    if unread:
        found.append(f"{len(unread)} records cannot be read, and are left out: {', '.join(unread[:20])}.")
    if gone:
        found.append(
            f"{len(gone)} requests are in the log, and have no record any more: {', '.join(gone[:20])}. "
            "events.csv has what happened."
        )
    return found
