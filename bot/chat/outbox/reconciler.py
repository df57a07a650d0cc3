"""Makes chat agree with the ledger: for a request, a digest, a policy that was activated. Level-triggered: it may run
twice, late, or after a crash, and shows how things stand now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.chat.outbox import accounts, digests, installation
from bot.chat.outbox.boards import Boards
from bot.chat.outbox.certification import show_card, show_round
from bot.chat.outbox.closed_places import ClosedPlaces
from bot.chat.outbox.digests import show_digest
from bot.chat.outbox.drift import show_drift, show_hold
from bot.chat.outbox.homes import show_home
from bot.chat.outbox.leavers import show_leavers
from bot.chat.outbox.outages import SUBJECT as PLACE
from bot.chat.outbox.outages import heard, place_of
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.policy_change import show_policy_change
from bot.chat.outbox.postings import Fenced, Later, PostingSession, Stopped
from bot.chat.outbox.requests import show_request
from bot.chat.outbox.summary import Summary
from bot.chat.outbox.waiting import SUMMARY, channel_of
from bot.chat.surface import NO_ANSWER, NotDone
from workflows.core import keys
from workflows.core.identity import ERASED_PERSON, SLACK
from workflows.core.records.chat import ChatRecord
from workflows.core.records.request import ID_PATTERN
from workflows.policy_file.cron import latest_slot, next_slot
from workflows.ports import (
    LEASE_S,
    IndexEntry,
    Lease,
)
from workflows.usecases.certification.standing import CARD as CERTIFICATION_CARD
from workflows.usecases.certification.standing import SUBJECT as CERTIFICATION
from workflows.usecases.drift.standing import HOLD as DRIFT_HOLD
from workflows.usecases.drift.standing import SUBJECT as DRIFT
from workflows.usecases.identity.leavers import SUBJECT as LEAVERS
from workflows.usecases.oversight.digest import SUBJECT as DIGEST
from workflows.usecases.oversight.digest import due_slot, schedule_next
from workflows.usecases.oversight.policy_activation import digest_due
from workflows.usecases.oversight.policy_waiting import SUBJECT as POLICY_CHANGE
from workflows.usecases.oversight.unblock import SUBJECT as LIFT
from workflows.usecases.revocation.revoke_all import SUBJECT as BULK_REVOCATION
from workflows.usecases.sealing.subjects import SUBJECT as AUDIT
from workflows.usecases.shared.ledger_doubt import SUBJECT as LEDGER
from workflows.usecases.shared.target_users import SUBJECT as TARGET_USER
from workflows.usecases.shared.troubles import ALARM as TROUBLES
from workflows.usecases.shared.troubles import SUBJECT as TROUBLE
from workflows.usecases.shared.troubles import Failure, note
from workflows.usecases.upkeep.tell_unreadable import SUBJECT as UNREADABLE
from workflows.usecases.upkeep.timekeeping import SUBJECT as CLOCK

# A subject that cannot be shown is tried again after 1, 2, 4 ... seconds, at most this many.
RETRY_S_MAX = 60.0
# While the chat lets nobody in, nobody asks but the one who looks whether that is over (see `closed_places`).
STOPPED_S = 30.0

log = structlog.get_logger()

# One is much like another: the same environments, and so the same people.
_SHOWS = "what is shown"

# Shows one subject as it should be now.
Show = Callable[[Outbox, PostingSession, str], None]
BY_PREFIX: Mapping[str, Show] = {
    "policy-": installation.show_policy,
    "delegation-": accounts.show_delegation,
    accounts.HOLD: accounts.show_hold,
    POLICY_CHANGE: show_policy_change,
    LEAVERS: show_leavers,
    LIFT: accounts.show_unblock,
    BULK_REVOCATION: installation.show_bulk_revocation,
    CLOCK: installation.show_clock,
    LEDGER: installation.show_ledger,
    DRIFT_HOLD: show_hold,
    DRIFT: show_drift,
    CERTIFICATION: show_round,
    CERTIFICATION_CARD: show_card,
    AUDIT: installation.show_audit,
    ERASED_PERSON: installation.show_erased,
    TROUBLE: installation.show_trouble,
    TROUBLES: installation.show_troubles,
    DIGEST: digests.show_owed_digest,
    UNREADABLE: installation.show_unreadable,
    TARGET_USER: accounts.show_target_user,
    PLACE: lambda box, page, subject: ClosedPlaces(box).show(page, place_of(subject)),
    keys.BOARD: lambda box, page, subject: Boards(box).show(page, subject.removeprefix(keys.BOARD)),
    SUMMARY: lambda box, page, subject: Summary(box).show(page, channel_of(subject)),
}


def show_for(subject: str) -> Show | None:
    if ID_PATTERN.fullmatch(subject):
        return show_request
    return next((show for prefix, show in BY_PREFIX.items() if subject.startswith(prefix)), None)


class Reconciler:
    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self._ctx = outbox.ctx

    # ------------------------------------------------------------ entry points

    def show(self, subject: str) -> None:
        """Make the messages of one subject as they should be."""
        if subject.startswith(keys.HOME):
            show_home(self.outbox, subject)
            return
        show = show_for(subject)
        if show is None:
            self.outbox.clear(subject)
            return
        found = show
        self._under_lease(subject, lambda page: found(self.outbox, page, subject))

    def post_digest(self, key: str) -> None:
        """Post the slot of a digest that is due, once, and put the next one on the clock."""
        slot = due_slot(self._ctx, key, latest_slot)
        if slot is None:
            schedule_next(self._ctx, key, None, next_slot)
            return
        due = slot
        self._under_lease(slot.subject, lambda page: show_digest(self.outbox, page, key, due), retry=digest_due(key))

    # ------------------------------------------------------------ the frame

    def _under_lease(self, subject: str, then: Callable[[PostingSession], None], retry: str | None = None) -> None:
        item = keys.chat(subject)
        lease = self._ctx.ledger.acquire(item)
        if lease is None:
            self._ctx.ledger.remind(retry or item, LEASE_S / 2)
            return
        try:
            with self._ctx.lease_renewer.keep(lease) as current:
                self._try(subject, then, current, retry or item)
        finally:
            self._ctx.ledger.release(lease)

    def _try(
        self, subject: str, then: Callable[[PostingSession], None], current: Callable[[], Lease | None], retry: str
    ) -> None:
        page = self._page(subject, current)
        try:
            with self._ctx.ahead.act(), self._ctx.ahead.question(_SHOWS):
                then(page)
        except Later as later:
            self._ctx.ledger.remind(retry, later.after_s)
        except Fenced:
            self._ctx.ledger.remind(retry, LEASE_S / 2)
        except Stopped as stopped:
            self._put_off(page, retry, STOPPED_S, page.record.failures, heard(stopped.surface, "stopped"))
        except NotDone as problem:
            self._failed(page, retry, problem.word, problem.surface)
        except OSError:
            # Whoever looked people up for this found nobody there.
            self._failed(page, retry, NO_ANSWER)

    def _failed(self, page: PostingSession, retry: str, word: str, surface: str = "") -> None:
        """`surface`: the chat that did not take it; nobody knows which where somebody was looked up."""
        chats = self.outbox.chats
        title = chats.at(surface).traits.title if surface else chats.title
        failures = page.record.failures + 1
        log.warning("chat does not show this yet", subject=page.record.subject, error=word, failures=failures)
        pause_s = min(2.0 ** min(failures - 1, 10), RETRY_S_MAX)
        self._put_off(page, retry, pause_s, failures, heard(surface or SLACK, word))
        if failures > 1:
            # Once is common. What lasts is told, and called about.
            again_at = self._ctx.ledger.now() + timedelta(seconds=pause_s)
            note(self._ctx, retry, Failure(f"{title} does not take it ({word})", again_at=again_at))

    def _put_off(self, page: PostingSession, retry: str, pause_s: float, failures: int, word: str) -> None:
        """Later than the clock would find it due again. News of the subject are shown at once all the same."""
        now = self._ctx.ledger.now()
        seen = IndexEntry(keys.CHAT_WORDS, word, now.timestamp())
        due = {retry: now + timedelta(seconds=pause_s)}
        step = f"put-off:{failures}:{self._ctx.chance.hex(8)}"
        try:
            page.save(replace(page.record, failures=failures), step, None, seen, due=due)
        except Fenced:
            self._ctx.ledger.remind(retry, LEASE_S / 2)

    def _page(self, subject: str, current: Callable[[], Lease | None]) -> PostingSession:
        item = keys.chat(subject)
        snapshot = self._ctx.ledger.read(item)
        # What cannot be read is said anew: twice is better than never.
        record = snapshot.readable(item, ChatRecord) or ChatRecord(subject)
        return PostingSession(self._ctx, item, record, snapshot.items[item].version, current)
