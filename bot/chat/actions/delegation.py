"""`delegate`: who decides in one's place, for whoever is away. Carried out for the dispatcher."""

from __future__ import annotations

from bot.chat.commands.model import Delegate, Whom
from bot.chat.interaction import Interaction
from bot.chat.message import Message
from bot.chat.messages import notices
from bot.chat.messages.delegation import in_force
from bot.chat.wording.labels import done_words
from workflows.core.dates import end_of
from workflows.core.identity import address_of
from workflows.core.people import PersonFacts
from workflows.core.refusal import Code, Refused
from workflows.usecases.oversight.delegate import delegate, delegation_of, end_delegation
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import Context


def carry_out(ctx: Context, act: Interaction, parsed: Delegate, actor: Actor, command: str) -> Message | Refused:
    """Name somebody, end it, or show it; and say what came of it."""
    if parsed.off:
        ended = end_delegation(ctx, act.who, act.id)
        return ended if isinstance(ended, Refused) else notices.answer(done_words(ended.outcome, "-"))
    if parsed.whom is not None:
        refused = _hand_over(ctx, act, parsed.whom, parsed.until, actor)
        if refused is not None:
            return refused
    found = delegation_of(ctx, actor.person)
    return in_force(found, ctx.ledger.now(), command) if found else Refused(Code.DELEGATE_NONE, audited=False)


def _hand_over(ctx: Context, act: Interaction, whom: Whom, until: str, actor: Actor) -> Refused | None:
    person = _somebody(ctx, whom, actor)
    if isinstance(person, Refused):
        return person
    end = end_of(until, ctx.ledger.now(), actor.policy.timezone)
    if end is None:
        return Refused(Code.DELEGATE_UNTIL_UNREADABLE, {"text": until[:40]}, audited=False)
    answer = delegate(ctx, act.who, person, end, act.id)
    return answer if isinstance(answer, Refused) else None


def _somebody(ctx: Context, whom: Whom, actor: Actor) -> PersonFacts | Refused:
    """Whom the actor means. An account that nobody has looked at yet is looked at by a worker."""
    if whom.user:
        found = ctx.directory.person(actor.person.colleague(whom.user))
        return found or Refused(Code.FACTS_STALE, {"name": whom.text}, audited=False)
    address = address_of(whom.text, actor.policy.former_domains)
    found = ctx.directory.by_address(address, actor.policy.former_domains) if address is not None else None
    return found or Refused(Code.PERSON_UNKNOWN, {"name": whom.text}, audited=False)
