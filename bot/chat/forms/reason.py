"""Small forms that ask for a reason: to deny a request, to end somebody's access, to flag a break-glass."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.form import Filled, Form
from bot.chat.forms.fields import REASON, reason_input
from bot.chat.message import Line, read_value
from bot.chat.messages import batch as several
from bot.chat.messages.approval_card import headline, status
from bot.chat.rich import Rich, lines
from bot.chat.views.request_view import RequestView

DENY_FORM, END_FORM, FLAG_FORM = "deny_form", "end_form", "flag_form"
DENY_ALL_FORM, ACKNOWLEDGE_FORM = "deny_all_form", "acknowledge_form"


def deny_form(view: RequestView, value: str) -> Form:
    """`value`: the button's. The person who asked reads the reason."""
    label = "Why not? The person who asked reads this."
    return _reason_form(DENY_FORM, "Deny", value, headline(view), label, optional=False)


def deny_all_form(views: Sequence[RequestView], value: str) -> Form:
    """For all on a card that was asked for in one go."""
    label = "Why not? The person who asked reads this."
    return _reason_form(DENY_ALL_FORM, "Deny all", value, several.headline(views), label, optional=False)


def end_form(view: RequestView, value: str) -> Form:
    """Of somebody else's access: asked once, with who has what, where and until when. What is typed may leave the reason out."""
    line = lines((headline(view), status(view, left=True)))
    return _reason_form(END_FORM, "End access", value, line, "Why? The holder reads this.", optional=False)


def acknowledge_form(view: RequestView, value: str) -> Form:
    label = "A note, if there is something to say. Everybody on the card reads it."
    return _reason_form(ACKNOWLEDGE_FORM, "Acknowledge", value, headline(view), label, optional=True)


def flag_form(view: RequestView, value: str) -> Form:
    label = "What was not right? Security and the holder read this."
    return _reason_form(FLAG_FORM, "Flag", value, headline(view), label, optional=False)


def _reason_form(kind: str, title: str, value: str, line: Rich, label: str, *, optional: bool) -> Form:
    return Form(kind, title, title, (Line(line), reason_input(label=label, optional=optional)), value)


def read_reason(filled: Filled) -> tuple[str, str | None, str] | None:
    """(id, terms hash, reason) of a `deny_form` or `end_form`; None where it carries nothing of ours."""
    found = read_value(filled.carries)
    return (*found, " ".join(filled.text(REASON).split())) if found else None
