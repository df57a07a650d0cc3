"""Small forms that ask for a reason: to deny a request, to end somebody's access, to flag a break-glass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.chat.form import Filled, Form
from bot.chat.forms.fields import REASON, reason_input
from bot.chat.interaction import GATE_GLASS as GATE_GLASS_FORM
from bot.chat.message import Line, read_value
from bot.chat.messages import batch as several
from bot.chat.messages.approval_card import DENY, END, headline, status
from bot.chat.messages.break_glass import ACKNOWLEDGE, FLAG
from bot.chat.messages.gate_card import GATE_GLASS
from bot.chat.rich import Rich, lines, say, short
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import people

DENY_FORM, END_FORM, FLAG_FORM = "deny_form", "end_form", "flag_form"
DENY_ALL_FORM, ACKNOWLEDGE_FORM = "deny_all_form", "acknowledge_form"


@dataclass(frozen=True, slots=True)
class _Asks:
    """`title`: of the form, and of what sends it."""

    kind: str
    title: str
    label: str
    optional: bool = False

    def form(self, value: str, line: Rich) -> Form:
        field = reason_input(label=self.label, optional=self.optional)
        return Form(self.kind, self.title, self.title, (Line(line), field), value)


# By the action of the button.
_ASKS: Mapping[str, _Asks] = {
    DENY: _Asks(DENY_FORM, "Deny", "Why not? The person who asked reads this."),
    several.DENY_ALL: _Asks(DENY_ALL_FORM, "Deny all", "Why not? The person who asked reads this."),
    END: _Asks(END_FORM, "End access", "Why? The holder reads this."),
    ACKNOWLEDGE: _Asks(
        ACKNOWLEDGE_FORM,
        "Acknowledge",
        "A note, if there is something to say. Everybody on the card reads it.",
        optional=True,
    ),
    FLAG: _Asks(FLAG_FORM, "Flag", "What was not right? Security and the holder read this."),
    GATE_GLASS: _Asks(GATE_GLASS_FORM, "Break glass", "What is the emergency? Everybody reads this."),
}
# What is one's own is ended with the press, so that nothing can be asked before it is known who presses.
_ASKED_IN_PLACE = frozenset({DENY, several.DENY_ALL, ACKNOWLEDGE, FLAG})


def asked_in_place(action: str, value: str) -> Form | None:
    """What a button asks before it counts, for a chat that asks it under the button itself: the form without the line that
    says what it is about, which stands on the card. None where the button asks for no single reason.
    """
    if action not in _ASKED_IN_PLACE:
        return None
    asks = _ASKS[action]
    field = replace(reason_input(label=asks.label, optional=asks.optional), of=(asks.kind, value))
    return Form(asks.kind, asks.title, asks.title, (field,), value)


def deny_form(view: RequestView, value: str) -> Form:
    """`value`: the button's. The person who asked reads the reason."""
    return _ASKS[DENY].form(value, headline(view))


def deny_all_form(views: Sequence[RequestView], value: str) -> Form:
    """For all on a card that was asked for in one go."""
    return _ASKS[several.DENY_ALL].form(value, several.headline(views))


def end_form(view: RequestView, value: str) -> Form:
    """Of somebody else's access: asked once, with who has what, where and until when. What is typed may leave the reason out."""
    return _ASKS[END].form(value, lines((headline(view), status(view, left=True))))


def acknowledge_form(view: RequestView, value: str) -> Form:
    return _ASKS[ACKNOWLEDGE].form(value, headline(view))


def gate_glass_form(view: RequestView, value: str) -> Form:
    """Asked once more before it counts, with what follows."""
    run = "this run of its pipeline goes on, once"
    line = say(
        "You open this gate alone, without an approval: {}. *Everybody sees it*: it is announced in the channels, and the owners "
        "and security are told. Somebody of {} who did not begin the run reviews it afterwards.",
        run,
        short(people(view.owners, "or") or "the owners", 200),
    )
    return _ASKS[GATE_GLASS].form(value, lines((headline(view), line)))


def flag_form(view: RequestView, value: str) -> Form:
    return _ASKS[FLAG].form(value, headline(view))


def read_reason(filled: Filled) -> tuple[str, str | None, str] | None:
    """(id, terms hash, reason) of a `deny_form` or `end_form`; None where it carries nothing of ours."""
    found = read_value(filled.carries)
    return (*found, " ".join(filled.text(REASON).split())) if found else None
