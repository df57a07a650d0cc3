"""The forms of security: to let somebody in again, and to say whose an account is."""

from __future__ import annotations

from bot.chat.actions.open_form import FormOpener
from bot.chat.forms import security
from bot.chat.interaction import Interaction
from bot.chat.views import home_view
from workflows.core import keys
from workflows.core.identity import AccountId
from workflows.core.people import PersonFacts, PersonId
from workflows.core.records.person import PersonRecord
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import break_glass_suspended
from workflows.usecases.identity.confirm_account import groups_needed_to_confirm, held_account, may_confirm
from workflows.usecases.oversight.unblock import may_unblock
from workflows.usecases.shared.actor import Actor


def open_lift_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For the panic group, while there is something to lift, and never about oneself."""
    actor, whom = _actor(forms, act), PersonId(act.value)
    if actor is None or forms.kept_out(act, may_unblock(actor, whom), "-"):
        return
    snapshot = forms.ctx.ledger.read(keys.person(whom))
    record = snapshot.get(keys.person(whom), PersonRecord)
    if record is None or break_glass_suspended(actor.policy, record, snapshot.now) is None:
        name = record.name if record else act.value
        forms.refuse(act, Refused(Code.NOTHING_TO_LIFT, {"name": name}, audited=False), "-")
        return
    drawn = security.lift_form(home_view.barred(record, actor.person.id, snapshot.now))
    forms.open(act, trigger, drawn, f"lift {whom} REASON")


def open_confirm_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For the panic group, while the account is on hold, and never about oneself."""
    actor = _actor(forms, act)
    if actor is None:
        return
    held = held_account(forms.ctx, AccountId(act.value))
    if held is None:
        forms.refuse(act, Refused(Code.NOTHING_TO_CONFIRM, audited=False), "-")
        return
    if forms.kept_out(act, may_confirm(actor, held), "-"):
        return
    typed = f"person confirm {held.suspended.address or held.account.address or 'WHO'} same REASON"
    forms.open(act, trigger, security.confirm_form(held, forms.ctx.ledger.now()), typed)


def _actor(forms: FormOpener, act: Interaction) -> Actor | None:
    person: PersonFacts | None = forms.person(act)
    if person is None:
        return None
    policy = forms.ctx.policy.current()
    return Actor(policy, person, forms.groups(policy, groups_needed_to_confirm(policy)))
