"""What was sent in a form, carried out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.chat.actions import emergencies
from bot.chat.actions.acting import Acting
from bot.chat.actions.asking import ask_all, ask_for_somebody, in_an_emergency
from bot.chat.actions.pressed import signed_of
from bot.chat.actions.reply import Reply
from bot.chat.forms.request import chosen_person
from bot.chat.forms.security import SAME
from bot.chat.interaction import Interaction
from bot.chat.views.deciders import name_from
from workflows.core.identity import AccountId, PersonId
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import Ask as CoreAsk
from workflows.usecases.decisions.approve import deny
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.identity.confirm_account import Saying
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.requests.request_extension import ask_for_more_time
from workflows.usecases.revocation.end import end
from workflows.usecases.shared.actor import known, nobody


def request(at: Acting, act: Interaction) -> Reply:
    somebody = chosen_person(act)
    if somebody is None:
        return ask_all(at, act, _asks_of(act))
    actor = known(at.ctx, act.who, nobody, on_hold=True)
    if isinstance(actor, Refused):
        return at.refuse(act, actor)
    return ask_for_somebody(at, act, somebody, _ask_of(act), actor)


def emergency(at: Acting, act: Interaction) -> Reply:
    reply = in_an_emergency(at, act, _ask_of(act))
    answered = reply.refused is None and reply.message is not None
    # The form's answer is a direct message, which the sender keeps current.
    return Reply() if answered else reply


def more_time(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    time = timedelta(seconds=int(fields["duration_s"]))
    words, ticket = fields["reason"], fields.get("ticket") or None
    return at.asked(act, ask_for_more_time(at.ctx, fields["id"], time, words, act.who, act.origin, act.id, ticket))


def denied(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    return at.quiet(act, fields["id"], deny(at.ctx, fields["id"], act.who, fields["reason"], act.id))


def denied_all(at: Acting, act: Interaction) -> Reply:
    return at.answered(act, at.several.deny(act))


def lessened(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    id_, seconds = fields["id"], fields.get("duration_s")
    duration = timedelta(seconds=int(seconds)) if seconds else None
    role, terms_hash = fields.get("role"), fields.get("terms")
    return at.quiet(act, id_, approve_reduced(at.ctx, id_, act.who, role, duration, act.id, terms_hash, signed_of(act)))


def ended(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    return at.quiet(act, fields["id"], end(at.ctx, fields["id"], act.who, fields["reason"], act.id))


def acknowledged(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    return at.quiet(act, fields["id"], acknowledge(at.ctx, fields["id"], act.who, act.id, fields["reason"]))


def opened(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    id_, terms = fields["id"], fields.get("terms") or None
    return at.quiet(act, id_, break_open(at.ctx, id_, act.who, fields["reason"], act.id, terms))


def flagged(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    return at.quiet(act, fields["id"], flag(at.ctx, fields["id"], act.who, fields["reason"], act.id))


def lifted(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    who = PersonId(fields["person"])
    facts = at.ctx.directory.of_person(who)
    return emergencies.lifted(at, act, who, facts.name if facts else name_from(who), fields["reason"])


def confirmed(at: Acting, act: Interaction) -> Reply:
    fields = act.fields or {}
    same = fields["said"] == SAME
    return emergencies.said_whose(at, act, Saying(AccountId(fields["account"]), same, fields["reason"], fields["hash"]))


def _asks_of(act: Interaction) -> list[CoreAsk]:
    """What a form asks for: one for each role, or environment, that was chosen."""
    ask = _ask_of(act)
    places, roles = ask.environment.split(","), ask.role.split(",")
    return [replace(ask, environment=place, role=role) for place in places for role in roles]


def _ask_of(act: Interaction) -> CoreAsk:
    fields = act.fields or {}
    seconds = fields.get("duration_s")
    duration = timedelta(seconds=int(seconds)) if seconds else None
    ticket, start = fields.get("ticket") or None, fields.get("start_at")
    start_at = datetime.fromtimestamp(int(start), UTC) if start else None
    return CoreAsk(fields["environment"], fields["role"], duration, fields["reason"], ticket, start_at)
