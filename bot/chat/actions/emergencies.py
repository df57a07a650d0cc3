"""What security does: everything taken away at once, somebody let in again, an account that is on hold."""

from __future__ import annotations

from bot.chat.actions.acting import Acting
from bot.chat.actions.reply import Reply
from bot.chat.commands.model import (
    RevokeAll,
    Whom,
)
from bot.chat.interaction import PRESS, Interaction
from bot.chat.messages import holds, notices, second_chat
from workflows.core.people import PersonId
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.usecases.identity.confirm_account import Saying, confirm, groups_needed_to_confirm, may_confirm
from workflows.usecases.identity.second_chat import Answer, answer
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.revocation.revoke_all import groups_that_may
from workflows.usecases.shared.actor import Actor, known


def would_revoke_all(at: Acting, act: Interaction, command: RevokeAll, actor: Actor) -> Reply:
    """Typed: nothing is done yet, it is shown what would be."""
    able = known(at.ctx, act.who, groups_that_may, on_hold=True)
    if isinstance(able, Refused):
        return at.refuse(act, able)
    problem = text_problem(command.reason, {"what": "revoke-all"})
    if problem:
        return at.refuse(act, problem)
    return at.look(act, at.queries.would_revoke(command, actor, able))


def unblock(at: Acting, act: Interaction, whom: Whom, reason: str, actor: Actor) -> Reply:
    person = at.queries.people.person_meant(whom, actor)
    if isinstance(person, Refused):
        return at.refuse(act, person)
    return lifted(at, act, person, whom.text.lstrip("@"), reason)


def lifted(at: Acting, act: Interaction, person: PersonId, name: str, reason: str) -> Reply:
    """`name`: what they are called in the answer."""
    answer = lift(at.ctx, person, act.who, reason, act.id)
    if isinstance(answer, Refused):
        return at.refuse(act, answer)
    return Reply(notices.answer(f"✅ You lifted what kept {name} from asking or using break-glass. They are told."))


def confirm_account(at: Acting, act: Interaction, whom: Whom, same: bool | None, reason: str, actor: Actor) -> Reply:
    """Said at once where it was typed and one account is meant; else it is asked, with what is known of each."""
    able = known(at.ctx, act.who, groups_needed_to_confirm)
    problem = able if isinstance(able, Refused) else text_problem(reason, {"what": "person confirm"})
    if problem or isinstance(able, Refused):
        return at.refuse(act, problem or Refused(Code.PERSON_UNKNOWN))
    found = at.queries.people.holds_meant(whom, actor)
    refusal = next((refused for held in found if (refused := may_confirm(able, held))), None)
    if refusal or not found:
        unknown = Refused(Code.NOTHING_TO_CONFIRM, {"name": whom.text}, audited=False)
        return at.refuse(act, refusal or unknown)
    if same is None or len(found) > 1:
        return Reply(holds.question(found, clean(reason), at.ctx.ledger.now(), at.command))
    return said_whose(at, act, Saying(found[0].account.account, same, reason, found[0].hash))


def said_whose(at: Acting, act: Interaction, saying: Saying | None) -> Reply:
    if saying is None:
        return Reply()
    answer = confirm(at.ctx, saying, act.who, act.id)
    if isinstance(answer, Refused):
        return at.refuse(act, answer)
    return Reply(holds.said(answer.outcome, same=saying.same), replaces=act.kind == PRESS)


def said_mine(at: Acting, act: Interaction, said: Answer | None) -> Reply:
    if said is None:
        return Reply()
    done = answer(at.ctx, said, act.who, act.id)
    if isinstance(done, Refused):
        return at.refuse(act, done)
    return Reply(second_chat.answered(said.account, done.outcome), replaces=True)
