"""Everything that can be done in chat, in one table: what carries it out, or which form it opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.chat.actions import (
    certification,
    decision_forms,
    drift,
    leavers,
    policy_change,
    pressed,
    request_forms,
    security_forms,
    sent,
)
from bot.chat.actions.acting import Acting
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.reply import Reply
from bot.chat.actions.typed import command_line
from bot.chat.form import Filled
from bot.chat.forms.fields import BREAK_GLASS
from bot.chat.forms.request import Where
from bot.chat.interaction import (
    ACKNOWLEDGE,
    BREAK_GLASS_FORM,
    CERTIFY,
    COMMAND,
    CONFIRM,
    DENY,
    DENY_ALL,
    END,
    EXTEND,
    FLAG,
    FORM,
    GATE_GLASS,
    LESS,
    LIFT,
    PRESS,
    Interaction,
)
from bot.chat.messages import approval_card as cards
from bot.chat.messages import batch, break_glass, holds, home, home_oversight, notices, revoke_all, second_chat
from bot.chat.messages import certification as certification_cards
from bot.chat.messages import drift as drift_cards
from bot.chat.messages import leavers as leavers_card
from bot.chat.messages import policy_change as policy_cards
from bot.chat.messages.gate_card import GATE_GLASS as GATE_GLASS_BUTTON

Carry = Callable[[Acting, Interaction], Reply]
# With what the chat gave to open one form, and the form that stands open under it.
Open = Callable[[FormOpener, Interaction, str, Filled], None]


def nothing(_acting: Acting, _act: Interaction) -> Reply:
    return Reply()


@dataclass(frozen=True, slots=True)
class Handler:
    """`opens`: the form that this act opens; where it opens none, `carry` carries it out."""

    carry: Carry = nothing
    opens: Callable[[FormOpener, Interaction], Open | None] = lambda _forms, _act: None


Form = Callable[[FormOpener, Interaction, str], None]


def _open(form: Form) -> Open:
    return lambda forms, act, trigger, _under: form(forms, act, trigger)


def _opens(form: Form) -> Handler:
    return Handler(opens=lambda _forms, _act: _open(form))


def _ends_anothers(forms: FormOpener, act: Interaction) -> Open | None:
    """What is one's own ends with the press; somebody else's is asked once, and takes a reason."""
    return None if decision_forms.is_own_to_end(forms, act) else _open(decision_forms.open_end_form)


def _reduced_approval(_forms: FormOpener, act: Interaction) -> Open | None:
    """Of the card's menu one choice opens a form."""
    chosen = cards.read_more(act.value)
    if chosen is None or chosen[0] != cards.LESS:
        return None
    return _open(decision_forms.open_reduced_approval_form)


def _ask(forms: FormOpener, act: Interaction, trigger: str) -> None:
    environment, _, role = act.value.partition(" ")
    request_forms.open_request_form(forms, act, trigger, Where(), environment, role or None)


PRESSES: Mapping[str, Handler] = {
    cards.APPROVE: Handler(pressed.press_approve),
    cards.END: Handler(pressed.press_end, _ends_anothers),
    cards.MORE: Handler(pressed.press_more, _reduced_approval),
    cards.DENY: _opens(decision_forms.open_deny_form),
    cards.EXTEND: _opens(decision_forms.open_extend_form),
    cards.WITHDRAW: Handler(pressed.press_withdraw),
    home.ASK: _opens(_ask),
    home_oversight.END_DELEGATION: Handler(pressed.press_end_delegation),
    home_oversight.LIFT: _opens(security_forms.open_lift_form),
    home_oversight.CONFIRM: _opens(security_forms.open_confirm_form),
    notices.DECLINE: Handler(pressed.press_decline),
    cards.AGAIN: _opens(request_forms.open_repeat_form),
    notices.ASK_THEN: _opens(request_forms.open_then_form),
    # As a process of the version before has put it down, without its form.
    break_glass.ACKNOWLEDGE: Handler(pressed.press_acknowledge, _opens(decision_forms.open_acknowledge_form).opens),
    break_glass.FLAG: _opens(decision_forms.open_flag_form),
    GATE_GLASS_BUTTON: _opens(decision_forms.open_gate_glass_form),
    BREAK_GLASS: Handler(opens=lambda _forms, _act: request_forms.open_break_glass_form),
    revoke_all.REVOKE_ALL: Handler(pressed.press_revoke_all),
    revoke_all.CANCEL: Handler(pressed.press_cancel),
    notices.FIRST_TIME: Handler(pressed.press_first_time),
    policy_cards.AGREE: Handler(policy_change.press_agree),
    policy_cards.REFUSE: Handler(policy_change.press_refuse),
    leavers_card.END_ALL: Handler(leavers.press_end_all),
    leavers_card.STILL_HERE: Handler(leavers.press_still_here),
    drift_cards.REMOVE: Handler(drift.press_remove),
    drift_cards.LEAVE: Handler(drift.press_leave),
    certification_cards.ANSWER: _opens(certification.open_certification_form),
    holds.CONFIRM_SAME: Handler(pressed.press_whose),
    holds.CONFIRM_ANOTHER: Handler(pressed.press_whose),
    second_chat.IS_ME: Handler(pressed.press_is_me),
    second_chat.IS_NOT_ME: Handler(pressed.press_is_not_me),
    batch.APPROVE_ALL: Handler(pressed.press_for_all),
    batch.WITHDRAW_ALL: Handler(pressed.press_for_all),
    batch.DENY_ALL: _opens(decision_forms.open_deny_all_form),
}
# By the act's kind: what is typed, and the forms.
OTHERS: Mapping[str, Handler] = {
    COMMAND: Handler(command_line),
    FORM: Handler(sent.request),
    BREAK_GLASS_FORM: Handler(sent.emergency),
    GATE_GLASS: Handler(sent.opened),
    EXTEND: Handler(sent.more_time),
    DENY: Handler(sent.denied),
    DENY_ALL: Handler(sent.denied_all),
    LESS: Handler(sent.lessened),
    END: Handler(sent.ended),
    ACKNOWLEDGE: Handler(sent.acknowledged),
    FLAG: Handler(sent.flagged),
    LIFT: Handler(sent.lifted),
    CONFIRM: Handler(sent.confirmed),
    CERTIFY: Handler(certification.sent),
}


def handler(act: Interaction) -> Handler | None:
    """None for a press on what is none of ours, a link for one. Raises KeyError for a kind that nobody sends."""
    return PRESSES.get(act.action) if act.kind == PRESS else OTHERS[act.kind]


def carry(act: Interaction) -> Carry:
    found = handler(act)
    return found.carry if found else nothing
