"""What is told where nothing can be edited: final lines, each once, whatever dies, waits or is closed meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.chat.chats import Chats
from bot.chat.message import Message, Quote, Small
from bot.chat.outbox.digests import digests_at
from bot.chat.outbox.outages import promised
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.webhook import PASSING, is_final, last_final, news_places
from bot.chat.outbox.reconciler import Reconciler
from bot.chat.outbox.summary import Summary
from bot.chat.outbox.waiting import WAITING_MAX
from bot.chat.plain_text import text_of
from bot.chat.rich import ours
from bot.chat.surface import Abilities, Posted, Surface
from bot.teams.webhook import Webhooks
from tests.support import build
from tests.support.build import DANA, HOUR, NIA, OLU, SUE
from tests.support.chat import ChatWorld, NoSlack, many, policy_for
from tests.support.memory_chat import MemoryChat
from tests.support.webhook import SECRET, Answer, workflow
from tests.support.world import account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.destination import read_destination
from workflows.core.identity import SLACK, WEBHOOK
from workflows.core.policy import DIGESTS, RECEIPTS, BreakGlass, Digest, Policy, Visibility, Webhook
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.ledger.memory import MemoryClock
from workflows.policy_file.cron import next_slot
from workflows.policy_file.difference import difference, summary
from workflows.usecases.oversight.policy_activation import activate, digest_due, digest_key
from workflows.usecases.requests.batch import ask_for_several
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome

_DIGEST = re.compile(r"\b[0-9a-f]{12}\b")
ONE_WAY = Abilities(threads=False, whispers=False, home=False, search=False, edits=False)
HOOK = Webhook("all", "ALL_HOOK")
PLACE = read_destination(HOOK.place)


class Hooks(MemoryChat):
    """It takes cards, and nothing else."""

    def __init__(self, now: object) -> None:
        super().__init__(now, ONE_WAY, name=WEBHOOK)  # type: ignore[arg-type]  # the rig's own clock

    def edit(self, posted: Posted, message: Message) -> None:
        raise AssertionError(f"{posted} was to be edited")

    def told(self, hook: Webhook = HOOK) -> list[str]:
        return self.stands(read_destination(hook.place))


class Rig(ChatWorld):
    """Slack as in memory, and webhooks beside it, which are built when the first message goes there."""

    def __init__(self, policy: Policy, people: int = 0) -> None:
        clock = MemoryClock(build.NOW)
        self.slack, self.hooks, self.built = MemoryChat(self._now, name=SLACK), Hooks(self._now), 0
        super().__init__(NoSlack(), clock, many(people), policy, self.slack)

    def _now(self) -> object:
        return self.clock.now()

    def new_sender_for(self, *surfaces: Surface) -> Reconciler:
        chats = Chats(*surfaces, later={WEBHOOK: self._build})
        return Reconciler(Outbox.of(self.ctx, chats, self.buckets, self.refresher, "/prodaccess"))

    def _build(self) -> Hooks:
        self.built += 1
        return self.hooks

    def went(self, id_: str) -> list[str]:
        """What happened, in the order in which a webhook was told: the words behind who and where."""
        return [text.split(" · ")[3] for text in self.hooks.told() if text.endswith(id_)]


def rig_with(*hooks: Webhook, people: int = 0, **changes: object) -> Rig:
    place = build.environment(build.entitlement(), **changes)
    policy = policy_for(many(people))
    return Rig(replace(policy, environments={place.name: place}, webhooks=hooks), people)


def a_life(rig: Rig) -> str:
    id_ = rig.asked()
    rig.settle()
    rig.approve(id_)
    rig.work()
    rig.settle()
    rig.tick(HOUR.total_seconds())
    rig.work()
    rig.settle()
    return id_


# ---------------------------------------------------------------- final lines


def test_a_life_is_told_by_what_is_final_in_it_each_as_one_card() -> None:
    rig = rig_with(HOOK)
    id_ = a_life(rig)
    assert [words.partition(" until")[0].partition(":")[0] for words in rig.went(id_)] == [
        "approved by Olu",
        "active",
        "ended",
    ]
    assert [text.split(" · ")[:3] for text in rig.hooks.told()] == [
        ["Dana", "read-only in Payments", "🔴 production"]
    ] * 3
    entries = {f"#{entry.number} {entry.digest[:12]}" for entry in rig.ledger.entries_of(id_)}
    for post in rig.hooks.posts:
        (small,) = [text_of(part.text) for part in post.message.parts if isinstance(part, Small)]
        assert small.split(" · ")[:2] == ["payments-prod", id_]
        assert small.split(" · ")[2] in entries


def test_why_and_for_how_long_stands_with_the_approval_as_it_was_typed() -> None:
    rig = rig_with(HOOK)
    a_life(rig)
    quotes = [[part.text for part in post.message.parts if isinstance(part, Quote)] for post in rig.hooks.posts]
    assert quotes == [["INC-42 checkout errors"], [], []]


def test_what_waits_is_not_told() -> None:
    rig = rig_with(HOOK)
    id_ = rig.asked()
    rig.pass_time(20 * 60, 30)
    assert rig.hooks.posts == []
    rig.deny(id_)
    rig.settle()
    assert rig.went(id_) == ["denied by Olu: use staging"]


def test_whoever_took_it_away_stands_there_with_the_reason_and_a_time_that_was_up_does_not() -> None:
    rig = rig_with(HOOK)
    id_ = rig.active()
    rig.end(id_, OLU, "wrong account")
    rig.work()
    rig.settle()
    assert rig.went(id_)[2:] == ["removal started by Olu: revoked: wrong account", "revoked: removal verified"]


def test_every_event_is_passing_or_final_and_what_waits_is_the_first() -> None:
    waits = {Event.REQUEST_MADE, Event.REQUEST_REMINDED, Event.REQUEST_ESCALATED, Event.REVIEW_CHASED}
    assert waits < PASSING
    assert {Event.REQUEST_APPROVED, Event.GRANT_ENDED, Event.BREAK_GLASS_USED, Event.GRANT_REMOVAL_FAILING}.isdisjoint(
        PASSING
    )
    entry = next(entry for entry in a_world_with_an_end() if entry.event is Event.GRANT_END_STARTED)
    assert not is_final(entry)
    assert is_final(replace(entry, private={"actor": "olu@example.com"}))


def a_world_with_an_end() -> list:
    rig = rig_with()
    a_life(rig)
    return list(rig.ledger.entries())


def test_where_there_is_no_webhook_nothing_is_built_and_the_other_chat_is_told_the_same() -> None:
    without, beside = rig_with(), rig_with(HOOK)
    for rig in (without, beside):
        a_life(rig)
    told, also_told = ([(post.to, _DIGEST.sub("", post.text)) for post in rig.slack.posts] for rig in (without, beside))
    assert told == also_told
    assert (without.built, beside.built) == (0, 1)


def test_a_message_that_would_be_edited_is_posted_once() -> None:
    rig = rig_with(HOOK)
    box = rig.sender.outbox
    for key in ("1", "2"):
        item = PlannedMessage("panic", HOOK.place, Message(ours(f"message {key}")), key=key)
        rig.sender._under_lease("sweepout-1", lambda page, item=item: box.send(page, [item]))
    assert rig.hooks.told() == ["message 1"]


# ---------------------------------------------------------------- to whom


def test_each_webhook_is_told_of_its_environments_and_kinds() -> None:
    own, other = Webhook("own", "A", ("payments-prod",)), Webhook("other", "B", ("books-prod",))
    reports = Webhook("reports", "C", None, frozenset({DIGESTS}))
    rig = rig_with(own, other, reports)
    a_life(rig)
    assert [len(rig.hooks.told(hook)) for hook in (own, other, reports)] == [3, 0, 0]


def test_an_environment_that_is_for_its_members_tells_all_to_a_webhook_that_names_it_alone() -> None:
    named = Webhook("named", "A", ("payments-prod",))
    rig = rig_with(HOOK, named, visibility=Visibility.MEMBERS)
    id_ = a_life(rig)
    assert all("Dana" in text for text in rig.hooks.told(named))
    outside = [post for post in rig.hooks.posts if post.to == PLACE]
    assert [post.text.split(" · ")[:2] for post in outside] == [["payments-prod", "🔴 production"]] * 3
    for post in outside:
        said = str(post.message)
        assert not any(word in said for word in ("Dana", "Olu", "read-only", "INC-42", "Payments"))
        assert id_ in said


def test_of_what_is_asked_together_one_that_is_hidden_hides_all() -> None:
    rig = rig_with(HOOK)
    open_, hidden = rig.policy.policy.environments["payments-prod"], "books-prod"
    books = replace(
        open_,
        name=hidden,
        title="Books",
        visibility=Visibility.MEMBERS,
        roles={"read-only": build.entitlement(environment=hidden)},
    )
    rig.policy.policy = replace(rig.policy.policy, environments={open_.name: open_, hidden: books})
    asks = [Ask(name, "read-only", HOUR, "INC-42 checkout errors") for name in (open_.name, hidden)]
    rig.knows(DANA)
    answer = ask_for_several(rig.ctx, asks, account(DANA), Origin(), rig.press_id())
    assert isinstance(answer, Outcome)
    rig.work()
    for item in list(rig.ledger.records("request")):
        rig.deny(item.removeprefix("request:"))
    rig.work()
    rig.settle()
    assert len(rig.hooks.posts) == 2
    assert not any("Dana" in str(post.message) for post in rig.hooks.posts)


def test_news_of_the_installation_go_to_who_is_told_of_all_of_it() -> None:
    named, reports = Webhook("named", "A", ("payments-prod",)), Webhook("reports", "B", None, frozenset({DIGESTS}))
    rig = rig_with(HOOK, named, reports)
    assert news_places(rig.policy.policy) == ("C0RECEIPTS", HOOK.place)
    rig.policy.policy = replace(rig.policy.policy, hash="e" * 64)
    activate(rig.ctx, rig.policy.policy, summary=summary, difference=difference, next_slot=next_slot)
    rig.settle()
    (told,) = rig.hooks.posts
    assert told.to == PLACE
    assert "Policy eeeeeeeeeeee is in force" in told.text


def test_a_digest_is_told_each_webhook_of_what_it_is_told_of() -> None:
    plan = Digest(("C0RECEIPTS",), "0 9 * * *")
    named, other = Webhook("named", "A", ("payments-prod",)), Webhook("other", "B", None, frozenset({RECEIPTS}))
    gone = Webhook("gone", "C", ("books-prod",))
    rig = rig_with(HOOK, named, other)
    rig.policy.policy = replace(rig.policy.policy, digests=(plan,))
    assert list(digests_at(rig.policy.policy, plan)) == [(plan, HOOK.place), (plan, named.place)]
    part = replace(plan, environments=())
    assert list(digests_at(replace(rig.policy.policy, webhooks=(gone,)), part)) == []
    rig.ledger.remind(digest_due(digest_key(plan)), 0)
    rig.tick(24 * 3600)
    for _ in range(2):
        rig.sender.post_digest(digest_key(plan))
    assert [len(rig.hooks.told(hook)) for hook in (HOOK, named, other)] == [1, 1, 0]
    told = [entry.facts["channel"] for entry in rig.ledger.entries() if entry.event is Event.DIGEST_POSTED]
    assert sorted(told) == sorted(["C0RECEIPTS", HOOK.place, named.place])


# ---------------------------------------------------------------- once


def first_line(rig: Rig, id_: str) -> str:
    """The slot of the first line."""
    number = next(entry.number for entry in rig.ledger.entries_of(id_) if entry.event is Event.REQUEST_APPROVED)
    return f"lines:{number}:{HOOK.place}"


@pytest.mark.parametrize(("step", "applied"), [("intent", False), ("intent", True), ("posted", True)])
def test_a_process_that_dies_leaves_no_line_out_and_none_twice(step: str, applied: bool) -> None:
    rig = rig_with(HOOK)
    id_ = rig.active()
    rig.crash_at(f"{step}:{first_line(rig, id_)}", applied=applied)
    rig.show_and_crash()
    rig.settle()
    assert len(rig.went(id_)) == 2
    rig.pass_time(60, 5)
    assert len(rig.went(id_)) == 2


def test_between_post_and_record_it_errs_towards_two_with_the_same_number() -> None:
    rig = rig_with(HOOK)
    id_ = rig.active()
    rig.crash_at(f"posted:{first_line(rig, id_)}")
    rig.show_and_crash()
    rig.settle()
    assert rig.went(id_)[0] == rig.went(id_)[1] == "approved by Olu"
    assert len(rig.went(id_)) == 3


def test_an_answer_that_is_lost_is_one_more_of_the_same_and_never_none() -> None:
    rig = rig_with(HOOK)
    id_ = rig.active()
    rig.hooks.loses = 1
    rig.settle()
    assert rig.went(id_)[:2] == ["approved by Olu"] * 2
    assert len(rig.went(id_)) == 3


def test_what_does_not_answer_is_asked_again_for_ever_and_holds_up_nothing_in_the_other_chat() -> None:
    rig = rig_with(HOOK)
    rig.hooks.shut = "no_answer"
    id_ = rig.active()
    rig.pass_time(600, 5)
    assert rig.hooks.posts == []
    assert any("Active" in post.text for post in rig.slack.posts)
    rig.hooks.shut = ""
    rig.pass_time(70, 1)
    assert len(rig.went(id_)) == 2


def test_a_webhook_that_is_closed_is_told_of_once_and_gets_each_line_once_when_it_is_open_again() -> None:
    rig = rig_with(HOOK)
    rig.hooks.closed[PLACE] = "place_gone"
    id_ = a_life(rig)
    assert rig.hooks.posts == []
    assert list(rig.ledger.members(keys.CLOSED_PLACES)) == [HOOK.place]
    (told,) = rig.slack.stands(read_destination(account(SUE).user))
    assert told.startswith("⚠️ Webhook all does not take my messages: `place_gone`, first seen at")
    assert "Cards go" not in told
    del rig.hooks.closed[PLACE]
    rig.pass_time(180, 1)
    assert rig.hooks.told()[0].startswith("I could not post here since")
    assert len(rig.went(id_)) == 3
    assert list(rig.ledger.members(keys.CLOSED_PLACES)) == []


def test_a_webhook_that_the_policy_names_no_more_is_owed_nothing() -> None:
    policy = replace(build.policy(), webhooks=(HOOK,))
    assert promised(policy, HOOK.place)
    assert not promised(build.policy(), HOOK.place)


# ---------------------------------------------------------------- many


def test_a_summary_speaks_for_what_is_final_and_was_not_told() -> None:
    rig = rig_with(HOOK)
    waits, over = rig.asked(), rig.asked(NIA)
    rig.deny(over)
    box = rig.sender.outbox

    def owed() -> dict[str, int]:
        snapshot = rig.ledger.read(*map(keys.chat, (waits, over)))
        return {one.subject: one.number for one in Summary(box)._sort(snapshot, [waits, over], HOOK.place)[0]}

    denied = next(entry for entry in rig.ledger.entries_of(over) if entry.event is Event.REQUEST_DENIED)
    assert owed() == {over: denied.number}
    rig.settle()
    assert owed() == {}
    slot = f"lines:{denied.number}:{HOOK.place}"
    for posting in (Posting(HOOK.place, ts="M1"), Posting(HOOK.place, error="gone")):
        assert last_final(ChatRecord(over, {slot: posting}), [denied], HOOK.place) == 0
    assert last_final(ChatRecord(over, told={f"receipts:{HOOK.place}": denied.number}), [denied], HOOK.place) == 0
    assert last_final(ChatRecord(over), [denied], HOOK.place) == denied.number


def test_a_break_glass_and_an_alarm_are_urgent_and_nothing_else_is() -> None:
    glass = BreakGlass(("oncall",), ("read-only",), HOUR, review_within=24 * HOUR)
    rig = rig_with(HOOK, break_glass=glass)
    planned: list[PlannedMessage] = []
    send = rig.sender.outbox.delivery.send
    rig.sender.outbox.delivery.send = lambda page, item: planned.append(item) or send(page, item)
    usual = rig.active()
    rig.knows(NIA)
    used = break_glass(rig.ctx, Ask("payments-prod", "read-only", None, "all is down"), account(NIA), Origin(), "g")
    assert isinstance(used, Outcome)
    rig.work()
    rig.settle()
    urgent = {
        text_of(item.message.summary).rpartition(" ")[2]: item.urgent for item in planned if item.channel == HOOK.place
    }
    assert urgent == {usual: False, used.id: True}


def test_more_than_twenty_that_wait_become_one_summary_of_what_is_final_and_a_break_glass_waits_for_none() -> None:
    glass = BreakGlass(("oncall",), ("read-only",), HOUR, review_within=24 * HOUR)
    rig = rig_with(HOOK, people=28, break_glass=glass)
    ids = [rig.asked(who) for who in many(28)]
    rig.settle(200, 2)
    assert rig.hooks.posts == []
    for id_ in ids:
        rig.deny(id_)
    rig.knows(NIA)
    used = break_glass(rig.ctx, Ask("payments-prod", "read-only", None, "all is down"), account(NIA), Origin(), "g")
    assert isinstance(used, Outcome)
    rig.work()
    rig.settle(200, 0.5)
    (told,) = [post for post in rig.hooks.posts if "things changed here" in post.text]
    summed = set(re.findall(r"PA-[0-9]+", text_of(told.message.summary)))
    alone = {id_ for id_ in ids if rig.went(id_)}
    assert len(summed) > WAITING_MAX
    assert alone | summed == set(ids)
    assert not alone & summed
    assert "denied by Olu: use staging" in text_of(told.message.summary)
    assert any("break-glass" in words for words in rig.went(used.id))
    assert list(rig.ledger.members(keys.waiting(HOOK.place))) == []
    before = len(rig.hooks.posts)
    rig.pass_time(60, 10)
    assert len(rig.hooks.posts) == before


# ---------------------------------------------------------------- over HTTP


def test_over_http_each_line_arrives_once_whatever_the_address_answers_meanwhile() -> None:
    with workflow() as flow:
        rig = rig_with(HOOK)
        rig.hooks = Webhooks({HOOK.name: flow.url}.get)  # type: ignore[assignment]  # the real one
        flow.answers += [
            Answer(429, headers={"Retry-After": "7"}),
            Answer(200, "Webhook message delivery failed with error: HTTP error 502"),
            Answer(503),
            Answer(resets=True),
        ]
        id_ = rig.active()
        rig.pass_time(6)
        assert len(flow.asked) == 1, "Retry-After is kept"
        rig.pass_time(60, 1)
        assert [_said(card, id_) for card in flow.cards] == ["approved by Olu", "active until"]
        flow.answers += [Answer(404)]
        rig.tick(HOUR.total_seconds())
        rig.work()
        rig.pass_time(5)
        assert list(rig.ledger.members(keys.CLOSED_PLACES)) == [HOOK.place]
        rig.pass_time(120, 1)
        assert [_said(card, id_) for card in flow.cards] == ["approved by Olu", "active until", "", "ended"]
        assert SECRET not in str(rig.ledger.__dict__)


def _said(card: object, id_: str) -> str:
    """Which line a card of this request is."""
    found = [words for words in ("approved by Olu", "active until", "ended") if words in str(card) and id_ in str(card)]
    return found[0] if found else ""
