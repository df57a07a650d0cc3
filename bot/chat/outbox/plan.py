"""Which messages a request has by now, and where: pure, from the ledger's records. The outbox makes the chat agree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.chat.message import Message, stamp
from bot.chat.messages import approval_card as cards
from bot.chat.messages import break_glass, notices, receipts
from bot.chat.messages import reminders as calls
from bot.chat.outbox.calls import CallsByChat
from bot.chat.outbox.reach import Elsewhere, not_reached, reachable, told_at
from bot.chat.places import direct_to
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
    waits for no other message, and no summary speaks for it. `in_order`: where it stands nothing can be put right, so none of
    those behind it goes there before it. `beside`: the channel in which a person, who gets no direct
    message, may hear of it alone. `entry`: goes on the audit log in the commit that says that it was posted.
    """

    slot: str
    channel: str
    message: Message
    key: str
    under: str | None = None
    told: int = 0
    urgent: bool = False
    in_order: bool = False
    beside: str = ""
    entry: AuditEvent | None = None
    # A person's other places, the best first, for what says the same in each chat; the slot ends with the place.
    or_else: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanningInput:
    """What a request's messages are made from."""

    request: Request
    view: RequestView
    environment: Environment | None
    receipts_channels: Sequence[str]
    entries: Sequence[AuditEntry]
    chat: ChatRecord
    # Whom a message calls, in the chat in which it stands.
    calls: CallsByChat = field(default_factory=CallsByChat)
    # Those who get the card as direct messages, where it has no channel.
    approver_ids: Sequence[str] = ()
    # Who can still agree.
    deciders: Deciders = NOBODY
    # Whom to call directly: those who can decide, by all their accounts, and those of the escalation.
    reminded: Collection[str] = ()
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
    # Of everybody who is written to: their other places, and their names by place. The holder is warned where they were seen
    # last; empty: where they are told all else.
    elsewhere: Elsewhere = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    warned_at: str = ""
    # The state passes by itself: see `on_cards_for_s`.
    passing: bool = False

    def place(self, slot: str, place: str) -> str:
        """Where a message to somebody goes. `slot`: the message's own, with `{}` for the place."""
        return told_at(self.chat.postings, slot.format, place, self.elsewhere)

    def places(self, slot: str, people: Iterable[PersonFacts]) -> list[str]:
        return list(dict.fromkeys(self.place(slot, direct_to(person.slack)) for person in people))

    @property
    def asker(self) -> str:
        """Where whoever asked is told: in the chat in which they did."""
        return reachable(self.chat.postings, direct_to(self.request.requester_slack), self.elsewhere)

    @property
    def holder(self) -> str:
        account = self.request.holder_slack or self.request.requester_slack
        return reachable(self.chat.postings, direct_to(account), self.elsewhere)


def as_posted(planning: PlanningInput, chat: ChatRecord) -> PlanningInput:
    """The same with what was posted so far, and who was not reached by it."""
    lost = not_reached(chat.postings, planning.elsewhere, planning.names)
    return replace(planning, chat=chat, view=replace(planning.view, not_reached=lost))


def passing_until_s(view: RequestView, since: datetime | None, *, at_work: bool = False) -> float:
    """Seconds to wait until a passing state is worth telling; 0.0 where it is told now. `at_work`: the target says so."""
    if view.stage not in _PASSING or since is None:
        return 0.0
    return max(0.0, (AT_WORK_S if at_work else SETTLES_IN_S) - (view.now - since).total_seconds())


def on_cards_for_s(view: RequestView, since: datetime | None) -> float:
    """For how many seconds more a passing state is told on the cards alone; 0.0 where all is told."""
    if view.stage not in _PASSING or since is None:
        return 0.0
    return max(0.0, LASTS_S - (view.now - since).total_seconds())


def planned(planning: PlanningInput) -> list[PlannedMessage]:
    """In the order in which they matter: the card, calls to those who can decide, alarms, the requester, receipts.

    A break-glass is seen by all first.
    """
    if planning.passing:
        return _cards(planning)
    own = beside(planning, [*nobody_there(planning), *unreached(planning), *_holder(planning)])
    if planning.request.break_glass:
        return [*_cards(planning), *_receipts(planning), *alarms(planning), *own]
    return [*_cards(planning), *calls_to(planning), *alarms(planning), *own, *_receipts(planning)]


def beside(planning: PlanningInput, own: Sequence[PlannedMessage]) -> list[PlannedMessage]:
    """Whoever asked in a channel may hear of it there alone, where they get no direct messages."""
    asker, channel = direct_to(planning.request.requester_slack), planning.request.origin.channel
    if not is_channel(channel):
        return [*own]
    return [replace(item, beside=channel) if item.channel == asker else item for item in own]


def nobody_there(planning: PlanningInput) -> list[PlannedMessage]:
    """Everybody was looked up, and too few are there: whoever asked hears that it cannot be approved as it is."""
    waits = planning.view.stage is Stage.WAITING and planning.view.resolved and not planning.request.break_glass
    user = planning.asker

    def render(view: RequestView) -> Message:
        return notices.nobody_there(view, planning.command, alone=not planning.request.batch)

    wanted = waits and planning.view.nobody and not planning.view.hidden
    return [_to_asker(planning, f"nobody:{user}", user, render)] if wanted or _settles(planning, "nobody") else []


def unreached(planning: PlanningInput) -> list[PlannedMessage]:
    """Nobody who can decide got the card: whoever asked must hear that it waits for nobody."""
    user = planning.asker

    def render(view: RequestView) -> Message:
        return notices.unreached(view, planning.deciders, planning.command, alone=not planning.request.batch)

    wanted = _reaches_nobody(planning) or _settles(planning, "unreached")
    return [_to_asker(planning, f"unreached:{user}", user, render)] if wanted else []


def _reaches_nobody(planning: PlanningInput) -> bool:
    view, tried = planning.view, [slot for slot in planning.chat.postings if slot.startswith("card:")]
    waits = view.stage is Stage.WAITING and view.resolved and not planning.request.break_glass
    found = planning.look_again_s is not None or bool(card_channels(planning))
    return waits and bool(tried) and not view.nobody and not found


def _to_asker(planning: PlanningInput, slot: str, user: str, render: Render) -> PlannedMessage:
    """Kept current where it has a button; of what was asked for in one go each is told once."""
    if planning.request.batch:
        return PlannedMessage(slot, user, render(planning.view), key="once")
    return rendered(planning, slot, user, render, hide=False)


def _settles(planning: PlanningInput, kind: str) -> bool:
    """What it warned of is over: it says so, and offers nothing any more."""
    posting = planning.chat.postings.get(f"{kind}:{planning.asker}")
    over = planning.view.stage in OVER and not planning.request.batch
    return over and posting is not None and posting.ts is not None


# ---------------------------------------------------------------- the approval card


def _cards(planning: PlanningInput) -> list[PlannedMessage]:
    return [_card(planning, channel) for channel in card_channels(planning)]


def card_channels(planning: PlanningInput) -> list[str]:
    """Where its card stands, or has to."""
    posted = [slot for slot in planning.chat.postings if slot.startswith("card:")]
    channels = [slot.removeprefix("card:") for slot in posted if planning.chat.postings[slot].error is None]
    if planning.view.resolved and _wants_more_cards(planning, channels):
        channels += [channel for channel in _new_card_channels(planning) if channel not in channels]
    return channels


def _wants_more_cards(planning: PlanningInput, channels: Sequence[str]) -> bool:
    unseen = planning.view.stage not in OVER or _review_owed(planning)
    if channels and all(map(is_person, channels)):
        # Who may decide by now, and could not when it was asked: a delegate, the next group, another shift.
        return planning.view.stage is Stage.WAITING
    own = own_channels(planning.environment)
    return unseen and (not channels or any(channel in own for channel in channels))


def _new_card_channels(planning: PlanningInput) -> list[str]:
    """The approvals channels; the approvers themselves where there is none, or none of them can be posted to."""
    own = own_channels(planning.environment)
    if taking := [channel for channel in own if not _failed(planning, f"card:{channel}")]:
        return taking
    if planning.request.break_glass:
        # Its owners are told directly anyway.
        return []
    users = dict.fromkeys(planning.place("card:{}", user) for user in planning.approver_ids)
    return [user for user in users if not _failed(planning, f"card:{user}")]


def _failed(planning: PlanningInput, slot: str) -> bool:
    posting = planning.chat.postings.get(slot)
    return posting is not None and posting.error is not None


def _card(planning: PlanningInput, channel: str) -> PlannedMessage:
    owners = planning.environment.owners if planning.environment else ()
    mentions = planning.calls.at(channel).mentions
    if planning.request.break_glass:
        return rendered(
            planning,
            f"card:{channel}",
            channel,
            lambda view: break_glass.break_glass_card(view, mentions, owners),
        )
    return rendered(
        planning,
        f"card:{channel}",
        channel,
        lambda view: cards.approval_card(view, mentions, to_owner=is_person(channel)),
    )


def _review_owed(planning: PlanningInput) -> bool:
    return planning.review is not None and planning.review.state is ReviewState.OWED


# ---------------------------------------------------------------- calls, while nobody has answered


def calls_to(planning: PlanningInput) -> list[PlannedMessage]:
    """The newest reminder alone: one that Slack did not take in time is not sent after the next."""
    if planning.view.stage is not Stage.WAITING:
        return []
    return [*_reminders(planning), *_escalation(planning)]


def _reminders(planning: PlanningInput) -> list[PlannedMessage]:
    reminders = planning.view.reminded_at
    if not reminders:
        return []
    found = []
    for channel in _posted_cards(planning, before=reminders[-1]):
        if not is_person(channel) or channel in planning.reminded:
            ids = [channel] if is_person(channel) else planning.calls.at(channel).reminded
            message = calls.reminder(for_channel(planning, channel), ids)
            found.append(
                PlannedMessage(
                    f"reminder:{len(reminders)}:{channel}", channel, message, key="once", under=f"card:{channel}"
                )
            )
    return found


def _escalation(planning: PlanningInput) -> list[PlannedMessage]:
    """Under the card; where the card went to people, to each of those who are called and have none."""
    if planning.view.escalated_at is None:
        return []
    posted = frozenset(cards := _posted_cards(planning))
    found = [
        PlannedMessage(
            f"escalated:{channel}",
            channel,
            calls.escalated(for_channel(planning, channel), planning.calls.at(channel).called),
            key="once",
            under=f"card:{channel}",
        )
        for channel in cards
        if not is_person(channel)
    ]
    if found:
        return found
    called = planning.called_people if not planning.view.escalation_approves else ()
    return [
        PlannedMessage(f"escalated:{user}", user, calls.escalated(planning.view, [user], on_card=False), key="once")
        for user in dict.fromkeys(planning.place("escalated:{}", one) for one in called)
        if posted.isdisjoint((user, *planning.elsewhere.get(user, ())))
    ]


def _posted_cards(planning: PlanningInput, before: datetime | None = None) -> list[str]:
    """Where the card stands; `before`: those that stood there by then, because a newer one is no old news."""
    found = planning.chat.postings.items()
    stands = {slot.removeprefix("card:"): post.posted_at_s for slot, post in found if _is_card(slot, post) and post.ts}
    return [channel for channel, at_s in stands.items() if before is None or at_s < before.timestamp()]


def _is_card(slot: str, posting: Posting) -> bool:
    return slot.startswith("card:") and posting.error is None


# ---------------------------------------------------------------- alarms


def alarms(planning: PlanningInput) -> list[PlannedMessage]:
    channels = list(dict.fromkeys((*own_channels(planning.environment), *planning.receipts_channels)))
    found = []
    for entry in planning.entries:
        if entry.event in ALARMS:
            reached = [channel for channel in channels if not _failed(planning, f"alarm:{entry.number}:{channel}")]
            # No channel takes it: to those who can do something about it. Of a break-glass they are told as it is.
            told = reached or entry.event is Event.BREAK_GLASS_UNANNOUNCED
            people = [] if told else planning.places(f"alarm:{entry.number}:{{}}", planning.overseers)
            found += [_alarm(planning, entry, place) for place in (*reached, *people)]
    return found


def _alarm(planning: PlanningInput, entry: AuditEntry, channel: str) -> PlannedMessage:
    view = for_channel(planning, channel)
    owners, mentions = planning.environment.owners if planning.environment else (), planning.calls.at(channel).mentions
    if entry.event is Event.BREAK_GLASS_UNANNOUNCED:
        message = break_glass.unannounced(view, command=planning.command)
    elif entry.event is Event.GRANT_REAPPEARED:
        message = notices.reappeared(view, entry.at, mentions=mentions, owners=owners)
    else:
        failures = int(entry.facts.get("failures", "0")) or None
        error = replace(view, error=entry.private.get("error") or view.error)
        message = notices.removal_failing(error, failures=failures, mentions=mentions, owners=owners)
    # An alarm is news of one moment: it is posted once and not edited.
    return PlannedMessage(f"alarm:{entry.number}:{channel}", channel, message, key="once")


# ---------------------------------------------------------------- the holder


def _holder(planning: PlanningInput) -> list[PlannedMessage]:
    asker, view, user = planning.asker, planning.view, planning.holder
    found = [_asked(planning, asker)] if planning.request.origin.by_form else []
    if user != asker:
        found += _on_behalf(planning, asker, user)
    active, outcome = f"holder:{user}", f"outcome:{user}"
    number = f":{planning.extended}" if planning.extended else ""
    warn = planning.place("warning:{}" + number, planning.warned_at or user)
    warning = f"warning:{warn}{number}"
    if view.stage is Stage.AGREED or (
        f"agreed:{user}" in planning.chat.postings and view.stage in OVER | {Stage.ACTIVE}
    ):
        found.append(rendered(planning, f"agreed:{user}", user, notices.agreed, hide=False))
    if view.stage is Stage.ACTIVE:
        found.append(rendered(planning, active, user, notices.active, hide=False))
        if planning.warned:
            message = notices.ending(view, planning.command)
            found.append(PlannedMessage(warning, warn, message, key="once"))
    elif active in planning.chat.postings and (view.stage in OVER | {Stage.STUCK} or _removal_drags_on(view)):
        found.append(rendered(planning, active, user, notices.over_active, hide=False))
    found += _old_warnings(planning, warning)
    # For whom somebody else asked, the message that said so says what became of it.
    told = user != asker and active not in planning.chat.postings
    if not told and view.stage in OVER and (view.stage not in QUIET or _missed_its_end(planning, active)):
        found.append(PlannedMessage(outcome, user, notices.outcome(view, planning.command), key="once"))
    return found


def _removal_drags_on(view: RequestView) -> bool:
    """What is taken away in seconds is told when it is gone."""
    return view.stage is Stage.REMOVING and view.error is not None


def _old_warnings(planning: PlanningInput, current: str) -> list[PlannedMessage]:
    """What they warned of has come, or was put off: they say so, and offer nothing any more."""
    over = planning.view.stage in OVER
    sent = {slot: post for slot, post in planning.chat.postings.items() if slot.startswith("warning:") and post.ts}
    old = [slot for slot in sent if over or (slot != current and planning.view.stage is Stage.ACTIVE)]
    return [rendered(planning, slot, sent[slot].channel, notices.settled, hide=False) for slot in old]


def _on_behalf(planning: PlanningInput, asker: str, holder: str) -> list[PlannedMessage]:
    """The holder is told at once; who asked is told what became of it, unless they did that themselves."""
    found = [
        rendered(planning, f"behalf:{holder}", holder, lambda s: notices.asked_for_you(s, planning.command), hide=False)
    ]
    view = planning.view
    news = view.stage in OVER and (view.stage not in QUIET or view.declined)
    if news and not planning.request.origin.by_form:
        found.append(PlannedMessage(f"outcome:{asker}", asker, notices.settled(view), key="once"))
    return found


def _missed_its_end(planning: PlanningInput, active: str) -> bool:
    """It ended, and the holder was never told that it had begun."""
    return planning.view.stage is Stage.ENDED and active not in planning.chat.postings


def _asked(planning: PlanningInput, user: str) -> PlannedMessage:
    """The form's answer, which afterwards shrinks to the state like the card does."""
    slot = f"asked:{user}"

    def render(view: RequestView) -> Message:
        if view.stage is Stage.WAITING:
            return notices.asked(view, planning.deciders)
        return notices.settled(view)

    return rendered(planning, slot, user, render, hide=False)


# ---------------------------------------------------------------- receipts


def _receipts(planning: PlanningInput) -> list[PlannedMessage]:
    if not (planning.view.resolved or planning.view.stage in OVER):
        return []
    channels = receipt_channels(planning.request, planning.receipts_channels)
    return [item for channel in channels for item in _thread(planning, channel)]


def receipt_channels(request: Request, everywhere: Sequence[str]) -> list[str]:
    """Where its receipts stand: those of the policy, and the channel of an incident in which it was asked for."""
    origin = request.origin
    here = origin.channel if origin.receipts_here else ""
    return list(dict.fromkeys(filter(None, [here, *everywhere])))


def root_slot(channel: str) -> str:
    return f"receipts:{channel}"


def is_receipt(planned: PlannedMessage) -> bool:
    return planned.slot.startswith(("receipts:", "lines:")) and not planned.urgent


def news_of(chat: ChatRecord, entries: Sequence[AuditEntry], channel: str) -> list[AuditEntry]:
    """The entries that this channel has not been told yet, by the thread or by a summary (see `summary`)."""
    told = chat.told.get(root_slot(channel), 0)
    return [entry for entry in entries if entry.number > told and entry.event not in _SILENT]


def _thread(planning: PlanningInput, channel: str) -> list[PlannedMessage]:
    root = root_slot(channel)
    lines = _lines(planning, channel, root)
    if lines is None and root in planning.chat.told and root not in planning.chat.postings:
        # A summary told all there is; a thread begins with what happens next.
        return []
    found = [replace(rendered(planning, root, channel, receipts.receipt_root), urgent=planning.request.break_glass)]
    return [*found, lines] if lines else found


def _lines(planning: PlanningInput, channel: str, root: str) -> PlannedMessage | None:
    """The entries that the thread has not told yet. While somebody is waited for, the root says it all."""
    news = news_of(planning.chat, planning.entries, channel)
    if not news or (planning.view.stage is Stage.WAITING and all(entry.event is Event.REQUEST_MADE for entry in news)):
        return None
    shown = news[: receipts.ENTRIES_MAX]
    view = for_channel(planning, channel)
    who = planning.request
    names = {who.holder: who.holder_name, who.requester: who.requester_name}
    deadline, provider = planning.view.deadline, view.provider
    message = receipts.receipt_replies(shown, names, deadline=deadline, hidden=view.hidden, provider=provider)
    slot = f"lines:{shown[0].number}:{channel}"
    return PlannedMessage(slot, channel, message, key="once", under=root, told=shown[-1].number)


# ---------------------------------------------------------------- rendering


def rendered(planning: PlanningInput, slot: str, channel: str, render: Render, *, hide: bool = True) -> PlannedMessage:
    """A message that is kept current."""
    view = for_channel(planning, channel) if hide else planning.view
    # The same view with its clock held: what differs then is worth an edit, and a minute less is not.
    still = render(replace(view, now=planning.request.created_at))
    return PlannedMessage(slot, channel, render(view), key=stamp(still))


def seen_in(view: RequestView, policy: Policy, channel: str) -> RequestView:
    """A view among others in a channel: where the policy hides an environment, only its own places are told all."""
    environment = policy.environments.get(view.environment)
    return seen_by(view, environment, member=channel in policy.own_places(view.environment))


def for_channel(planning: PlanningInput, channel: str) -> RequestView:
    """Where the policy hides an environment from outsiders, only its own channels and people's own messages tell all."""
    own = own_channels(planning.environment)
    alone = read_destination(channel).kind in (Kind.PERSON, Kind.DIRECT)
    return seen_by(planning.view, planning.environment, member=channel in own or alone)


def own_channels(environment: Environment | None) -> Sequence[str]:
    """Those in which an environment's cards stand: who reads there is no outsider."""
    return environment.approvals_channels if environment else ()
