"""What a plan is made from and of, and how a message of it is drawn: for each place what may be told there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from bot.chat.message import Message, stamp
from bot.chat.outbox.plans.calls import CallsByChat
from bot.chat.outbox.plans.reach import Elsewhere, reachable, told_at
from bot.chat.places import direct_to
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.request_view import RequestView, seen_by
from bot.chat.wording.labels import Stage
from workflows.core.audit import AuditEntry, AuditEvent
from workflows.core.destination import Kind, read_destination
from workflows.core.people import PersonFacts
from workflows.core.policy import Environment, Policy
from workflows.core.records.chat import ChatRecord
from workflows.core.records.oversight import Review
from workflows.core.records.request import Request

Render = Callable[[RequestView], Message]
OVER = frozenset(
    {
        Stage.ENDED,
        Stage.REVOKED,
        Stage.DENIED,
        Stage.WITHDRAWN,
        Stage.EXPIRED,
        Stage.USED,
        Stage.NOT_GIVEN,
        Stage.STANDING,
        Stage.EXTENDED,
    }
)
# The holder did these, or was told before: their own message changes in place, and nothing new arrives.
QUIET = frozenset({Stage.WITHDRAWN, Stage.ENDED})


class Kept:
    """A message that is kept current. Most of what is planned stands as it should already, or waits for its turn: it is drawn
    when somebody asks for it. `still`: the same with its clock held. What differs then is worth an edit, and a minute less is
    not.
    """

    def __init__(self, now: Callable[[], Message], still: Callable[[], Message]) -> None:
        self._now, self._still = now, still

    @cached_property
    def message(self) -> Message:
        return self._now()

    @cached_property
    def key(self) -> str:
        return stamp(self._still())


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message as it should be. `key` says when it has to be sent again, and `Kept` has its own.

    `under`: the slot of the message in whose thread it stands. `told`: the last audit entry that it tells. `urgent`: it
    waits for no other message, and no summary speaks for it. `in_order`: where it stands nothing can be put right, so none of
    those behind it goes there before it. `beside`: the channel in which a person, who gets no direct
    message, may hear of it alone. `entry`: goes on the audit log in the commit that says that it was posted.
    """

    slot: str
    channel: str
    says: Message | Kept
    key: str = ""
    under: str | None = None
    told: int = 0
    urgent: bool = False
    in_order: bool = False
    beside: str = ""
    entry: AuditEvent | None = None
    # A person's other places, the best first, for what says the same in each chat; the slot ends with the place.
    or_else: tuple[str, ...] = ()

    @property
    def message(self) -> Message:
        return self.says.message if isinstance(self.says, Kept) else self.says

    @property
    def shows(self) -> str:
        """What stands in its posting once it is sent: its key."""
        return self.says.key if isinstance(self.says, Kept) else self.key


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
    def breaker(self) -> str:
        """Where whoever used break-glass is told: who asked, or who opened the gate for its pipeline."""
        emergency = self.request.gate.emergency if self.request.gate is not None else None
        account = emergency.slack if emergency is not None else self.request.requester_slack
        return reachable(self.chat.postings, direct_to(account), self.elsewhere)

    @property
    def holder(self) -> str:
        account = self.request.holder_slack or self.request.requester_slack
        return reachable(self.chat.postings, direct_to(account), self.elsewhere)


def failed(planning: PlanningInput, slot: str) -> bool:
    posting = planning.chat.postings.get(slot)
    return posting is not None and posting.error is not None


# ---------------------------------------------------------------- rendering


def rendered(planning: PlanningInput, slot: str, channel: str, render: Render, *, hide: bool = True) -> PlannedMessage:
    """A message that is kept current."""

    def view() -> RequestView:
        return for_channel(planning, channel) if hide else planning.view

    def still() -> Message:
        return render(replace(view(), now=planning.request.created_at))

    return PlannedMessage(slot, channel, Kept(lambda: render(view()), still))


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
