"""Each promise broken by hand, one at a time, to see that the judge finds it. Nothing of this is ever shipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import bot.jobs
import bot.worker
from bot.chat.outbox.delivery import Delivery
from bot.chat.outbox.postings import PostingSession
from tests.simulation import house, people, port, weather
from tests.simulation.port import Port
from tests.simulation.weather import ACTS_LATE, STOPS_AFTER, STOPS_BEFORE, Weather
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.convergence import actions, outcomes
from workflows.core.drift import removal as core_removal
from workflows.core.rebuild import stories
from workflows.core.records.drift import DriftKind
from workflows.core.records.holding import Baseline
from workflows.core.records.target import Observation, Presence
from workflows.core.rules import approval, approvers, break_glass, eligibility
from workflows.ledger.memory import MemoryDue, MemoryLedger
from workflows.ports import Change, Committed, Lease
from workflows.usecases.decisions import approve as approving
from workflows.usecases.drift import holding_back, passes, press
from workflows.usecases.drift import removal as drift_removal
from workflows.usecases.fulfilment import calls, start_scheduled, still_valid
from workflows.usecases.fulfilment import converge as converging
from workflows.usecases.sealing.sealer import Sealer
from workflows.usecases.shared import ledger_doubt, revalidation
from workflows.usecases.upkeep import rebuild
from workflows.usecases.upkeep.timekeeping import Timekeeper


@dataclass(frozen=True)
class Break:
    """`does`: takes the promise away while it lasts. `found_as`: the promise that the judge says was broken, one of these."""

    does: Callable[[], Any]
    found_as: tuple[str, ...]


BREAKS: dict[str, Break] = {}


def breaks(*found_as: str) -> Callable[[Callable[[], Iterator[None]]], None]:
    def add(does: Callable[[], Iterator[None]]) -> None:
        assert does.__doc__ is not None
        BREAKS[does.__name__] = Break(contextmanager(does), found_as)

    return add


ON_TIME, PROVED, DECIDED = (
    "access ends on time",
    "nothing is announced that was not verified",
    "no access without a decision",
)
ARRANGED, SAFE, OVERLAPS = "removal is arranged first", "failing safe", "overlaps are safe"
STRAYS = "what comes from nowhere goes after two looks, or when people say so"
LEFT, STANDING = "in the end nothing is left", "standing access is left as it was"
WATCHED, MESSAGES = "nothing is there that nobody watches", "each message once"


@breaks(ON_TIME, LEFT)
def no_sweep() -> Iterator[None]:
    """Nobody looks for what is due, and nobody for what is overdue."""
    with (
        patch.object(MemoryDue, "claim", lambda *_, **__: []),
        patch.object(bot.worker, "end_what_is_overdue", lambda *_: 0),
    ):
        yield


@breaks(PROVED)
def no_read_back_of_presence() -> Iterator[None]:
    """What was given is taken for there, unseen."""
    with _believed(actions.Purpose.PROOF_OF_PRESENCE, Presence.PRESENT):
        yield


@breaks(PROVED)
def no_read_back_of_absence() -> Iterator[None]:
    """What was taken is taken for gone, unseen."""
    with _believed(actions.Purpose.PROOF_OF_ABSENCE, Presence.ABSENT):
        yield


@contextmanager
def _believed(purpose: actions.Purpose, presence: Presence) -> Iterator[None]:
    asks = converging.ask_world

    def asked(ctx: Any, state: actions.State, action: Any) -> Any:
        if isinstance(action, actions.Observe) and action.purpose is purpose:
            resource, until = state.holding.resource, state.holding.enforced_until
            seen = Observation(presence, resource, until)
            return lambda fresh, at: outcomes.after_look(fresh, purpose, seen, at)
        return asks(ctx, state, action)

    with patch.object(converging, "ask_world", asked):
        yield


@breaks(DECIDED, OVERLAPS, ON_TIME, WATCHED, PROVED, STANDING)
def no_fencing() -> Iterator[None]:
    """Whoever had a lease once may write and call for ever."""
    refusal = MemoryLedger._refusal
    with (
        patch.object(MemoryLedger, "_refusal", lambda self, change: refusal(self, replace(change, fence=None))),
        patch.object(converging, "guard_of", lambda *_: lambda: None),
        patch.object(weather, "draw", lambda *_: Weather({STOPS_BEFORE: 500, STOPS_AFTER: 500})),
        patch.object(port, "STOPS_S", (12.0, 70.0)),
    ):
        yield


@breaks(SAFE)
def no_recheck() -> Iterator[None]:
    """What was decided once is given, whoever has left since."""
    with (
        patch.object(still_valid, "approval_no_longer_valid", lambda *_: None),
        # What begins later is looked at when its time has come, too.
        patch.object(start_scheduled, "approval_no_longer_valid", lambda *_: None),
    ):
        yield


@breaks("nobody approves their own access")
def self_approval_allowed() -> Iterator[None]:
    """Whoever asked may agree, where they have a say."""
    with (
        patch.object(approval, "is_party", lambda *_: False),
        patch.object(approvers, "approvers", _with_the_asker(approvers.approvers)),
    ):
        yield


def _with_the_asker(own: Callable[..., Any]) -> Callable[..., Any]:
    return lambda policy, entitlement, parties, groups: own(policy, entitlement, frozenset(), groups)


@breaks(ON_TIME, LEFT)
def removal_not_retried() -> Iterator[None]:
    """A removal that fails once is left for an hour."""
    fails = outcomes.failed

    def failed(state: actions.State, words: str, now: Any) -> actions.State:
        after = fails(state, words, now)
        return after.with_holding(next_try=now + timedelta(hours=1))

    with (
        patch.object(outcomes, "failed", failed),
        patch.object(converging, "failed", failed),
        patch.object(calls, "failed", failed),
    ):
        yield


@breaks("audited in the same commit")
def audit_after_the_commit() -> Iterator[None]:
    """The entries come in a commit of their own, afterwards."""
    call = Port.__getattr__

    def get(self: Port, name: str) -> Any:
        found = call(self, name)
        if name != "commit":
            return found

        def commit(change: Change) -> Any:
            answer = found(replace(change, audit=()))
            if change.audit and isinstance(answer, Committed):
                found(Change(f"{change.commit_id}:audit", change.at, {}, audit=change.audit))
            return answer

        return commit

    with patch.object(Port, "__getattr__", get):
        yield


@breaks(ARRANGED)
def no_stored_end() -> Iterator[None]:
    """The decision stores no deadline: the wake-up is all there is."""
    with _without_due(keys.end_due("")):
        yield


@breaks(WATCHED, LEFT)
def wake_ups_without_due_items() -> Iterator[None]:
    """A holding's next step is a wake-up alone, which may be lost."""
    with _without_due(keys.holding("")):
        yield


@contextmanager
def _without_due(prefix: str) -> Iterator[None]:
    apply = MemoryLedger._apply

    def applied(self: MemoryLedger, change: Change, encoded: Any) -> Any:
        answer = apply(self, change, encoded)
        for item in [item for item in self.due if item.startswith(prefix)]:
            del self.due[item]
        return answer

    with patch.object(MemoryLedger, "_apply", applied):
        yield


@breaks(OVERLAPS)
def the_first_end_takes_all() -> Iterator[None]:
    """The end of one grant takes away what another one still needs."""
    wanted = actions.State.wanted

    def fewer(self: actions.State, now: Any) -> Any:
        return [] if self.of(actions.GrantState.REVOKING) else wanted(self, now)

    with patch.object(actions.State, "wanted", fewer):
        yield


@breaks(STANDING, WATCHED)
def standing_access_not_looked_for() -> Iterator[None]:
    """Nobody looks whether the access stood there before."""
    step = actions._towards_presence

    def towards(state: actions.State, wanted: Any, now: Any) -> Any:
        return step(state.with_holding(baseline=Baseline.ABSENT), wanted, now)

    with patch.object(actions, "_towards_presence", towards):
        yield


@breaks(ON_TIME, LEFT, PROVED, WATCHED)
def no_doubt() -> Iterator[None]:
    """A call without an answer is taken for one that was never made."""
    with (
        patch.object(actions, "IN_DOUBT_FOR", timedelta(0)),
        patch.object(outcomes, "IN_DOUBT_FOR", timedelta(0)),
        patch.object(outcomes, "LATER_LOOKS", ()),
        patch.object(outcomes, "_while_in_doubt", lambda *_: set()),
        patch.object(weather, "draw", lambda *_: Weather({ACTS_LATE: 30_000})),
    ):
        yield


@breaks(ON_TIME, STRAYS, WATCHED)
def a_set_clock_is_believed() -> Iterator[None]:
    """Nobody witnesses Redis's clock."""
    with (
        patch.object(Timekeeper, "look", lambda _: None),
        patch.object(weather, "TROUBLES", ("Redis's clock is set",)),
    ):
        yield


@breaks(MESSAGES)
def posts_without_a_search() -> Iterator[None]:
    """What may have been posted is posted again."""
    with patch.object(Delivery, "_find", lambda *_: None):
        yield


@breaks(MESSAGES)
def posts_without_a_lease() -> Iterator[None]:
    """Whoever was stopped goes on posting when it wakes up."""
    lost = Lease("", -1, "", 0.0)
    with (
        patch.object(PostingSession, "hold", lambda self: self.current() or lost),
        patch.object(weather, "RATES", (250,)),
    ):
        yield


@breaks("the policy in force decides", DECIDED, SAFE)
def an_old_policy_decides() -> Iterator[None]:
    """A process decides by its own copy of the folder, whatever is in force."""
    with (
        patch.object(approving, "not_in_force", lambda *_: None),
        patch.object(house, "FOLDER_LAG_S", 90.0),
        patch.object(people, "WHAT", (*("gets",) * 6, *("change the policy",) * 3)),
    ):
        yield


@breaks(SAFE)
def durability_not_asked_for() -> Iterator[None]:
    """What gives access is written to a ledger that may forget it."""
    refusal = MemoryLedger._refusal
    with patch.object(
        MemoryLedger, "_refusal", lambda self, change: refusal(self, replace(change, gives_access=False))
    ):
        yield


@breaks("leavers lose access")
def nobody_looks_for_leavers() -> Iterator[None]:
    """Whoever has left keeps what they have until it ends."""
    with (
        patch.object(bot.jobs, "look_at_all", lambda *_: None),
        patch.object(bot.jobs, "look", lambda *_: None),
        patch.object(people, "MINUTES", (12,)),
        patch.object(people, "WHAT", (*("gets",) * 12, *("leave or come back",) * 3)),
    ):
        yield


@breaks("the log is sealed")
def nobody_seals() -> Iterator[None]:
    """Whoever has the key does nothing with it."""
    with patch.object(Sealer, "seal", lambda _: None):
        yield


@breaks("the log is sealed")
def archived_later_never() -> Iterator[None]:
    """What the archive could not take is not taken there later."""
    with patch.object(Sealer, "_archive_follows", lambda *_: False), patch.object(Sealer, "_rest", lambda *_: False):
        yield


@contextmanager
def _many_strays() -> Iterator[None]:
    """Days on which targets are compared, and much comes from nowhere."""
    with (
        patch.object(house.House, "compares", True, create=True),
        patch.object(people, "WHAT", (*("gets",) * 7, *("come from nowhere",) * 2, "say what becomes of it")),
    ):
        yield


@breaks(STRAYS)
def taken_at_first_sight() -> Iterator[None]:
    """What was seen once is taken away."""
    with _many_strays(), patch.object(core_removal, "is_certain", lambda *_: True):
        yield


@breaks(STRAYS)
def nobody_is_asked() -> Iterator[None]:
    """However many there are, and whatever happened to the clock, it is taken away."""
    with (
        _many_strays(),
        patch.object(holding_back, "held_by", lambda *_: None),
        patch.object(drift_removal, "held_by", lambda *_: None),
    ):
        yield


@breaks(STANDING)
def others_marks_are_ours() -> Iterator[None]:
    """What another installation gave is taken away, too."""
    every = frozenset(DriftKind)
    with (
        _many_strays(),
        patch.object(core_removal, "REMOVABLE", every),
        patch.object(holding_back, "REMOVABLE", every),
    ):
        yield


@breaks("the panic group says")
def anybody_presses() -> Iterator[None]:
    """Whoever sees the card says what becomes of it."""
    with _many_strays(), patch.object(press, "not_a_member", lambda *_: None):
        yield


@breaks("targets are compared")
def nobody_compares() -> Iterator[None]:
    """No list is ever read."""
    with _many_strays(), patch.object(passes, "look_for_drift", lambda *_: None):
        yield


@breaks(LEFT)
def found_and_left() -> Iterator[None]:
    """What comes from nowhere is told, and stays."""
    with _many_strays(), patch.object(holding_back, "begin_removal", lambda *_: None):
        yield


@breaks("an older copy is noticed", SAFE, LEFT)
def an_older_copy_is_believed() -> Iterator[None]:
    """Nobody remembers what the ledger had."""
    with patch.object(house.House, "falls_back", True), patch.object(MemoryLedger, "_still_there", lambda _: True):
        yield


@breaks(SAFE)
def given_though_in_doubt() -> Iterator[None]:
    """That the ledger may be an older copy of itself is told, and it is given all the same."""
    refusal = MemoryLedger._refusal

    def refused(self: MemoryLedger, change: Change) -> Any:
        found = refusal(self, change)
        return None if found is not None and found.why == "restored" else found

    with patch.object(house.House, "falls_back", True), patch.object(MemoryLedger, "_refusal", refused):
        yield


@breaks("the record can be made again")
def made_again_without_ends() -> Iterator[None]:
    """The record is made again, and what it did not know of stays."""
    with patch.object(house.House, "falls_back", True), patch.object(rebuild, "endings", lambda *_: ()):
        yield


@breaks("the record can be made again")
def a_refusal_is_an_end() -> Iterator[None]:
    """Whoever is refused something about a request ends its story."""
    over = stories.REQUEST_OVER | {Event.REQUEST_REFUSED}
    with patch.object(house.House, "falls_back", True), patch.object(stories, "REQUEST_OVER", over):
        yield


@breaks(PROVED, STANDING, WATCHED, ON_TIME)
def nothing_is_perhaps_given() -> Iterator[None]:
    """What an older copy has as not given yet is taken for never given."""
    with patch.object(house.House, "falls_back", True), patch.object(ledger_doubt, "take_for_ours", lambda _: None):
        yield


@breaks("what nobody pressed gives nothing")
def signatures_are_not_read() -> Iterator[None]:
    """What stands in the ledger as a vote is one."""
    with (
        patch.object(house.House, "signs", True),
        patch.object(revalidation, "unproved", lambda *_: None),
        patch.object(people, "WHAT", (*("ask",) * 5, *("approve",) * 6, *("forge a vote",) * 3)),
    ):
        yield


@breaks("the policy in force decides")
def a_freeze_stops_nobody() -> Iterator[None]:
    """What may not be agreed to in a freeze is agreed to."""
    with (
        patch.object(eligibility, "time_problem", lambda *_: None),
        patch.object(people, "CHANGES", ({"frozen": True},)),
    ):
        yield


@breaks("the policy in force decides")
def the_glass_is_broken_as_often_as_wanted() -> Iterator[None]:
    """Nobody counts how often."""
    with (
        patch.object(break_glass, "too_often", lambda *_: None),
        patch.object(people, "WHAT", (*("break the glass",) * 3, *("gets",) * 3)),
    ):
        yield


@breaks(ON_TIME)
def looked_for_after_the_doubt_alone() -> Iterator[None]:
    """What comes of a call without an answer is looked for once, when nothing can come of it any more."""
    with (
        patch.object(outcomes, "_while_in_doubt", lambda now, doubt: {doubt} if doubt and doubt > now else set()),
        patch.object(weather, "draw", lambda *_: Weather({ACTS_LATE: 30_000})),
    ):
        yield
