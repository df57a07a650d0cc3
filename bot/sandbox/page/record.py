"""The audit log as the page shows it, read from the ledger that the bot writes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.chat.rich import rich
from bot.chat.wording.events import event_words
from bot.sandbox.slack.errors import CannotDo
from bot.slack.render import mrkdwn
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.people import PersonId
from workflows.core.records.grant import Grant
from workflows.core.records.request import ID_PATTERN
from workflows.ports import Ledger, LedgerUnreachable
from workflows.targets.aws.terms import AwsTerms

Json = dict[str, Any]

SHOWN_MAX = 200


class Record:
    """`names`: address -> name. While Redis is away the last number that was seen stands."""

    def __init__(self, ledger: Ledger, names: Mapping[PersonId, str]) -> None:
        self._ledger = ledger
        self._names = names
        self._lock = threading.Lock()
        self._head = 0

    def head(self) -> int:
        """The number of the newest entry."""
        with self._lock:
            try:
                self._head = self._ledger.head()
            except LedgerUnreachable:
                return self._head
            return self._head

    def newest(self, limit: int) -> list[Json]:
        """The newest entries first. Raise CannotDo while Redis is away."""
        limit = max(1, min(limit, SHOWN_MAX))
        try:
            entries = self._ledger.entries(after=max(0, self._ledger.head() - limit), limit=limit)
            deadlines = self._deadlines(entries)
        except LedgerUnreachable:
            raise CannotDo("Redis is away for a moment, and the audit log with it.") from None
        return [self._shown(entry, deadlines.get(entry.subject)) for entry in reversed(entries)]

    def on_hold(self) -> list[tuple[str, str]]:
        """Chat and id there of each account that waits for somebody to say whose it is."""
        try:
            names = self._ledger.members(keys.ON_HOLD, limit=SHOWN_MAX)
            return [(name.partition(":")[0], name.rpartition(":")[2]) for name in names]
        except LedgerUnreachable:
            return []

    def ends(self) -> dict[tuple[str, str, str], float]:
        """When what is open will be taken away: by holder, by what AWS calls it, and for permission sets by account."""
        try:
            ids = self._ledger.members(keys.LIVE, limit=SHOWN_MAX)
            snapshot = self._ledger.read(*map(keys.grant, ids))
        except LedgerUnreachable:
            return {}
        grants = (snapshot.readable(keys.grant(id_), Grant) for id_ in ids)
        found: dict[tuple[str, str, str], float] = {}
        for grant in filter(None, grants):
            target = grant.terms.target
            if not isinstance(target, AwsTerms):
                continue
            what = target.permission_set or f"member of {target.group}"
            held = (grant.holder_name, what, target.account or "" if target.permission_set else "")
            end = grant.deadline.timestamp()
            found[held] = max(end, found.get(held, end))
        return found

    def _deadlines(self, entries: Sequence[AuditEntry]) -> dict[str, datetime]:
        subjects = sorted({entry.subject for entry in entries if entry.event is Event.GRANT_ACTIVE})
        if not subjects:
            return {}
        snapshot = self._ledger.read(*(keys.grant(subject) for subject in subjects))
        found = {subject: snapshot.get(keys.grant(subject), Grant) for subject in subjects}
        return {subject: grant.deadline for subject, grant in found.items() if grant is not None}

    def _shown(self, entry: AuditEntry, deadline: datetime | None) -> Json:
        words = event_words(entry, self._names, deadline=deadline)
        return {
            "number": entry.number,
            "at": entry.at.timestamp(),
            "event": entry.event.value,
            # Markup, so that its times are the reader's own, like all others of the page.
            "words": mrkdwn(rich(words, entry.at)),
            # Other subjects are names for the record, and say nothing to a reader.
            "subject": entry.subject if ID_PATTERN.fullmatch(entry.subject) else "",
            "digest12": entry.digest[:12],
        }
