"""What was done with a grant is looked up by a worker, page after page; and what cannot be looked up is not known, which is
never none.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.chat.wording.events import event_words
from tests.support import build
from tests.support.world import World
from workflows.core import keys
from workflows.core.activity import Deed
from workflows.core.audit import AuditEntry, Event
from workflows.core.policy import Policy
from workflows.core.records.activity import KEPT_MAX, ActivityLook
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, MemoryTarget, Refuse, Throttle
from workflows.usecases.oversight import activity_look
from workflows.usecases.oversight.activity import ask_for_look, seen_of

HERE, GLOBAL = "eu-central-1", "us-east-1"
MINUTES_20 = 20 * 60


class Ended(World):
    """Dana had access for an hour, and it is over."""

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(policy) if policy else super().__init__()
        self.id = self.active()
        self.began = self.grant(self.id).decision.at
        self.end(self.id)
        self.work()
        closed = self.grant(self.id).closed_at
        assert closed is not None
        self.closed = closed

    @property
    def target(self) -> MemoryTarget:
        return self.targets[AwsKind.IDENTITY_CENTER]

    def later(self, seconds: float = MINUTES_20) -> None:
        self.clock.advance(seconds)
        self.work()

    def look(self) -> ActivityLook:
        number = ask_for_look(self.ctx, self.id)
        for _ in range(200):
            self.work()
            if seen_of(self.ctx, self.id).done >= number:
                break
            self.clock.advance(2)
        found = seen_of(self.ctx, self.id).found
        assert found is not None
        return found

    def told(self) -> list[AuditEntry]:
        return [one for one in self.ledger.entries_of(self.id) if one.event is Event.GRANT_ACTIVITY_SEEN]

    def sentence(self, *, hidden: bool = False) -> str:
        """Without until when a session may go on."""
        words = event_words(self.told()[-1], {}, hidden=hidden)
        return str(words[0]).removesuffix("; a session that was open may go on until ")


@pytest.fixture
def world() -> Ended:
    return Ended()


def deed(at: datetime, name: str = "s3 ListBuckets", changes: bool | None = False, refused: bool = False) -> Deed:
    return Deed(at, name, changes, refused)


def test_it_says_what_it_saw_and_where_and_what_it_cannot_see(world: Ended) -> None:
    changing = [deed(world.began, "s3 PutBucketPolicy", changes=True), deed(world.began, "s3 DeleteBucket", True, True)]
    world.target.deeds = {HERE: [(deed(world.began), *changing), (), (deed(world.began),)]}
    world.later()
    found = world.look()
    assert (found.whole, found.count("deeds"), found.count("changing"), found.count("refused")) == (True, 4, 2, 1)
    assert [one.name for one in found.places[0].changes] == ["s3 PutBucketPolicy", "s3 DeleteBucket"]
    assert world.sentence() == (
        "what was done with it: 4 management events in eu-central-1 and us-east-1, 2 changing, 1 refused; "
        "data events are not in it"
    )


def test_nothing_that_was_done_is_said_as_that(world: Ended) -> None:
    world.later()
    assert world.look().whole
    assert "no management events in eu-central-1 and us-east-1; data events" in world.sentence()


def test_it_is_on_the_record_once_a_look_and_nothing_is_left_on_the_clock(world: Ended) -> None:
    world.later()
    world.look()
    assert len(world.told()) == 1
    assert keys.activity(world.id) not in world.ledger.due
    world.work()
    assert len(world.told()) == 1
    world.look()
    assert len(world.told()) == 2


def test_whoever_asks_while_a_look_is_under_way_gets_that_one(world: Ended) -> None:
    world.later()
    assert ask_for_look(world.ctx, world.id) == ask_for_look(world.ctx, world.id) == 1
    world.work()
    assert ask_for_look(world.ctx, world.id) == 2


def test_no_sooner_than_twenty_minutes_after_the_end(world: Ended) -> None:
    ask_for_look(world.ctx, world.id)
    world.work()
    assert not [call for call in world.target.calls if call.name == "activity"]
    assert world.ledger.due[keys.activity(world.id)] == pytest.approx(
        (world.closed + timedelta(minutes=20)).timestamp()
    )
    world.later()
    assert seen_of(world.ctx, world.id).done == 1


def test_what_is_not_over_is_not_looked_at(world: Ended) -> None:
    live = world.active(reason="another")
    ask_for_look(world.ctx, live)
    world.work()
    assert (seen_of(world.ctx, live).done, keys.activity(live) in world.ledger.due) == (0, False)


def test_the_window_ends_where_no_session_can_be_open_any_more(world: Ended) -> None:
    world.later()
    early = world.look()
    assert early.window.until < world.closed + timedelta(hours=1)
    world.later(3600)
    assert world.look().window.until == world.closed + timedelta(hours=1)
    assert early.window.since == world.began


def test_while_a_session_may_be_open_the_receipt_says_until_when(world: Ended) -> None:
    world.later()
    world.look()
    assert event_words(world.told()[-1], {})[1] == world.closed + timedelta(hours=1)
    world.later(3600)
    world.look()
    assert len(event_words(world.told()[-1], {})) == 1


def test_where_the_policy_wants_it_nobody_has_to_ask_and_it_is_looked_up_twice_at_most() -> None:
    world = Ended(build.policy(build.environment(activity=True)))
    world.target.deeds = {HERE: [(deed(world.began),)]}
    first, last = (world.closed + timedelta(minutes=after) for after in (20, 80))
    assert world.ledger.due[keys.activity(world.id)] == pytest.approx(first.timestamp())
    world.later()
    assert (len(world.told()), world.told()[0].facts["deeds"]) == (1, "1")
    assert world.ledger.due[keys.activity(world.id)] == pytest.approx(last.timestamp())
    world.later(3600)
    assert len(world.told()) == 2
    world.later(7200)
    assert (len(world.told()), keys.activity(world.id) in world.ledger.due) == (2, False)


def test_nothing_is_looked_up_by_itself_unless_the_policy_says_so(world: Ended) -> None:
    assert keys.activity(world.id) not in world.ledger.due
    world.later(7200)
    assert world.told() == []


# ---------------------------------------------------------------- not known is never none


def test_a_place_where_the_worker_may_not_look_is_not_known_and_the_others_are(world: Ended) -> None:
    world.target.deeds = {HERE: [(deed(world.began),)]}
    world.target.next("activity", Refuse("AWS does not let the worker do cloudtrail LookupEvents."))
    world.later()
    found = world.look()
    assert ([one.place for one in found.unknown], [one.place for one in found.known]) == ([HERE], [GLOBAL])
    assert not found.whole
    assert world.sentence() == (
        "what was done with it: no management events in us-east-1; data events are not in it; not known in eu-central-1: "
        "AWS does not let the worker do cloudtrail LookupEvents"
    )


def test_where_no_place_is_known_no_figure_is_said(world: Ended) -> None:
    world.target.next("activity", Refuse("No."), Refuse("No."))
    world.later()
    world.look()
    assert world.sentence() == "what was done with it: not known in eu-central-1 and us-east-1: No"
    assert "deeds" not in world.told()[0].facts


def test_a_page_that_is_lost_halfway_leaves_the_place_unknown(world: Ended) -> None:
    """The name of the next page is no good any more, say: what was read before it is not all."""
    world.target.deeds = {HERE: [(deed(world.began),), (deed(world.began),)]}
    world.later()
    ask_for_look(world.ctx, world.id)
    real, pages = world.target.activity, iter((1, 2))

    def broken(asked, place, window, more=""):  # type: ignore[no-untyped-def]  # as it is
        if place == HERE and next(pages) == 2:
            world.target.next("activity", Refuse("AWS refused cloudtrail LookupEvents (InvalidNextTokenException)"))
        return real(asked, place, window, more)

    world.target.activity = broken  # type: ignore[method-assign]  # for this one
    found = world.look()
    assert [one.place for one in found.unknown] == [HERE]
    assert found.count("deeds") == 0


def test_no_answer_is_tried_again_and_three_in_a_row_are_not_known(world: Ended) -> None:
    world.target.next("activity", Lose(), Lose())
    world.later()
    assert world.look().whole
    world.target.next("activity", Lose(), Lose(), Lose())
    assert [one.place for one in world.look().unknown] == [HERE]


def test_throttling_is_waited_for_with_patience_and_not_for_ever(world: Ended) -> None:
    world.target.next("activity", *(Throttle(5.0) for _ in range(20)))
    world.later()
    assert world.look().whole
    world.target.next("activity", *(Throttle(60.0) for _ in range(7)))
    found = world.look()
    assert [one.place for one in found.unknown] == [HERE]
    assert "has been asking to wait for 5 minutes" in world.sentence()


def test_too_much_is_bounded_and_it_says_where_it_stopped(world: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_look, "PAGES_MAX", 3)
    pages = [(deed(world.began + timedelta(seconds=9 - number)),) for number in range(9)]
    world.target.deeds = {HERE: pages}
    world.later()
    found = world.look()
    place = found.places[0]
    assert (place.stopped, place.deeds, place.oldest) == (True, 3, world.began + timedelta(seconds=7))
    assert not found.whole
    assert "at least 3 management events in eu-central-1" in world.sentence()
    assert "the oldest in eu-central-1 were not looked at" in world.sentence()


def test_many_pages_are_read_a_few_at_a_time_and_only_so_many_changes_are_kept(world: Ended) -> None:
    one = deed(world.began, "s3 PutObjectAcl", changes=True)
    world.target.deeds = {HERE: [(one, one, one) for _ in range(30)]}
    world.later()
    found = world.look()
    assert (found.count("deeds"), len(found.places[0].changes)) == (90, KEPT_MAX)


def test_a_worker_that_died_halfway_counts_no_page_twice(world: Ended) -> None:
    world.target.deeds = {HERE: [(deed(world.began),) for _ in range(7)]}
    world.later()
    ask_for_look(world.ctx, world.id)
    real = world.ledger.commit
    world.ledger.commit = lambda change: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]  # dies
    with pytest.raises(KeyboardInterrupt):
        world.run(keys.activity(world.id))
    world.ledger.commit = real  # type: ignore[method-assign]  # and another one takes over
    world.clock.advance(10)
    assert world.look().count("deeds") == 7


# ---------------------------------------------------------------- who reads it


def test_outsiders_of_a_hidden_environment_read_that_it_was_looked_up_and_no_more(world: Ended) -> None:
    world.target.deeds = {HERE: [(deed(world.began, "s3 PutBucketPolicy", changes=True),)]}
    world.later()
    world.look()
    assert world.sentence(hidden=True) == "what was done with it was looked up"


def test_why_it_is_not_known_stands_outside_the_chain_and_names_its_person(world: Ended) -> None:
    world.target.next("activity", Refuse("The user is called nia@example.com by now."))
    world.later()
    world.look()
    (entry,) = world.told()
    assert not any("nia" in value for value in entry.facts.values())
    assert entry.private["holder"] == world.grant(world.id).holder


def test_a_fault_of_ours_is_not_known_either(world: Ended) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("odd")

    world.target.activity = fails  # type: ignore[method-assign,assignment]  # for this one
    world.later()
    assert [one.place for one in world.look().unknown] == [HERE, GLOBAL]
