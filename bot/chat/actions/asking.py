"""Somebody asks: for themselves, for somebody else, for several at once, once more, in an emergency."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.actions.acting import Acting
from bot.chat.actions.reply import Reply
from bot.chat.commands.model import (
    Ask,
    AskSeveral,
    Whom,
)
from bot.chat.interaction import Interaction
from bot.chat.messages import notices
from bot.chat.wording.labels import done_words
from workflows.core.dates import start_of
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask as CoreAsk
from workflows.core.rules.eligibility import open_again_at
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.repeat import last_ask
from workflows.usecases.requests.request_access import ask_as, asker
from workflows.usecases.shared.actor import Actor


def typed_asks(at: Acting, command: Ask | AskSeveral, actor: Actor) -> list[CoreAsk] | Refused:
    """A typed time is one of the asker's own clock."""
    begin, now = command.begin, at.ctx.ledger.now()
    start = start_of(begin.day, begin.clock, now, actor.person.time_zone) if begin else None
    if begin and start is None:
        return Refused(Code.START_UNREADABLE, {"text": f"{begin.day} {begin.clock}"}, audited=False)
    places = command.places if isinstance(command, AskSeveral) else ((command.environment, command.role),)
    return [CoreAsk(place, role, command.duration, command.reason, start_at=start) for place, role in places]


def ask_all(at: Acting, act: Interaction, asks: list[CoreAsk]) -> Reply:
    if len(asks) == 1:
        return ask_one(at, act, asks[0])
    answer = at.several.ask(act, asks)
    refused = answer[0] if isinstance(answer, tuple) else None
    return _with_way_out(at, act, at.answered(act, answer), refused, asks)


def ask_one(at: Acting, act: Interaction, ask: CoreAsk) -> Reply:
    actor = asker(at.ctx, ask, act.who)
    if isinstance(actor, Refused):
        return _with_way_out(at, act, at.asked(act, actor), actor, [ask])
    answer = ask_as(at.ctx, actor, ask, act.origin, act.id)
    with at.expected.told(act, actor):
        reply = at.asked(act, answer, actor)
    return _with_way_out(at, act, reply, answer if isinstance(answer, Refused) else None, [ask])


def _with_way_out(at: Acting, act: Interaction, reply: Reply, refused: Refused | None, asks: list[CoreAsk]) -> Reply:
    """A button that opens the form as it was filled in: for when it opens, or to give it another ticket."""
    then = open_again_at(refused, at.ctx.ledger.now()) if refused else None
    if refused is None or reply.message is None or (then is None and refused.code not in _TICKET):
        return reply
    first, *others = (replace(ask, start_at=then or ask.start_at) for ask in asks)
    holder = at.ctx.directory.of_person(first.holder) if first.holder else None
    there = holder.at(act.who.surface) if holder else None
    whom = there.user if there else ""
    return replace(reply, message=notices.with_ask_for(reply.message, first, others, whom))


# A worker found it out, and the form is gone: what was typed into it is not lost.
_TICKET = frozenset({Code.TICKET_CLOSED, Code.TICKET_ABSENT, Code.TICKET_NOT_VERIFIED})


def ask_for(at: Acting, act: Interaction, whom: Whom, ask: Ask, actor: Actor) -> Reply:
    typed = typed_asks(at, ask, actor)
    return at.refuse(act, typed) if isinstance(typed, Refused) else ask_for_somebody(at, act, whom, typed[0], actor)


def ask_for_somebody(at: Acting, act: Interaction, whom: Whom, ask: CoreAsk, actor: Actor) -> Reply:
    person = at.queries.people.person_meant(whom, actor)
    if isinstance(person, Refused):
        return at.refuse(act, person)
    unfit = at.queries.people.unfit_holder(whom, actor)
    if unfit:
        return at.refuse(act, unfit)
    return ask_one(at, act, replace(ask, holder=person))


def again(at: Acting, act: Interaction, actor: Actor, reason: str) -> Reply:
    last = last_ask(at.ctx, actor.person.id, reason)
    return at.refuse(act, last) if isinstance(last, Refused) else ask_one(at, act, last)


def in_an_emergency(at: Acting, act: Interaction, ask: CoreAsk) -> Reply:
    answer = break_glass(at.ctx, ask, act.who, act.origin, act.id)
    if isinstance(answer, Refused):
        return at.refuse(act, answer)
    if answer.outcome == "have_it":
        seen = at.queries.seen(answer.id)
        return Reply(notices.have_it(seen.view, at.reader(act)) if seen else None)
    return Reply(notices.answer(done_words(answer.outcome, answer.id)))
