"""Older copies of the ledger, put back at any moment of any story, and the record made again from the archive.

Whatever the story: while it is not known whether the ledger is the newest copy nothing is given; after a rebuild nothing is at
the target that the record does not know of, and the log is whole by every check.

    pytest tests/property --hypothesis-profile=deep   # minutes, random
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.providers import know_providers
from tests.support.archives import archived, target_terms
from tests.support.build import DANA, NIA, OLU, PAT, entitlement, environment, policy
from tests.support.world import World
from workflows.archive.memory import MemoryArchive
from workflows.core.records.grant import CLOSED
from workflows.core.records.request import RequestState
from workflows.core.records.target import Resource
from workflows.ledger.codec import audit_entry
from workflows.ports import Change, Lost
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.ledger_doubt import accept, said, stands, watch
from workflows.usecases.upkeep import rebuild
from workflows.usecases.upkeep.rebuild_reading import Archived, read
from workflows.usecases.upkeep.verify_audit import all_faults

PEOPLE = (DANA, NIA, OLU)
ROLES = {
    "reader": AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ReadOnlyAccess"),
    "again": AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ReadOnlyAccess"),
    "deploy": AwsSpec(AwsKind.IAM_GROUP, user="{local_part}", group="deployers"),
}
who = st.sampled_from(PEOPLE)
roles = st.sampled_from(sorted(ROLES))


class OlderCopies(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        know_providers()
        place = environment(
            *(entitlement(name, target=target) for name, target in ROLES.items()), requesters=("developers", "platform")
        )
        self.world = World(policy(place))
        self.ledger, self.ctx = self.world.ledger, self.world.ctx
        self.kept = self.ledger.copy()
        # What has been archived so far; each epoch has a folder of its own.
        self.outside: Archived | None = None
        self.epoch = 0
        self.is_older = False
        # Every resource that anybody was ever given.
        self.seen: dict[str, Resource] = {}
        self.asks_and_gets(DANA, "reader")
        self.kept = self.ledger.copy()
        self.asks_and_gets(NIA, "deploy")

    # ------------------------------------------------------------ people

    @rule(who=who, role=roles)
    def asks_and_gets(self, who: str, role: str) -> None:
        self.world.clock.advance(1)
        answer = self.world.ask(who, role=role)  # type: ignore[arg-type]  # a person's id
        if isinstance(answer, Outcome):
            self.world.work()
            if self.world.request(answer.id).state is RequestState.PENDING:
                self.world.approve(answer.id, who=PAT)
            self.world.work()
            resource = self.world.request(answer.id).resource
            if resource is not None:
                self.seen[resource.holding] = resource

    @rule(place=st.integers(0, 3), who=who)
    def ends(self, place: int, who: str) -> None:
        live = self.ledger.members("live")
        if live:
            id_ = live[place % len(live)]
            self.world.end(id_, self.world.grant(id_).holder if who != NIA else PAT)
            self.world.work()

    @rule(seconds=st.sampled_from((5, 600, 4000)))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds, step_s=max(1.0, seconds / 20))

    # ------------------------------------------------------------ Redis

    @rule()
    def a_copy_is_kept(self) -> None:
        self.kept = self.ledger.copy()

    @precondition(lambda self: not self.is_older)
    @rule(restarted=st.booleans(), before=st.lists(st.tuples(who, roles), max_size=2))
    def an_older_copy_is_put_back(self, *, restarted: bool, before: list[tuple[str, str]]) -> None:
        """`before`: what was asked for and given just before. `restarted`: no process remembers more, and an operator says it."""
        for one in before:
            self.asks_and_gets(*one)
        self._archive()
        was = self.ledger.head()
        self.ledger.put_back(self.kept)
        if restarted:
            self.ledger.trust()
            assert isinstance(said(self.ctx, "Rosa Ops", "a backup was put back"), Outcome)
        self.ledger.now()
        watch(self.ctx)
        self.is_older = stands(self.ctx)
        assert self.is_older or self.ledger.head() == was

    def _archive(self) -> None:
        if self.ledger.head():
            self.epoch += 1
            self.outside = archived(self.ledger, MemoryArchive(), epoch=self.epoch)

    @precondition(lambda self: self.outside is not None)
    @rule(before=st.lists(st.tuples(who, roles), max_size=2))
    def the_record_is_made_again(self, before: list[tuple[str, str]]) -> None:
        """`before`: what people do on the older copy."""
        for one in before:
            self.asks_and_gets(*one)
        outside = self.outside
        assert outside is not None
        found = read(self.ledger, outside, audit_entry)
        made = rebuild.plan(self.ctx, found, target_terms)
        if not made.is_empty:
            done = rebuild.carry_out(self.ctx, outside, found, made, self.ledger.put_back_entries, "Rosa Ops")
            assert isinstance(done, Outcome)
        self.world.work()
        self.world.advance(90)
        self._nothing_is_left_open()
        assert all_faults(self.ledger) == []
        if self.is_older or not made.is_empty:
            assert isinstance(accept(self.ctx, "Rosa Ops", "nothing is open"), Outcome)
        self.is_older = False
        self.outside = None

    def _nothing_is_left_open(self) -> None:
        """What is at the target is of a live grant that the record knows."""
        known = [self.world.grant(name.partition(":")[2]) for name in self.ledger.records("grant")]
        live = {one.holding for one in known if one.state not in CLOSED}
        for resource in self.seen.values():
            assert self.world.target(resource.kind).has(resource) <= (resource.holding in live), resource  # type: ignore[arg-type]

    # ------------------------------------------------------------ always

    @invariant()
    def nothing_is_given_on_an_older_copy(self) -> None:
        if self.is_older:
            change = Change(self.world.press_id(), self.ledger.now(), {}, gives_access=True)
            assert self.ledger.commit(change) == Lost("restored")


STEADY = settings(
    derandomize=True,
    max_examples=25,
    stateful_step_count=8,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestOlderCopies = OlderCopies.TestCase
TestOlderCopies.settings = settings.get_profile("deep") if settings.get_current_profile_name() == "deep" else STEADY
