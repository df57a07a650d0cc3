"""Small forms that ask for a reason: to deny a request, to end somebody's access, to flag a break-glass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.chat.forms.fields import REASON, field, modal, text_element
from bot.chat.forms.request import typed_text
from bot.chat.messages import batch as several
from bot.chat.messages.approval_card import headline
from bot.chat.views.request_view import RequestStory
from bot.slack import blocks as b
from workflows.core.rules.eligibility import REASON_LENGTH_MAX

DENY_FORM, END_FORM, FLAG_FORM = "deny_form", "end_form", "flag_form"
DENY_ALL_FORM = "deny_all_form"


def deny_form(story: RequestStory, value: str) -> dict[str, Any]:
    """`value`: the button's. The person who asked reads the reason."""
    label = "Why not? The person who asked reads this."
    return _reason_form(DENY_FORM, "Deny", value, headline(story), label, optional=False)


def deny_all_form(stories: Sequence[RequestStory], value: str) -> dict[str, Any]:
    """For all on a card that was asked for in one go."""
    label = "Why not? The person who asked reads this."
    return _reason_form(DENY_ALL_FORM, "Deny all", value, several.headline(stories), label, optional=False)


def end_form(story: RequestStory, value: str) -> dict[str, Any]:
    return _reason_form(END_FORM, "End access", value, headline(story), "Why? The holder reads this.", optional=True)


def flag_form(story: RequestStory, value: str) -> dict[str, Any]:
    label = "What was not right? Security and the holder read this."
    return _reason_form(FLAG_FORM, "Flag", value, headline(story), label, optional=False)


def _reason_form(callback_id: str, title: str, value: str, line: str, label: str, *, optional: bool) -> dict[str, Any]:
    element = text_element(REASON, multiline=True, max_length=REASON_LENGTH_MAX)
    blocks = [b.section(line), field(REASON, label, element, optional=optional)]
    return modal(callback_id, title, title, value[:2000], blocks)


def read_reason(view: Mapping[str, Any]) -> tuple[str, str | None, str] | None:
    """(id, terms hash, reason) of a `deny_form` or `end_form`; None where its metadata is none of ours."""
    found = b.read_value(view.get("private_metadata") or "")
    return (*found, " ".join((typed_text(view, REASON) or "").split())) if found else None
