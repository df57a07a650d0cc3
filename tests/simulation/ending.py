"""The calm evening: nothing fails any more, nobody asks for anything new, and in the end nothing is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from tests.simulation.house import House
from tests.simulation.judge import CLOSED, LATE_S, Judge
from tests.simulation.people import People
from tests.support.memory_chat import Post
from workflows.core import keys
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.seal import layout
from workflows.core.seal.merkle import Tree
from workflows.core.seal.statement import leaf_of
from workflows.usecases.sealing.archived import archived_entries
from workflows.usecases.upkeep.verify_audit import all_faults

# Longer than a doubt about a call, and the last look after it.
PATIENCE_S = 460.0
# What stays due after everything is over: reviews that are owed, and what is looked at now and then for ever.
STAYS = ("review:", "digest:", "whois:", "refusals:", "leavers:", "drift:", "seal")


# Every two minutes, the policy says; and a ledger in doubt, or an exchanged policy, holds up one of them.
COMPARED_WITHIN_S = 420.0

# What begins later than this is not waited for.
SOON = timedelta(minutes=20)


class Ending:
    def __init__(self, house: House, judge: Judge, people: People, until: Callable[[float], None]) -> None:
        self._house, self._judge, self._people, self._until = house, judge, people, until

    def calm(self) -> None:
        house, judge = self._house, self._judge
        busy_s = max(house.targets.busy_until_s.values(), default=0.0)
        self._until(max(house.fault_until_s, house.scheduler.now_s) + LATE_S)
        self._overdue()
        house.patience = 4
        for id_, request in judge.requests.items():
            far = request.start_at is not None and request.start_at > house.clock.now() + SOON
            if far and request.state.value in ("pending", "scheduled"):
                self._people.call_off(id_)
        self._until(house.scheduler.now_s + 30)
        ends_s = [
            self._judge.ends_s[id_] for id_, grant in self._judge.grants.items() if grant.state.value not in CLOSED
        ]
        last_s = max([*ends_s, busy_s, house.scheduler.now_s, *self._waiting_s()])
        # An ask that nobody answers, or that begins later, gets its time.
        self._until(max(last_s + PATIENCE_S, judge.strays.settled_s()))
        if judge.strays.of:
            self._people.call_in()
            self._until(house.scheduler.now_s + 120)
        for _ in range(6):
            if not self._left():
                break
            self._people.call_in()
            self._until(house.scheduler.now_s + 120)
        compared = judge.strays.looked_s > house.scheduler.now_s - COMPARED_WITHIN_S
        if house.compares and not compared and not house.clock_was_set:
            judge.wrong("targets are compared", "no list was read for long")
        for left in self._left():
            self._judge.wrong("in the end nothing is left", left)
        self._said()
        for fault in all_faults(house.ledger):
            self._judge.wrong("the log is whole", fault)
        self._sealed()
        self._until(house.scheduler.now_s)

    def _waiting_s(self) -> list[float]:
        """When what waits begins or expires, which goes by Redis's clock, wherever that stands."""
        now, now_s = self._house.clock.now(), self._house.scheduler.now_s
        waits = [one for one in self._judge.requests.values() if one.state.value in ("pending", "scheduled")]
        return [now_s + (max(one.expires_at, one.start_at or one.expires_at) - now).total_seconds() for one in waits]

    def _overdue(self) -> None:
        """A minute after the last fault, what should have ended has, or its target is still at it."""
        house, judge = self._house, self._judge
        for id_, grant in judge.grants.items():
            over_s = max(judge.ends_s[id_], house.fault_until_s, house.targets.busy_until_s.get(grant.holding, 0.0))
            late = house.scheduler.now_s > over_s + LATE_S and id_ not in judge.by_a_set_clock
            if grant.state.value not in CLOSED and late:
                judge.wrong("access ends on time", f"{id_} is still {grant.state.value}")

    def _left(self) -> list[str]:
        judge, ledger = self._judge, self._house.ledger
        found = [
            f"{id_} is still {one.state.value}" for id_, one in judge.requests.items() if one.state.value == "pending"
        ]
        found += [f"{id_} is scheduled" for id_, one in judge.requests.items() if one.state.value == "scheduled"]
        found += [f"{id_} is {one.state.value}" for id_, one in judge.grants.items() if one.state.value not in CLOSED]
        found += [f"the record {key}" for key in ledger._records if key.startswith(("holding:", "press:"))]
        found += judge.strays.overdue(judge.law())
        found += [f"{item} is due" for item in ledger.due if not item.startswith(STAYS)]
        return found

    def _sealed(self) -> None:
        """Every entry is under the signed head, and the archive has it as it stands there."""
        ledger, archive = self._house.ledger, self._house.archive
        if archive is None:
            return
        state, made = ledger._versioned(keys.SEAL).record, ledger._versioned(keys.INSTALLATION).record
        assert isinstance(made, Installation)
        entries = ledger.stored_entries(limit=1_000_000)
        if not isinstance(state, SealState) or state.size != len(entries) or state.archived != state.size:
            self._judge.wrong("the log is sealed", f"{len(entries)} entries, and the seal says {state}")
            return
        tree = Tree()
        for entry in entries:
            tree.append(leaf_of(entry.number, entry.digest))
        if tree.root().hex() != state.root:
            self._judge.wrong("the log is sealed", f"the head over {state.size} entries is not theirs")
        kept = [(one.number, one.body) for one in archived_entries(archive, layout.folder(made.id, made.epoch))]
        if kept != [(one.number, one.body.decode()) for one in entries]:
            self._judge.wrong("the log is sealed", "the archive has other entries than the ledger")
        if not ledger._versioned(keys.LEDGER_DOUBT).is_absent:
            self._judge.wrong("the log is sealed", "the ledger is doubted, and nobody has touched it")

    # ------------------------------------------------------------ what was said

    def _said(self) -> None:
        """Each message stands once, and was meant to."""
        if self._judge.fell:
            # What the copy does not know to have been said is said again.
            return
        stands = [post for post in self._house.chat.posts if not post.gone]
        times = Counter(post.nonce for post in stands)
        for post in stands:
            if post.nonce not in self._judge.meant or times[post.nonce] > 1:
                self._judge.wrong("each message once", f"{post.id} in {post.to} stands there again: {post.text}")
        self._once(stands)

    def _once(self, stands: list[Post]) -> None:
        told: Counter[tuple[str, str]] = Counter()
        for post in stands:
            numbers = re.findall(r"#(\d+)", post.text)
            told.update((str(post.to), number) for number in set(numbers))
        for (where, number), times in told.items():
            if times > 1:
                self._judge.wrong("each message once", f"entry {number} is told {times} times in {where}")


__all__ = ["Ending", "keys"]
