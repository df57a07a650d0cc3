"""What was typed, carried out."""

from __future__ import annotations

from bot.chat.actions import certification
from bot.chat.actions import delegation as delegating
from bot.chat.actions.acting import Acting
from bot.chat.actions.asking import again, ask_all, ask_for, in_an_emergency, typed_asks
from bot.chat.actions.emergencies import confirm_account, unblock, would_revoke_all
from bot.chat.actions.pressed import signed_of
from bot.chat.actions.reply import Reply
from bot.chat.commands.model import (
    Acknowledge,
    Again,
    Approve,
    Ask,
    AskFor,
    AskSeveral,
    BreakGlass,
    BreakOpen,
    Certify,
    Command,
    Confirm,
    Decline,
    Delegate,
    Deny,
    End,
    Extend,
    Flag,
    Help,
    Less,
    Lift,
    RevokeAll,
    Withdraw,
)
from bot.chat.interaction import Interaction
from bot.chat.messages.help import help_message
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import Ask as CoreAsk
from workflows.usecases.decisions.approve import approve, decline, deny, withdraw
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.requests.request_extension import ask_for_more_time
from workflows.usecases.revocation.end import end
from workflows.usecases.shared.actor import Actor, known, nobody
from workflows.usecases.shared.context import Outcome


def command_line(at: Acting, act: Interaction) -> Reply:
    command = at.parse(act.text)
    if isinstance(command, Refused):
        return at.refuse(act, command)
    if isinstance(command, Help):
        break_glass = bool(at.queries.people.may_break_glass(act.who))
        return Reply(help_message(command.topic, at.command, at.queries.example(), break_glass=break_glass))
    with at.expected.typed(act, command):
        actor = known(at.ctx, act.who, nobody, on_hold=True)
        if isinstance(actor, Refused):
            return at.refuse(act, actor)
        at.expected.met(act.who, actor.person.id)
        return _typed(at, act, command, actor)


def _typed(at: Acting, act: Interaction, command: Command, actor: Actor) -> Reply:
    match command:
        case Ask() | AskSeveral():
            typed = typed_asks(at, command, actor)
            return at.refuse(act, typed) if isinstance(typed, Refused) else ask_all(at, act, typed)
        case AskFor(whom, ask):
            return ask_for(at, act, whom, ask, actor)
        case Again(reason):
            return again(at, act, actor, reason)
        case BreakGlass() | BreakOpen() | Acknowledge() | Flag() | Lift() | Confirm() | RevokeAll():
            return _emergency(at, act, command, actor)
        case Approve() | Less() | Deny() | Withdraw() | Decline() | End():
            return at.said(act, command.id, _by_hand(at, act, command))
        case Delegate() | Certify():
            return _as_owner(at, act, command, actor)
        case Extend(id_, duration, reason):
            return at.asked(act, ask_for_more_time(at.ctx, id_, duration, reason, act.who, act.origin, act.id))
        case _:
            return at.look(act, at.queries.look(command, actor))


def _as_owner(at: Acting, act: Interaction, command: Delegate | Certify, actor: Actor) -> Reply:
    if isinstance(command, Certify):
        return certification.typed(at, act, command)
    return at.look(act, delegating.carry_out(at.ctx, act, command, actor, at.command))


def _by_hand(
    at: Acting, act: Interaction, command: Approve | Less | Deny | Withdraw | Decline | End
) -> Outcome | Refused:
    """What the buttons do, typed."""
    match command:
        case Approve(id_):
            return approve(at.ctx, id_, act.who, act.id, signed=signed_of(act))
        case Less(id_, role, duration):
            return approve_reduced(at.ctx, id_, act.who, role, duration, act.id, signed=signed_of(act))
        case Deny(id_, reason):
            return deny(at.ctx, id_, act.who, reason, act.id)
        case Withdraw(id_):
            return withdraw(at.ctx, id_, act.who, act.id)
        case Decline(id_):
            return decline(at.ctx, id_, act.who, act.id)
        case End(id_, reason):
            return end(at.ctx, id_, act.who, reason, act.id)


def _emergency(
    at: Acting,
    act: Interaction,
    command: BreakGlass | BreakOpen | Acknowledge | Flag | Lift | Confirm | RevokeAll,
    actor: Actor,
) -> Reply:
    match command:
        case BreakGlass(environment, role, duration, reason):
            return in_an_emergency(at, act, CoreAsk(environment, role, duration, reason))
        case BreakOpen(id_, reason):
            return at.said(act, id_, break_open(at.ctx, id_, act.who, reason, act.id))
        case Acknowledge(id_, note):
            return at.said(act, id_, acknowledge(at.ctx, id_, act.who, act.id, note))
        case Flag(id_, note):
            return at.said(act, id_, flag(at.ctx, id_, act.who, note, act.id))
        case Lift(whom, reason):
            return unblock(at, act, whom, reason, actor)
        case Confirm(whom, same, reason):
            return confirm_account(at, act, whom, same, reason, actor)
        case RevokeAll():
            return would_revoke_all(at, act, command, actor)
