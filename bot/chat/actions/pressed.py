"""What was pressed, carried out. The card tells; only what it cannot show is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.chat.actions.acting import Acting
from bot.chat.actions.batch import answer_stays
from bot.chat.actions.emergencies import said_mine, said_whose
from bot.chat.actions.reply import Reply
from bot.chat.interaction import Interaction
from bot.chat.message import read_value
from bot.chat.messages import notices
from bot.chat.messages.approval_card import read_more
from bot.chat.messages.holds import read_pressed as read_said
from bot.chat.messages.revoke_all import cancelled, read_pressed, under_way
from bot.chat.messages.second_chat import read_is_me
from bot.chat.wording.labels import done_words
from workflows.core import keys
from workflows.core.records.oversight import BulkRevocation
from workflows.core.refusal import Code, Refused
from workflows.usecases.decisions.approve import approve, decline, withdraw
from workflows.usecases.oversight.break_glass_review import acknowledge
from workflows.usecases.oversight.delegate import end_delegation
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import revoke_all
from workflows.usecases.shared.actor import known, nobody
from workflows.usecases.shared.context import Context, Outcome
from workflows.usecases.shared.signed_votes import Signed

Carry = Callable[[Acting, Interaction], Reply]
Decide = Callable[[Context, str, Interaction, str | None], Outcome | Refused]


def signed_of(act: Interaction) -> Signed | None:
    return Signed(act.signed) if act.signed else None


def one(decide: Decide) -> Carry:
    """A press about one request. `decide`: with its id, and the hash of the terms that the button stood for."""

    def press(at: Acting, act: Interaction) -> Reply:
        found = read_value(act.value)
        return at.quiet(act, found[0], decide(at.ctx, found[0], act, found[1])) if found else Reply()

    return press


press_approve = one(lambda ctx, id_, act, terms: approve(ctx, id_, act.who, act.id, terms, signed_of(act)))
press_acknowledge = one(lambda ctx, id_, act, _: acknowledge(ctx, id_, act.who, act.id))
press_end = one(lambda ctx, id_, act, _: end(ctx, id_, act.who, "", act.id))
press_decline = one(lambda ctx, id_, act, _: decline(ctx, id_, act.who, act.id))
_take_back = one(lambda ctx, id_, act, _: withdraw(ctx, id_, act.who, act.id))


def press_withdraw(at: Acting, act: Interaction) -> Reply:
    reply, found = _take_back(at, act), read_value(act.value)
    if reply.message is not None or found is None or not answer_stays(act):
        return reply
    return Reply(notices.answer(done_words("withdrawn", found[0])), replaces=True)


def press_first_time(at: Acting, act: Interaction) -> Reply:
    """For whoever has it: how to set it up is their own affair."""
    found = read_value(act.value)
    seen = at.queries.seen(found[0]) if found else None
    if seen is None or seen.request.holder != at.reader(act):
        return at.refuse(act, Refused(Code.ID_UNKNOWN, {"id": found[0] if found else "it"}, audited=False))
    return Reply(notices.first_time(seen.view))


def press_cancel(_at: Acting, _act: Interaction) -> Reply:
    return Reply(cancelled(), replaces=True)


def press_more(at: Acting, act: Interaction) -> Reply:
    """A choice of the card's menu that opens no form."""
    choice = read_more(act.value)
    if choice is None:
        return Reply()
    actor = known(at.ctx, act.who, nobody, on_hold=True)
    return at.look(act, actor if isinstance(actor, Refused) else at.queries.explain_request(choice[1], actor))


def press_end_delegation(at: Acting, act: Interaction) -> Reply:
    """The page shows it, so nothing is said."""
    answer = end_delegation(at.ctx, act.who, act.id)
    return at.refuse(act, answer) if isinstance(answer, Refused) else Reply()


def press_whose(at: Acting, act: Interaction) -> Reply:
    return said_whose(at, act, read_said(act.value))


def press_is_me(at: Acting, act: Interaction) -> Reply:
    return said_mine(at, act, read_is_me(act.value, mine=True))


def press_is_not_me(at: Acting, act: Interaction) -> Reply:
    return said_mine(at, act, read_is_me(act.value, mine=False))


def press_revoke_all(at: Acting, act: Interaction) -> Reply:
    pressed = read_pressed(act.value)
    if pressed is None:
        return Reply()
    answer = revoke_all(at.ctx, pressed.scope, act.who, pressed.reason, act.id)
    if isinstance(answer, Refused):
        return at.refuse(act, answer)
    item = keys.bulk_revocation(answer.id)
    begun = at.ctx.ledger.read(item).readable(item, BulkRevocation)
    return Reply(under_way(pressed.scope, begun.environments if begun else None), replaces=True)


def press_for_all(at: Acting, act: Interaction) -> Reply:
    reply = at.answered(act, at.several.press(act))
    return replace(reply, replaces=reply.refused is None and answer_stays(act))
