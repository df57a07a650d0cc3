"""The form in which an approver agrees to less than was asked for: a shorter time, or a role of less risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.chat.forms.fields import DURATION, OPTIONS_MAX, ROLE, field, modal, option
from bot.chat.forms.request import element
from bot.chat.messages.approval_card import headline
from bot.chat.views.request_view import RequestStory
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement
from workflows.core.refusal import Code

LESS_FORM = "less_form"


def less_form(
    story: RequestStory, value: str, roles: Sequence[Entitlement], times: Sequence[timedelta]
) -> dict[str, Any]:
    """`value`: the button's, whose terms are agreed to or cut. `roles` and `times`: what may be given, none of it empty."""
    asked = f"Asked: *{t.literal(story.role, 80)}* for {format_duration(story.duration)}. Nothing more can be given."
    return modal(
        LESS_FORM,
        "Approve for less",
        "Approve",
        value[:2000],
        [b.section(f"{headline(story)}\n{asked}"), _role(roles), _time(times)],
    )


def _role(roles: Sequence[Entitlement]) -> dict[str, Any]:
    options = [
        option(role.role, role.role) | {"description": b.plain_text(role.allows, 75)} for role in roles[:OPTIONS_MAX]
    ]
    return field(ROLE, "Role", _menu(ROLE, options))


def _time(times: Sequence[timedelta]) -> dict[str, Any]:
    options = [option(format_duration(time), str(int(time.total_seconds()))) for time in times[:OPTIONS_MAX]]
    return field(DURATION, "How long", _menu(DURATION, options))


def _menu(action_id: str, options: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "static_select", "action_id": action_id, "options": options, "initial_option": options[0]}


def read(view: Mapping[str, Any]) -> dict[str, str] | None:
    """`id`, `role`, `duration_s` and, where the button had them, `terms`; None where its metadata is none of ours."""
    found = b.read_value(view.get("private_metadata") or "")
    role, seconds = (_chosen(view, name) for name in (ROLE, DURATION))
    if found is None or not role or not (seconds.isascii() and seconds.isdigit()):
        return None
    fields = {"id": found[0], "role": role, "duration_s": seconds}
    return fields | ({"terms": found[1]} if found[1] else {})


def _chosen(view: Mapping[str, Any], action_id: str) -> str:
    return str((element(view, action_id).get("selected_option") or {}).get("value") or "")


_TIMES = frozenset({Code.NOT_LESS, Code.DURATION_TOO_LONG, Code.DURATION_ZERO})


def errors(code: Code, sentence: str) -> dict[str, str]:
    """A refusal beside the field that it is about."""
    return {DURATION if code in _TIMES else ROLE: t.cut(sentence.replace("`", ""), 1000)}
