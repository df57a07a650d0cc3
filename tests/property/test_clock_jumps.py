"""Redis's clock is set back and forth while people get and lose access: by a clock that nobody sets, nothing lasts too long.

The machine counts in real seconds, which only the hosts' own clocks show; the code under test is told Redis's.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulation.law import Law, policy_of
from tests.simulation.scheduler import Killed
from tests.support.build import DANA, NIA, OLU, PAT
from tests.support.world import World
from workflows.core import keys
from workflows.core.clockwork import JUMP, LedgerClock
from workflows.core.people import Membership, PersonId
from workflows.core.refusal import Refused
from workflows.ports import Change, LedgerUnreachable
from workflows.usecases.shared.context import Outcome
from workflows.usecases.upkeep.timekeeping import LOOK_EVERY_S, Timekeeper, accept

# Noticed within a look, judged two looks later, and then the minute that every end has.
LATE_S_MAX = 4 * LOOK_EVERY_S + 60
ROLES = ("read-only", "repair", "ops")


class ClockJumps(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World(policy_of(Law()))
        self.people()
        self.hosts: list[Timekeeper] = [self.world.witness("one"), self.world.witness("two")]
        # id -> by when it must be gone, in real seconds.
        self.agreed: dict[str, float] = {}
        # Jumps that no witness has looked at yet, and their sum.
        self.unseen = False

    @property
    def real_s(self) -> float:
        return self.world.clock.monotonic()

    @property
    def clock(self) -> LedgerClock:
        return self.world.ledger.read(keys.CLOCK).get(keys.CLOCK, LedgerClock) or LedgerClock()

    def people(self) -> None:
        members = {"platform": {OLU, PAT}, "developers": {DANA, NIA}, "security": {PAT}, "oncall": {NIA}}
        for name, who in members.items():
            source = f"slack:S0{name.upper()}"
            self.world.directory.put_members(source, Membership(frozenset(who), self.world.ledger.now()))

    def passes(self, seconds: float, every_s: float = LOOK_EVERY_S) -> None:
        left = seconds
        while left > 0:
            self.world.clock.advance(min(every_s, left))
            left -= every_s
            for host in self.hosts:
                with suppress(Killed, LedgerUnreachable):
                    host.look()
            self.unseen = False
            with suppress(Killed, LedgerUnreachable):
                self.world.work()

    @initialize(who=st.sampled_from((DANA, NIA)))
    def somebody_has_access(self, who: PersonId) -> None:
        self.gets(who, "read-only", 5)

    @rule(who=st.sampled_from((DANA, NIA)), role=st.sampled_from(ROLES), minutes=st.sampled_from((1, 5, 60)))
    def gets(self, who: PersonId, role: str, minutes: int) -> None:
        if self.unseen:
            # What is decided between a jump and the first look goes by the wrong clock: a gap of three seconds that is known.
            self.passes(LOOK_EVERY_S)
        self.people()
        with suppress(Killed, LedgerUnreachable):
            asked = self.world.ask(who, role, duration=timedelta(minutes=minutes))
            if not isinstance(asked, Outcome) or asked.outcome != "asked":
                return
            self.world.work()
            self.people()
            doubted = not self.clock.trusted
            answer = self.world.approve(asked.id, OLU)
            assert isinstance(answer, Refused) or not doubted, "given while nobody knows what time it is"
            if isinstance(answer, Outcome) and answer.outcome == "approved":
                self.agreed[asked.id] = self.real_s + minutes * 60
            self.world.work()

    @rule(seconds=st.sampled_from((-7200.0, -3600.0, -600.0, -30.0, -6.0, 6.0, 600.0, 3600.0)))
    def redis_is_set(self, seconds: float) -> None:
        self.unseen = self.unseen or abs(seconds) > JUMP.total_seconds()
        self.world.jump(seconds)

    @rule(seconds=st.sampled_from((1.0, 10.0, 70.0, 400.0, 700.0)))
    def time_passes(self, seconds: float) -> None:
        self.passes(seconds)

    @rule(commits=st.integers(0, 4))
    def a_process_dies_soon(self, commits: int) -> None:
        left = commits

        def hook(_change: Change) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            self.world.ledger.before_commit = hook

        self.world.ledger.before_commit = hook

    @rule()
    def all_processes_start_anew(self) -> None:
        self.hosts = [Timekeeper(self.world.ctx, name, self.world.clock.monotonic) for name in ("one", "two")]

    @rule()
    def an_operator_accepts(self) -> None:
        with suppress(Killed, LedgerUnreachable):
            accept(self.world.ctx, "Rosa Ops", "NTP is right again")

    @invariant()
    def nothing_lasts_longer_than_was_agreed(self) -> None:
        for holding, until_s in self.latest().items():
            if self.real_s > until_s + LATE_S_MAX and not self.unseen:
                assert not self.is_open(holding), f"{holding} should be gone since {self.real_s - until_s:.0f} s"

    def latest(self) -> dict[str, float]:
        """Holding -> by when the last of its grants must be gone: one and the same access may have been agreed on twice."""
        found: dict[str, float] = {}
        for id_, until_s in self.agreed.items():
            holding = self.world.grant(id_).holding
            found[holding] = max(until_s, found.get(holding, 0.0))
        return found

    def is_open(self, holding: str) -> bool:
        return any(self.world.has_access(id_) for id_ in self.agreed if self.world.grant(id_).holding == holding)

    def teardown(self) -> None:
        self.world.ledger.before_commit = None
        self.passes(60)
        # Ten minutes without a jump, and everybody trusts the clock again.
        self.passes(640)
        assert self.clock.trusted
        self.nothing_lasts_longer_than_was_agreed()
        self.passes(3700, every_s=60)
        assert not any(self.world.has_access(id_) for id_ in self.agreed)


TestClockJumps = ClockJumps.TestCase
TestClockJumps.settings = settings(
    derandomize=True,
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
