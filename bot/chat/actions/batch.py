"""Carries out what somebody did with several at once, and says in words what became of which."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.actions.queries import Queries
from bot.chat.interaction import Interaction
from bot.chat.message import Message, read_value
from bot.chat.messages import batch as several
from bot.chat.messages import notices
from bot.chat.messages.approval_card import WITHDRAW
from bot.chat.messages.batch import APPROVE_ALL, WITHDRAW_ALL
from bot.chat.rich import lines
from bot.chat.views.read_model import Seen
from bot.chat.wording.labels import done_words, people, refusal
from workflows.core import keys
from workflows.core.destination import Kind, read_destination
from workflows.core.people import PersonId
from workflows.core.records.request import Request, Slot
from workflows.core.refusal import Code, Refused
from workflows.core.rules.batch import distinct, panels, part, place_of
from workflows.core.rules.eligibility import Ask
from workflows.ports import PolicyUnavailable
from workflows.usecases.requests.batch import Part, approve_all, ask_for_several, batch_of, deny_all, withdraw_all
from workflows.usecases.shared.context import Context, Outcome

# A refusal and what it is about; or what the actor alone is told, None where their own card changes in place.
Answer = tuple[Refused, str] | Message | None


class Several:
    """`command` is the slash command's name, as it is typed."""

    def __init__(self, ctx: Context, queries: Queries, command: str) -> None:
        self._ctx = ctx
        self._queries = queries
        self._command = command

    # ------------------------------------------------------------ asking

    def ask(self, act: Interaction, asks: Sequence[Ask]) -> Answer:
        answer = ask_for_several(self._ctx, asks, act.who, act.origin, act.id)
        if isinstance(answer, Refused):
            return answer, "-"
        made = batch_of(self._ctx, answer.id)
        requests = () if isinstance(made, Refused) or answer.outcome == "have_it" else made
        told = [self._asked(requests)] if requests and not act.origin.by_form else []
        there = self._there(asks, requests or (() if isinstance(made, Refused) else made), requests)
        return _joined(
            [*told, *([several.left_out([seen.view for seen in there], self._reader(act))] if there else [])]
        )

    def _reader(self, act: Interaction) -> PersonId:
        facts = self._ctx.directory.person(act.who)
        return facts.id if facts else PersonId("")

    def _asked(self, requests: Sequence[Request]) -> Message:
        found = {seen.request.id: seen for one in requests if (seen := self._queries.seen(one.id))}
        decided = [[found[one.id] for one in panel if one.id in found] for panel in self._panels(requests)]
        if len(found) == 1:
            (seen,) = found.values()
            return notices.asked(seen.view, self._queries.people.deciders(seen))
        told = [([seen.view for seen in panel], self._queries.people.deciders(panel[0])) for panel in decided if panel]
        return several.asked(told, self._command)

    def _panels(self, requests: Sequence[Request]) -> tuple[tuple[Request, ...], ...]:
        try:
            return panels(self._ctx.policy.current(), requests)
        except PolicyUnavailable:
            return panels(None, requests)

    def _there(self, asks: Sequence[Ask], of: Sequence[Request], made: Sequence[Request]) -> list[Seen]:
        """What the person has or waits for already, of what was asked for. `of`: some request of theirs."""
        if not of:
            return []
        slots = [keys.slot(place_of(ask, of[0].holder)) for ask in distinct(asks, of[0].holder)]
        snapshot = self._ctx.ledger.read(*slots)
        ids = [slot.request for name in slots if (slot := snapshot.get(name, Slot)) and slot.request]
        fresh = {request.id for request in made}
        return [seen for id_ in ids if id_ not in fresh and (seen := self._queries.seen(id_))]

    # ------------------------------------------------------------ pressing

    def press(self, act: Interaction) -> Answer:
        found = read_value(act.value)
        if found is None:
            return None
        id_, terms = found
        if act.action == APPROVE_ALL:
            return self._told(id_, approve_all(self._ctx, id_, act.who, terms or "", act.id, act.signed))
        parts = withdraw_all(self._ctx, id_, act.who, act.id)
        told = self._told(id_, parts)
        if told is None and answer_stays(act) and not isinstance(parts, Refused):
            return notices.answer(done_words("withdrawn", people(_done(parts))))
        return told

    def deny(self, act: Interaction) -> Answer:
        fields = act.fields or {}
        return self._told(fields["id"], deny_all(self._ctx, fields["id"], act.who, fields["reason"], act.id))

    def _told(self, id_: str, parts: tuple[Part, ...] | Refused) -> Answer:
        """The card tells what was done; what was not done, though it waited, is said in words."""
        if isinstance(parts, Refused):
            return parts, id_
        refused = [(one, no) for one in parts if (no := _refused(one))]
        done = [(one.request, one.answer) for one in parts if isinstance(one.answer, Outcome) and not _refused(one)]
        if refused and not done:
            one, no = next(((one, no) for one, no in refused if one.waited), refused[0])
            return no, one.request.id
        missed = [(one.request, no) for one, no in refused if one.waited]
        if not missed:
            return None
        said = [done_words(answer.outcome, request.id) for request, answer in done]
        not_done = [f"Not {_named(request)}: {refusal(no, command=self._command)}" for request, no in missed]
        return notices.answer("\n".join([*said, *not_done]))


def answer_stays(act: Interaction) -> bool:
    """Whether it was pressed on a command's own answer, which nobody else keeps current."""
    takes_back = act.action in (WITHDRAW, WITHDRAW_ALL)
    # In somebody's home there is no message at all.
    return takes_back and bool(act.channel) and read_destination(act.channel).kind is not Kind.DIRECT


def _done(parts: Sequence[Part]) -> list[str]:
    return [one.request.id for one in parts if isinstance(one.answer, Outcome)]


def _refused(one: Part) -> Refused | None:
    if isinstance(one.answer, Refused):
        return one.answer
    changed = Refused(Code.TERMS_CHANGED, {"id": one.request.id}, audited=False)
    return changed if one.answer.outcome == "terms_changed" else None


def _named(request: Request) -> str:
    terms = request.terms
    return f"{request.id} ({part(Ask(terms.environment, terms.role, None, ''))})"


def _joined(messages: Sequence[Message]) -> Message | None:
    if not messages:
        return None
    parts = [part for message in messages for part in message.parts]
    return Message(lines(message.summary for message in messages), tuple(parts))
