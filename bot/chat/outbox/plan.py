"""Which messages a request has by now, and where: pure, from the ledger's records. The outbox makes the chat agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.chat.message import Message, stamp
from bot.chat.messages import approval_card as cards
from bot.chat.messages import break_glass as glass
from bot.chat.messages import notices, receipts
from bot.chat.messages import reminders as calls
from bot.chat.places import direct_to
from bot.chat.rich import Mentions
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.request_view import RequestView, seen_by
from bot.chat.wording.labels import Stage
from workflows.core.audit import AuditEntry, AuditEvent, Event
from workflows.core.destination import Kind, is_channel, is_person, read_destination
from workflows.core.people import PersonFacts
from workflows.core.policy import Environment, Policy
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Request

Render = Callable[[RequestView], Message]

# A state that passes by itself is not worth an edit of its own when the next one follows: on a busy machine as little as on
# an idle one. It is told when it lasts: soon where the target has said that it is at work, and on the cards alone, because
# somebody looks at them and has pressed; everywhere when nobody can call it passing any more.
SETTLES_IN_S = 10.0
AT_WORK_S = 2.0
LASTS_S = 30.0
_PASSING = frozenset({Stage.SETTING_UP, Stage.REMOVING})
OVER = frozenset(
    {
        Stage.ENDED,
        Stage.REVOKED,
        Stage.DENIED,
        Stage.WITHDRAWN,
        Stage.EXPIRED,
        Stage.NOT_GIVEN,
        Stage.STANDING,
        Stage.EXTENDED,
    }
)
# The holder did these, or was told before: their own message changes in place, and nothing new arrives.
QUIET = frozenset({Stage.WITHDRAWN, Stage.ENDED})
# Entries that say nothing to people beside the ones around them.
_SILENT = frozenset({Event.REQUEST_RESOLVED, Event.REQUEST_REMINDED})
ALARMS = frozenset({Event.GRANT_REMOVAL_FAILING, Event.GRANT_REAPPEARED, Event.BREAK_GLASS_UNANNOUNCED})


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message as it should be. `key` says when it has to be sent again: it leaves out the minutes that tick away.

    `under`: the slot of the message in whose thread it stands. `told`: the last audit entry that it tells. `urgent`: it
    waits for no other message, and no summary speaks for it. `beside`: the channel in which a person, who gets no direct
    message, may hear of it alone. `entry`: goes on the audit log in the commit that says that it was posted.
    """

    slot: str
    channel: str
    message: Message
    key: str
    under: str | None = None
    told: int = 0
    urgent: bool = False
    beside: str = ""
    entry: AuditEvent | None = None


@dataclass(frozen=True, slots=True)
class PlanningInput:
    """What a request's messages are made from."""

    request: Request
    story: RequestView
    environment: Environment | None
    receipts_channel: str
    entries: Sequence[AuditEntry]
    chat: ChatRecord
    mentions: Mentions
    # Those who get the card as direct messages, where it has no channel.
    approver_ids: Sequence[str] = ()
    # Who can still agree.
    deciders: Deciders = NOBODY
    # Whom to call: those who can decide, and those of the escalation (`called_people`: without user groups).
    reminded: Sequence[str] = ()
    called: Sequence[str] = ()
    called_people: Sequence[str] = ()
    warned: bool = False
    # Of a break-glass, its review, and security by itself. Owners and security, without the holder: also where no channel
    # takes an alarm.
    review: Review | None = None
    overseers: Sequence[PersonFacts] = ()
    security: Sequence[PersonFacts] = ()
    # How often it was extended: before each end there is a warning of its own.
    extended: int = 0
    # In how many seconds to look again, where somebody who should be told has not been found yet.
    look_again_s: float | None = None
    command: str = "/prodaccess"
    # The state passes by itself: see `on_cards_for_s`.
    passing: bool = False


def passing_until_s(story: RequestView, since: datetime | None, *, at_work: bool = False) -> float:
    """Seconds to wait until a passing state is worth telling; 0.0 where it is told now. `at_work`: the target says so."""
    if story.stage not in _PASSING or since is None:
        return 0.0
    return max(0.0, (AT_WORK_S if at_work else SETTLES_IN_S) - (story.now - since).total_seconds())


def on_cards_for_s(story: RequestView, since: datetime | None) -> float:
    """For how many seconds more a passing state is told on the cards alone; 0.0 where all is told."""
    if story.stage not in _PASSING or since is None:
        return 0.0
    return max(0.0, LASTS_S - (story.now - since).total_seconds())


def wanted(facts: PlanningInput) -> list[PlannedMessage]:
    """In the order in which they matter: the card, calls to those who can decide, alarms, the requester, receipts.

    A break-glass is seen by all first.
    """
    if facts.passing:
        return _cards(facts)
    own = beside(facts, [*nobody_there(facts), *unreached(facts), *_holder(facts)])
    if facts.request.break_glass:
        return [*_cards(facts), *_receipts(facts), *alarms(facts), *own]
    return [*_cards(facts), *calls_to(facts), *alarms(facts), *own, *_receipts(facts)]


def beside(facts: PlanningInput, own: Sequence[PlannedMessage]) -> list[PlannedMessage]:
    """Whoever asked in a channel may hear of it there alone, where they get no direct messages."""
    asker, channel = direct_to(facts.request.requester_slack), facts.request.origin.channel
    if not is_channel(channel):
        return [*own]
    return [replace(item, beside=channel) if item.channel == asker else item for item in own]


def nobody_there(facts: PlanningInput) -> list[PlannedMessage]:
    """Everybody was looked up, and too few are there: whoever asked hears that it cannot be approved as it is."""
    waits = facts.story.stage is Stage.WAITING and facts.story.resolved and not facts.request.break_glass
    if not waits or not facts.story.nobody or facts.story.hidden:
        return []
    user = direct_to(facts.request.requester_slack)
    return [PlannedMessage(f"nobody:{user}", user, notices.nobody_there(facts.story, facts.command), key="once")]


def unreached(facts: PlanningInput) -> list[PlannedMessage]:
    """Nobody who can decide got the card: whoever asked must hear that it waits for nobody."""
    if facts.story.nobody:
        return []
    story, tried = facts.story, [slot for slot in facts.chat.postings if slot.startswith("card:")]
    waits = story.stage is Stage.WAITING and story.resolved and not facts.request.break_glass
    if not waits or not tried or facts.look_again_s is not None or card_channels(facts):
        return []
    user = direct_to(facts.request.requester_slack)
    return [
        PlannedMessage(f"unreached:{user}", user, notices.unreached(story, facts.deciders, facts.command), key="once")
    ]


# ---------------------------------------------------------------- the approval card


def _cards(facts: PlanningInput) -> list[PlannedMessage]:
    return [_card(facts, channel) for channel in card_channels(facts)]


def card_channels(facts: PlanningInput) -> list[str]:
    """Where its card stands, or has to."""
    posted = [slot for slot in facts.chat.postings if slot.startswith("card:")]
    channels = [slot.removeprefix("card:") for slot in posted if facts.chat.postings[slot].error is None]
    unseen = facts.story.stage not in OVER or _review_owed(facts)
    if not channels and facts.story.resolved and unseen:
        channels = _new_card_channels(facts)
    elif channels and facts.story.stage is Stage.WAITING and facts.story.resolved and all(map(is_person, channels)):
        # Who may decide by now, and could not when it was asked: a delegate, the next group, another shift.
        channels += [slot for slot in _new_card_channels(facts) if slot not in channels]
    return channels


def _new_card_channels(facts: PlanningInput) -> list[str]:
    """The approvals channel; the approvers themselves where there is none, or it cannot be posted to."""
    channel = facts.environment.approvals_channel if facts.environment else None
    failed = channel is not None and _failed(facts, f"card:{channel}")
    if channel is not None and not failed:
        return [channel]
    if facts.request.break_glass:
        # Its owners are told directly anyway.
        return []
    return [user for user in facts.approver_ids if not _failed(facts, f"card:{user}")]


def _failed(facts: PlanningInput, slot: str) -> bool:
    posting = facts.chat.postings.get(slot)
    return posting is not None and posting.error is not None


def _card(facts: PlanningInput, channel: str) -> PlannedMessage:
    owners = facts.environment.owners if facts.environment else ()
    if facts.request.break_glass:
        return rendered(
            facts, f"card:{channel}", channel, lambda story: glass.glass_card(story, facts.mentions, owners)
        )
    return rendered(
        facts,
        f"card:{channel}",
        channel,
        lambda story: cards.approval_card(story, facts.mentions, to_owner=is_person(channel)),
    )


def _review_owed(facts: PlanningInput) -> bool:
    return facts.review is not None and facts.review.state is ReviewState.OWED


# ---------------------------------------------------------------- calls, while nobody has answered


def calls_to(facts: PlanningInput) -> list[PlannedMessage]:
    """The newest reminder alone: one that Slack did not take in time is not sent after the next."""
    if facts.story.stage is not Stage.WAITING:
        return []
    return [*_reminders(facts), *_escalation(facts)]


def _reminders(facts: PlanningInput) -> list[PlannedMessage]:
    reminders = facts.story.reminded_at
    if not reminders:
        return []
    found = []
    for channel in _posted_cards(facts, before=reminders[-1]):
        if not is_person(channel) or channel in facts.reminded:
            ids = [channel] if is_person(channel) else facts.reminded
            message = calls.reminder(for_channel(facts, channel), ids)
            found.append(
                PlannedMessage(
                    f"reminder:{len(reminders)}:{channel}", channel, message, key="once", under=f"card:{channel}"
                )
            )
    return found


def _escalation(facts: PlanningInput) -> list[PlannedMessage]:
    """Under the card; where the card went to people, to each of those who are called and have none."""
    if facts.story.escalated_at is None:
        return []
    posted = _posted_cards(facts)
    found = [
        PlannedMessage(
            f"escalated:{channel}",
            channel,
            calls.escalated(for_channel(facts, channel), facts.called),
            key="once",
            under=f"card:{channel}",
        )
        for channel in posted
        if not is_person(channel)
    ]
    if found:
        return found
    called = facts.called_people if not facts.story.escalation_approves else ()
    return [
        PlannedMessage(f"escalated:{user}", user, calls.escalated(facts.story, [user], on_card=False), key="once")
        for user in called
        if user not in posted
    ]


def _posted_cards(facts: PlanningInput, before: datetime | None = None) -> list[str]:
    """Where the card stands; `before`: those that stood there by then, because a newer one is no old news."""
    found = facts.chat.postings.items()
    stands = {slot.removeprefix("card:"): post.posted_at_s for slot, post in found if _is_card(slot, post) and post.ts}
    return [channel for channel, at_s in stands.items() if before is None or at_s < before.timestamp()]


def _is_card(slot: str, posting: Posting) -> bool:
    return slot.startswith("card:") and posting.error is None


# ---------------------------------------------------------------- alarms


def alarms(facts: PlanningInput) -> list[PlannedMessage]:
    own = facts.environment.approvals_channel if facts.environment else None
    channels = list(dict.fromkeys(filter(None, (own, facts.receipts_channel))))
    found = []
    for entry in facts.entries:
        if entry.event in ALARMS:
            reached = [channel for channel in channels if not _failed(facts, f"alarm:{entry.number}:{channel}")]
            # No channel takes it: to those who can do something about it. Of a break-glass they are told as it is.
            told = reached or entry.event is Event.BREAK_GLASS_UNANNOUNCED
            people = [] if told else [direct_to(person.slack) for person in facts.overseers]
            found += [_alarm(facts, entry, place) for place in (*reached, *people)]
    return found


def _alarm(facts: PlanningInput, entry: AuditEntry, channel: str) -> PlannedMessage:
    story = for_channel(facts, channel)
    owners = facts.environment.owners if facts.environment else ()
    if entry.event is Event.BREAK_GLASS_UNANNOUNCED:
        message = glass.unannounced(story, command=facts.command)
    elif entry.event is Event.GRANT_REAPPEARED:
        message = notices.reappeared(story, entry.at, mentions=facts.mentions, owners=owners)
    else:
        failures = int(entry.facts.get("failures", "0")) or None
        error = replace(story, error=entry.private.get("error") or story.error)
        message = notices.removal_failing(error, failures=failures, mentions=facts.mentions, owners=owners)
    # An alarm is news of one moment: it is posted once and not edited.
    return PlannedMessage(f"alarm:{entry.number}:{channel}", channel, message, key="once")


# ---------------------------------------------------------------- the holder


def _holder(facts: PlanningInput) -> list[PlannedMessage]:
    asker, story = direct_to(facts.request.requester_slack), facts.story
    user = direct_to(facts.request.holder_slack or facts.request.requester_slack)
    found = [_asked(facts, asker)] if facts.request.origin.by_form else []
    if user != asker:
        found += _on_behalf(facts, asker, user)
    active, outcome = f"holder:{user}", f"outcome:{user}"
    warning = f"warning:{user}:{facts.extended}" if facts.extended else f"warning:{user}"
    if story.stage is Stage.AGREED:
        found.append(PlannedMessage(f"agreed:{user}", user, notices.agreed(story, facts.command), key="once"))
    if story.stage is Stage.ACTIVE:
        found.append(rendered(facts, active, user, notices.active, hide=False))
        if facts.warned:
            message = notices.ending(story, facts.command)
            found.append(PlannedMessage(warning, user, message, key="once"))
    elif active in facts.chat.postings and (story.stage in OVER | {Stage.STUCK} or _removal_drags_on(story)):
        found.append(rendered(facts, active, user, notices.over_active, hide=False))
    found += _old_warnings(facts, user, warning)
    # For whom somebody else asked, the message that said so says what became of it.
    told = user != asker and active not in facts.chat.postings
    if not told and story.stage in OVER and (story.stage not in QUIET or _missed_its_end(facts, active)):
        found.append(PlannedMessage(outcome, user, notices.outcome(story, facts.command), key="once"))
    return found


def _removal_drags_on(story: RequestView) -> bool:
    """What is taken away in seconds is told when it is gone."""
    return story.stage is Stage.REMOVING and story.error is not None


def _old_warnings(facts: PlanningInput, user: str, current: str) -> list[PlannedMessage]:
    """What they warned of has come, or was put off: they say so, and offer nothing any more."""
    over = facts.story.stage in OVER
    sent = [slot for slot, post in facts.chat.postings.items() if slot.startswith(f"warning:{user}") and post.ts]
    old = [slot for slot in sent if over or (slot != current and facts.story.stage is Stage.ACTIVE)]
    return [rendered(facts, slot, user, notices.settled, hide=False) for slot in old]


def _on_behalf(facts: PlanningInput, asker: str, holder: str) -> list[PlannedMessage]:
    """The holder is told at once; who asked is told what became of it, unless they did that themselves."""
    found = [rendered(facts, f"behalf:{holder}", holder, lambda s: notices.asked_for_you(s, facts.command), hide=False)]
    story = facts.story
    news = story.stage in OVER and (story.stage not in QUIET or story.declined)
    if news and not facts.request.origin.by_form:
        found.append(PlannedMessage(f"outcome:{asker}", asker, notices.settled(story), key="once"))
    return found


def _missed_its_end(facts: PlanningInput, active: str) -> bool:
    """It ended, and the holder was never told that it had begun."""
    return facts.story.stage is Stage.ENDED and active not in facts.chat.postings


def _asked(facts: PlanningInput, user: str) -> PlannedMessage:
    """The form's answer, which afterwards shrinks to the state like the card does."""
    slot = f"asked:{user}"

    def render(story: RequestView) -> Message:
        if story.stage is Stage.WAITING:
            return notices.asked(story, facts.deciders, facts.command)
        return notices.settled(story)

    return rendered(facts, slot, user, render, hide=False)


# ---------------------------------------------------------------- receipts


def _receipts(facts: PlanningInput) -> list[PlannedMessage]:
    if not (facts.story.resolved or facts.story.stage in OVER):
        return []
    channels = receipt_channels(facts.request, facts.receipts_channel)
    return [item for channel in channels for item in _thread(facts, channel)]


def receipt_channels(request: Request, receipts_channel: str) -> list[str]:
    origin = request.origin
    here = origin.channel if origin.receipts_here else ""
    return list(dict.fromkeys(filter(None, [here, receipts_channel])))


def root_slot(channel: str) -> str:
    return f"receipts:{channel}"


def is_receipt(wanted: PlannedMessage) -> bool:
    return wanted.slot.startswith(("receipts:", "lines:")) and not wanted.urgent


def news_of(chat: ChatRecord, entries: Sequence[AuditEntry], channel: str) -> list[AuditEntry]:
    """The entries that this channel has not been told yet, by the thread or by a summary (see `summary`)."""
    told = chat.told.get(root_slot(channel), 0)
    return [entry for entry in entries if entry.number > told and entry.event not in _SILENT]


def _thread(facts: PlanningInput, channel: str) -> list[PlannedMessage]:
    root = root_slot(channel)
    lines = _lines(facts, channel, root)
    if lines is None and root in facts.chat.told and root not in facts.chat.postings:
        # A summary told all there is; a thread begins with what happens next.
        return []
    found = [replace(rendered(facts, root, channel, receipts.receipt_root), urgent=facts.request.break_glass)]
    return [*found, lines] if lines else found


def _lines(facts: PlanningInput, channel: str, root: str) -> PlannedMessage | None:
    """The entries that the thread has not told yet. While somebody is waited for, the root says it all."""
    news = news_of(facts.chat, facts.entries, channel)
    if not news or (facts.story.stage is Stage.WAITING and all(entry.event is Event.REQUEST_MADE for entry in news)):
        return None
    shown = news[: receipts.ENTRIES_MAX]
    story = for_channel(facts, channel)
    who = facts.request
    names = {who.holder: who.holder_name, who.requester: who.requester_name}
    deadline, provider = facts.story.deadline, story.provider
    message = receipts.receipt_replies(shown, names, deadline=deadline, hidden=story.hidden, provider=provider)
    slot = f"lines:{shown[0].number}:{channel}"
    return PlannedMessage(slot, channel, message, key="once", under=root, told=shown[-1].number)


# ---------------------------------------------------------------- rendering


def rendered(facts: PlanningInput, slot: str, channel: str, render: Render, *, hide: bool = True) -> PlannedMessage:
    """A message that is kept current."""
    story = for_channel(facts, channel) if hide else facts.story
    # The same story with its clock held: what differs then is worth an edit, and a minute less is not.
    still = render(replace(story, now=facts.request.created_at))
    return PlannedMessage(slot, channel, render(story), key=stamp(still))


def seen_in(story: RequestView, policy: Policy, channel: str) -> RequestView:
    """A story among others in a channel: where the policy hides an environment, only its own channel is told all."""
    environment = policy.environments.get(story.environment)
    own = environment.approvals_channel if environment else None
    return seen_by(story, environment, member=channel == own)


def for_channel(facts: PlanningInput, channel: str) -> RequestView:
    """Where the policy hides an environment from outsiders, only its own channel and people's own messages tell all."""
    own = facts.environment.approvals_channel if facts.environment else None
    alone = read_destination(channel).kind in (Kind.PERSON, Kind.DIRECT)
    return seen_by(facts.story, facts.environment, member=channel == own or alone)
