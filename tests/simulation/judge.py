"""The promises of the design, watched after each step. The judge reads what is committed, what is at the targets, and what people
were told; its idea of the rules is its own.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.simulation.house import House
from tests.simulation.law import Law
from tests.simulation.strays import Strays
from tests.simulation.votes import Votes
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.records.chat import ChatRecord
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.record import Record
from workflows.core.records.request import Request
from workflows.core.records.target import Observation, Presence, Resource
from workflows.ports import Change, Committed, Lost
from workflows.targets.aws.memory import MemoryTarget

# "Late by at most a minute after the fault has gone."
LATE_S = 60.0
# A call that was announced in time may be on its way for so long when the end begins; it is taken back then.
ON_ITS_WAY_S = 12.0
# Holders are looked at every five minutes, and the clock comes by for that once a minute.
LEAVERS_S = 420.0
LIVE = ("activating", "active", "revoking")
OPEN = ("activating", "active")
CLOSED = ("ended", "revoked", "activation_failed")
# The life cycles once more, written down from the design and not from the code.
MOVES = {
    "": ("pending", "approved", "activating"),
    "pending": ("approved", "scheduled", "denied", "withdrawn", "expired"),
    "scheduled": ("approved", "denied", "withdrawn", "expired"),
    "activating": ("active", "revoking"),
    "active": ("revoking",),
    "revoking": CLOSED,
}
BECOMES = {
    "time": "ended",
    "returned": "ended",
    "revoked": "revoked",
    "failed": "activation_failed",
    "standing": "activation_failed",
}
ONCE = frozenset(
    {
        Event.REQUEST_MADE,
        Event.REQUEST_APPROVED,
        Event.REQUEST_AUTO_APPROVED,
        Event.REQUEST_STARTED,
        Event.REQUEST_DENIED,
        Event.REQUEST_WITHDRAWN,
        Event.REQUEST_DECLINED,
        Event.REQUEST_EXPIRED,
        Event.BREAK_GLASS_USED,
        Event.GRANT_ACTIVE,
        Event.GRANT_END_STARTED,
        Event.GRANT_ENDED,
        Event.GRANT_REVOKED,
        Event.GRANT_ACTIVATION_FAILED,
        Event.BULK_REVOCATION_STARTED,
        Event.BULK_REVOCATION_FINISHED,
    }
)
DECIDED = (Event.REQUEST_APPROVED, Event.REQUEST_AUTO_APPROVED, Event.BREAK_GLASS_USED, Event.REQUEST_STARTED)


class Judge:
    """`broken`: the promises that were broken, in words. Puts itself between the installation and its ledger and targets."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.broken = house.broken
        self.requests: dict[str, Request] = {}
        self.grants: dict[str, Grant] = {}
        # By when each must be gone, in seconds that nobody can set; and whose end went by a clock that was just set.
        self.ends_s: dict[str, float] = {}
        self.by_a_set_clock: set[str] = set()
        # Access that somebody else gave.
        self.standing: dict[str, Resource] = {}
        self.resources: dict[str, Resource] = {}
        # Holding -> when it was last seen to be there, seen to be gone, and when a call to give was sent.
        self.seen_s: dict[str, float] = {}
        self.missed_s: dict[str, float] = {}
        self.sent_s: dict[str, float] = {}
        self.began_s: dict[str, float] = {}
        self.end_began_s: dict[str, float] = {}
        # The nonce of every message that was ever meant to be posted.
        self.meant: set[str] = set()
        self.events: Counter[tuple[str, Event]] = Counter()
        self.head = 0
        self.late_s = 0.0
        self.votes = Votes(house)
        self.strays = Strays(house, self.votes, self.wrong)
        # Since when the ledger may be an older copy of itself; what stood in the newer one alone, by id; and whether it is told.
        self.fell_s: float | None = None
        self.fell = self.rebuilding = False
        self.lost: dict[str, Grant] = {}
        self.lost_ids: set[str] = set()
        self.decided_at: dict[str, int] = {}
        self._looked_s = 0.0
        self._commit = house.ledger.commit
        house.ledger.commit = self.commit  # type: ignore[method-assign]  # every commit is heard
        house.targets.before, house.targets.after = self.reaches, self.answered

    @property
    def now_s(self) -> float:
        return self.house.scheduler.now_s

    def wrong(self, promise: str, what: str) -> None:
        self.broken.append(f"{promise}: {what}")
        self.house.story.tell(f"BROKEN: {promise}: {what}")

    # ------------------------------------------------------------ what is committed

    def commit(self, change: Change) -> Committed | Lost:
        answer = self._commit(change)
        if self.rebuilding:
            return answer
        if isinstance(answer, Committed) and not answer.replayed:
            self._numbers(answer)
            for event in change.audit:
                self._event(event, change)
            for key, record in change.puts.items():
                self._put(key, record, change)
            for key, record in change.puts.items():
                if isinstance(record, Holding):
                    self._holds(key, set(record.grants))
            for key in change.deletes:
                if key.startswith(keys.holding("")):
                    self._holds(key, set())
        return answer

    def _holds(self, key: str, named: set[str]) -> None:
        live = {grant.id for grant in self._on(key.removeprefix(keys.holding(""))) if grant.state.value in LIVE}
        if named != live:
            self.wrong(
                "nothing is there that nobody watches", f"{key} has {sorted(named)}, and live are {sorted(live)}"
            )

    def _numbers(self, answer: Committed) -> None:
        for number in answer.numbers:
            if number != self.head + 1:
                self.wrong("numbers have no gaps", f"{number} after {self.head}")
            self.head = number

    def _event(self, event: AuditEvent, change: Change) -> None:
        self.house.story.tell(f"#{self.head} {event.event.value} {event.subject} {_plain(event)}")
        self.events[event.subject, event.event] += 1
        if event.event in ONCE and event.subject not in self.lost_ids and self.events[event.subject, event.event] > 1:
            self.wrong("every event is on the log once", f"{event.event.value} of {event.subject} again")
        self.votes.heard(event)
        if event.event.value.startswith("drift."):
            self.strays.heard(event, change, self.law(), self.missed_s)
        tell = getattr(self, "_on_" + event.event.value.replace(".", "_"), None)
        if tell:
            tell(event, change)

    def law(self) -> Law:
        active = self.house.ledger._versioned(keys.ACTIVE_POLICY).record
        assert isinstance(active, ActivePolicy)
        return self.house.folder.law_of(active.hash)

    def _put(self, key: str, record: Record, change: Change) -> None:
        if isinstance(record, Request):
            before = self.requests.get(record.id)
            self.requests[record.id] = record
            self._moves(record.id, before.state.value if before else "", record.state.value)
            if record.resource is not None:
                self.resources[record.resource.holding] = record.resource
        if isinstance(record, Grant):
            self._grant(record, change)
        if isinstance(record, ChatRecord):
            self.meant |= {one.nonce for one in record.postings.values() if one.nonce}

    def _moves(self, id_: str, before: str, after: str) -> None:
        if before != after and after not in MOVES.get(before, ()):
            self.wrong("the life cycle", f"{id_} goes from {before or 'nothing'} to {after}")

    def _grant(self, grant: Grant, change: Change) -> None:
        before = self.grants.get(grant.id)
        self.grants[grant.id] = grant
        now = before.state.value if before else ""
        if now in OPEN and any(
            one.event is Event.GRANT_END_STARTED and one.subject == grant.id for one in change.audit
        ):
            # What nothing has to be taken away for is over in the step in which its end begins.
            now = "revoking" if grant.state.value != "revoking" else now
        self._moves(grant.id, now, grant.state.value)
        self._told(grant, before, change)
        if before is None:
            self._decided(grant, change)
        elif grant.deadline > before.deadline:
            self._longer(grant, change)

    def _told(self, grant: Grant, before: Grant | None, change: Change) -> None:
        """A change of state stands on the log, in the same commit."""
        told = {event.event.value for event in change.audit if event.subject == grant.id}
        wanted = {"active": "grant.active", "revoking": "grant.end_started"}.get(
            grant.state.value, f"grant.{grant.state.value}"
        )
        moved = before is not None and before.state != grant.state
        if moved and wanted not in told:
            self.wrong("audited in the same commit", f"{grant.id} is {grant.state.value}, and nothing says so")
        if before is None and not told & {one.value for one in DECIDED}:
            self.wrong("audited in the same commit", f"{grant.id} was decided, and nothing says so")

    def _decided(self, grant: Grant, change: Change) -> None:
        due = change.due.get(keys.end_due(grant.id))
        if due is None or due > grant.deadline:
            self.wrong("removal is arranged first", f"{grant.id} has no end on the clock")
        if not self.house.ledger.is_durable.durable:
            self.wrong("failing safe", f"{grant.id} was decided on a ledger that may forget it")
        self.resources[grant.holding] = grant.resource
        self.began_s[grant.id] = self.now_s
        self.decided_at[grant.id] = self.head
        self._agreed_until(grant)
        self.votes.decided(self.requests[grant.id], self.law(), change, self.wrong)

    def _agreed_until(self, grant: Grant) -> None:
        left_s = (grant.deadline - self.house.clock.now()).total_seconds()
        self.ends_s[grant.id] = self.now_s + left_s
        if self.house.clock_unseen():
            self.by_a_set_clock.add(grant.id)

    def _longer(self, grant: Grant, change: Change) -> None:
        if not any(event.event is Event.GRANT_EXTENDED and event.subject == grant.id for event in change.audit):
            self.wrong("a deadline stays", f"that of {grant.id} moved on without an extension")
        self._agreed_until(grant)

    def _on_ledger_rolled_back(self, event: AuditEvent, change: Change) -> None:
        self.fell_s = self.now_s if self.fell_s is None else self.fell_s

    def _on_ledger_accepted(self, event: AuditEvent, change: Change) -> None:
        self.accepted()

    def _on_request_agreed(self, event: AuditEvent, change: Change) -> None:
        self._voted(event, change)

    def _on_request_approved(self, event: AuditEvent, change: Change) -> None:
        self._voted(event, change)
        request = change.puts.get(keys.request(event.subject))
        if isinstance(request, Request) and (request.extends or keys.grant(request.id) not in change.puts):
            self.votes.decided(request, self.law(), change, self.wrong)

    def _voted(self, event: AuditEvent, change: Change) -> None:
        request = change.puts.get(keys.request(event.subject))
        if isinstance(request, Request):
            self.votes.voted(request, event.private["actor"], self.law(), self.wrong)

    def _on_grant_active(self, event: AuditEvent, change: Change) -> None:
        grant = change.puts[keys.grant(event.subject)]
        assert isinstance(grant, Grant)
        sent_s = self.sent_s.get(grant.holding, -1.0)
        if sent_s < self.began_s[grant.id]:
            self.wrong("nothing is announced that was not verified", f"{grant.id} is active without a call of its own")
        if self.seen_s.get(grant.holding, -1.0) < max(sent_s, self.began_s[grant.id]):
            self.wrong("nothing is announced that was not verified", f"{grant.id} is active, and nobody saw it there")

    def _on_grant_end_started(self, event: AuditEvent, change: Change) -> None:
        self.end_began_s[event.subject] = self.now_s
        self.ends_s[event.subject] = min(self.now_s, self.ends_s[event.subject])

    def _on_closing(self, event: AuditEvent, change: Change) -> None:
        grant = change.puts[keys.grant(event.subject)]
        assert isinstance(grant, Grant)
        assert grant.end is not None
        if BECOMES[grant.end.cause.value] != grant.state.value:
            self.wrong("the life cycle", f"{grant.id} ended by {grant.end.cause} is {grant.state}")
        proof = event.facts["proof"]
        holding = grant.holding
        if proof == "absence_read_back" and self.missed_s.get(holding, -1.0) < self.end_began_s[grant.id]:
            self.wrong("nothing is announced that was not verified", f"{grant.id} is over, and nobody saw it gone")
        others = [one for one in self.grants.values() if one.holding == holding and one.id != grant.id]
        if proof == "covered" and not any(one.state.value in OPEN for one in others):
            self.wrong("overlaps are safe", f"{grant.id} is covered by nothing")
        if proof == "nothing_given" and self.sent_s.get(holding, -1.0) >= self.began_s[grant.id]:
            self.wrong(
                "nothing is announced that was not verified", f"{grant.id} was given, and is told not to have been"
            )
        self.late_s = max(self.late_s, self.now_s - max(self.ends_s[grant.id], self.house.fault_until_s))

    _on_grant_ended = _on_grant_revoked = _on_grant_activation_failed = _on_closing

    # ------------------------------------------------------------ what goes to the targets

    def reaches(self, target: MemoryTarget, name: str, resource: Resource) -> None:
        """A call is about to have its effect."""
        if name == "grant":
            self._gives(resource)
        if name == "revoke":
            self._takes(resource)

    def _on(self, holding: str) -> list[Grant]:
        return [grant for grant in self.grants.values() if grant.holding == holding]

    def _gives(self, resource: Resource) -> None:
        holding = resource.holding
        self.resources[holding] = resource
        open_ = [grant for grant in self._on(holding) if grant.state.value in OPEN]
        left = [grant for grant in open_ if self.now_s < self.ends_s[grant.id] or grant.extended_to is not None]
        just_ended = any(self.now_s - self.end_began_s.get(one.id, -1e9) < ON_ITS_WAY_S for one in self._on(holding))
        if self.fell_s is not None and self.now_s - self.fell_s > ON_ITS_WAY_S:
            self.wrong("failing safe", f"{resource.title} is given, and the ledger is an older copy of itself")
        if not open_ and not just_ended:
            self.wrong("no access without a decision", f"{resource.title} is given, and no grant is open")
        elif open_ and not left and not self.house.clock_was_set:
            self.wrong("access ends on time", f"{resource.title} is given after its end")
        if not all(keys.end_due(grant.id) in self.house.ledger.due for grant in open_):
            self.wrong("removal is arranged first", f"{resource.title} is given, and no end is on the clock")
        if holding in self.standing:
            self.wrong("standing access is left as it was", f"{resource.title} is given beside it")
        self.sent_s[holding] = self.now_s
        # Whoever guessed a name that is given out later is overtaken by it.
        self.strays.of.pop(holding, None)
        if len(open_) == 1 and open_[0].state.value == "activating":
            self.votes.still_right(self.requests[open_[0].id], open_[0], self.law(), self.wrong)

    def _takes(self, resource: Resource) -> None:
        now = self.house.clock.now()
        covered = [one.id for one in self._on(resource.holding) if one.state.value == "active" and now < one.deadline]
        if covered:
            self.wrong("overlaps are safe", f"{resource.title} is taken away from {covered}")
        if resource.holding in self.standing:
            self.wrong("standing access is left as it was", f"{resource.title} is taken away")
        if not any(one.state.value in LIVE for one in self._on(resource.holding)):
            self.strays.takes(resource)

    def answered(self, target: MemoryTarget, name: str, resource: Resource, answer: Any) -> None:
        if isinstance(answer, Observation):
            seen = self.seen_s if answer.stands else self.missed_s
            if answer.presence is not Presence.UNKNOWN:
                seen[resource.holding] = self.now_s

    # ------------------------------------------------------------ an older copy of the ledger

    def fell_back(self, subjects: frozenset[str], *, known: bool) -> None:
        """What there is by the ledger is what the copy has. `subjects`: of the entries that it lacks. `known`: whether anybody
        remembers them; else the archive says so, a moment later.
        """
        self.fell = True
        self.fell_s = self.now_s if subjects and known else None
        before, asked = self.grants, self.requests
        self._read_anew()
        # What became of them may come about once more.
        self.lost_ids |= subjects
        for id_, grant in before.items():
            known = self.grants.get(id_)
            # What was over, and may still come about at the target, or came about after all, is known to nobody either.
            perhaps = self.now_s < self.house.targets.busy_until_s.get(grant.holding, 0.0) or self._is_there(
                self.house.targets[grant.resource.kind], grant.holding
            )
            if (grant.state.value in LIVE or perhaps) and (known is None or known.holding != grant.holding):
                self.lost[id_] = grant
        self.votes.fell_back(asked.keys() - self.requests.keys())
        self.strays.fell_back({one.holding: one.resource for one in self.lost.values()})

    def _read_anew(self) -> None:
        ledger = self.house.ledger
        found = [ledger._versioned(key).record for kind in ("request", "grant") for key in ledger.records(kind)]
        self.requests = {one.id: one for one in found if isinstance(one, Request)}
        self.grants = {one.id: one for one in found if isinstance(one, Grant)}
        self.head = ledger.head()
        self.events = Counter((entry.subject, entry.event) for entry in ledger.entries(limit=1_000_000))
        for id_, grant in self.grants.items():
            self.began_s.setdefault(id_, self.now_s)
            self._agreed_until(grant)
            if grant.end is not None:
                self.ends_s[id_] = min(self.now_s, self.ends_s[id_])
                self.end_began_s.setdefault(id_, self.now_s)
            else:
                self.end_began_s.pop(id_, None)
            self.resources[grant.holding] = grant.resource

    def made_again(self, size: int) -> None:
        """From the archive, up to that entry: what was decided by then is known, and ends."""
        self._read_anew()
        self.votes.fell_back(())
        for id_ in [id_ for id_, one in self.lost.items() if one.state.value in LIVE and self.decided_at[id_] <= size]:
            lost = self.lost.pop(id_)
            self.strays.of.pop(lost.holding, None)
            if not any(one.holding == lost.holding for one in self.grants.values()):
                self.wrong("the record can be made again", f"it has nothing of {id_}, {lost.resource.title}")

    def accepted(self) -> None:
        self.overlooked()
        self.strays.epoch_s = self.now_s

    def overlooked(self) -> None:
        """The copy lacks nothing that anybody could miss, so nobody is asked to accept it."""
        self.fell_s = None

    # ------------------------------------------------------------ after each step

    def look(self) -> None:
        """What must be true whenever somebody looks; a look a second at most, and one after each change of a target."""
        if self.now_s - self._looked_s < 1.0:
            return
        self._looked_s = self.now_s
        due = self.house.ledger.due
        for grant in self.grants.values():
            if grant.state.value in LIVE and keys.end_due(grant.id) not in due:
                self.wrong("removal is arranged first", f"{grant.id} is {grant.state}, and no end is on the clock")
        self._leavers()
        for holding, resource in self.resources.items():
            target = self.house.targets[resource.kind]
            if holding in self.standing:
                if not (self._is_there(target, holding) or holding in target.through_group):
                    self.wrong("standing access is left as it was", f"{resource.title} is gone")
            elif holding not in self.strays.of and self._is_there(target, holding):
                self._there(holding, resource)

    def _leavers(self) -> None:
        """Whoever has left loses access, unless so many have at once that people are asked first."""
        if any(event is Event.LEAVERS_HELD for _, event in self.events):
            return
        for grant in self.grants.values():
            gone_s = self.votes.gone_s.get(grant.holder)
            if gone_s is not None and grant.state.value == "active":
                by_s = max(gone_s, self.began_s[grant.id], self.house.fault_until_s) + LEAVERS_S
                if self.now_s > by_s and grant.id not in self.by_a_set_clock:
                    self.wrong("leavers lose access", f"{grant.holder} has left, and {grant.id} is active")

    def _is_there(self, target: MemoryTarget, holding: str) -> bool:
        return target._at(holding, self.house.targets.now()) is not None

    def _there(self, holding: str, resource: Resource) -> None:
        grants = self._on(holding)
        if any(one.holding == holding for one in self.lost.values()):
            return
        if not grants:
            self.wrong("no access without a decision", f"{resource.title} is there")
            return
        record = self.house.ledger._versioned(keys.holding(holding)).record
        if not isinstance(record, Holding) or keys.holding(holding) not in self.house.ledger.due:
            self.wrong("nothing is there that nobody watches", f"{resource.title} is there, and nobody looks")
        until_s = max(self.ends_s[grant.id] for grant in grants)
        gone_s = max(until_s, self.house.fault_until_s, self.house.targets.busy_until_s.get(holding, 0.0)) + LATE_S
        exempt = any(grant.id in self.by_a_set_clock for grant in grants)
        if self.now_s > gone_s and not exempt:
            late_s = self.now_s - until_s
            self.wrong("access ends on time", f"{resource.title} ({holding[:8]}) is there {late_s:.0f} s after its end")


def _plain(event: AuditEvent) -> str:
    shown = {**event.facts, **{name: event.private[name] for name in ("actor", "person") if name in event.private}}
    return " ".join(f"{name}={value}" for name, value in sorted(shown.items()) if name not in ("policy", "snapshot"))
