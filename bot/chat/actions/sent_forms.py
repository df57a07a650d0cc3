"""What each form brings back: how it is read, which act it is, and beside which field a refusal stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.chat import plain_text
from bot.chat.actions.reply import Reply
from bot.chat.form import Errors, Filled
from bot.chat.forms import break_glass, certification, extension, reason, reduced_approval, request, security
from bot.chat.forms.fields import REASON
from bot.chat.forms.request import Where
from bot.chat.interaction import (
    ACKNOWLEDGE,
    BREAK_GLASS_FORM,
    CERTIFY,
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
)
from workflows.core.refusal import Code


@dataclass(frozen=True, slots=True)
class Sent:
    """`fields`: of the act, by name. `where`: where the form was asked for."""

    fields: dict[str, str]
    where: Where = field(default_factory=Where)


@dataclass(frozen=True, slots=True)
class SentForm:
    """`act`: its kind. `read`: what is wrong with it, by field, in place of what was sent; None where it is none of ours."""

    act: str
    read: Callable[[Filled], Sent | Errors | None]
    beside: Callable[[Reply], Errors]
    # Whether the actor hears what came of it in words of their own: no card of theirs changes in place.
    tells: bool = False
    # Whether the form under it has nothing left to ask.
    closes_all: bool = False


def _asked(found: request.FormAsk | Errors) -> Sent | Errors:
    if not isinstance(found, request.FormAsk):
        return found
    ask = found.ask
    places, roles = ",".join((ask.environment, *found.places)), ",".join((ask.role, *found.more))
    fields = {"environment": places, "role": roles, "reason": ask.reason, "ticket": ask.ticket or ""}
    fields |= {request.FOR: found.holder} if found.holder else {}
    if ask.duration is not None:
        fields["duration_s"] = str(int(ask.duration.total_seconds()))
    if ask.start_at is not None:
        fields["start_at"] = str(int(ask.start_at.timestamp()))
    return Sent(fields, found.where)


def _reason(found: Filled) -> Sent | None:
    read = reason.read_reason(found)
    return Sent({"id": read[0], "reason": read[2]}) if read else None


def _fields(read: Callable[[Filled], dict[str, str] | None]) -> Callable[[Filled], Sent | None]:
    def found(filled: Filled) -> Sent | None:
        fields = read(filled)
        return Sent(fields) if fields is not None else None

    return found


# ---------------------------------------------------------------- where a refusal stands


def _said(reply: Reply) -> Sequence[tuple[Code, str]]:
    """Each slip with its own sentence, for the fields of a form."""
    said = reply.said or ([(reply.refused.code, _sentence(reply))] if reply.refused else [])
    return [(code, request.SAY_WHY if code is Code.REASON_MISSING else sentence) for code, sentence in said]


def _sentence(reply: Reply) -> str:
    """What a refusal says, for the field of a form."""
    return plain_text.text_of(reply.message.summary) if reply.message else ""


def _each(field_of: Callable[[Code], str]) -> Callable[[Reply], Errors]:
    return lambda reply: request.beside_fields(_said(reply), field_of)


def _at_reason(reply: Reply) -> Errors:
    return {REASON: _sentence(reply)}


def _reduced_approval(reply: Reply) -> Errors:
    return {reduced_approval.field_of(reply.refused.code): _sentence(reply)} if reply.refused else {}


def _certified(reply: Reply) -> Errors:
    return {certification.certification_field_of(reply.refused.code): _sentence(reply)} if reply.refused else {}


SENT: Mapping[str, SentForm] = {
    request.REQUEST_FORM: SentForm(
        FORM, lambda found: _asked(request.read(found)), _each(request.field_of), tells=True
    ),
    BREAK_GLASS_FORM: SentForm(
        BREAK_GLASS_FORM,
        lambda found: _asked(break_glass.read_break_glass(found)),
        _each(break_glass.break_glass_field_of),
        tells=True,
        closes_all=True,
    ),
    reason.ACKNOWLEDGE_FORM: SentForm(ACKNOWLEDGE, _reason, _at_reason),
    reason.FLAG_FORM: SentForm(FLAG, _reason, _at_reason),
    GATE_GLASS: SentForm(GATE_GLASS, _reason, _at_reason, tells=True),
    reason.DENY_FORM: SentForm(DENY, _reason, _at_reason),
    reason.DENY_ALL_FORM: SentForm(DENY_ALL, _reason, _at_reason),
    reason.END_FORM: SentForm(END, _reason, _at_reason),
    LIFT: SentForm(LIFT, _fields(security.read_lift), _at_reason, tells=True),
    CONFIRM: SentForm(CONFIRM, _fields(security.read_confirm), _at_reason, tells=True),
    CERTIFY: SentForm(CERTIFY, _fields(certification.read_certification), _certified),
    reduced_approval.LESS_FORM: SentForm(LESS, _fields(reduced_approval.read), _reduced_approval),
    extension.EXTEND_FORM: SentForm(EXTEND, _fields(extension.read), _each(extension.field_of), tells=True),
}
