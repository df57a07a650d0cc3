"""The small form that asks for more time on live access: how long, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.chat.forms.fields import (
    DURATION,
    OPTIONS_MAX,
    REASON,
    TICKET,
    duration_option,
    field,
    modal,
    reason_input,
    ticket_input,
)
from bot.chat.forms.request import element, typed_text
from bot.chat.messages.approval_card import headline
from bot.chat.views.request_view import RequestStory
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from workflows.core.policy import Entitlement
from workflows.core.refusal import Code

EXTEND_FORM = "extend_form"


def extend_form(story: RequestStory, entitlement: Entitlement, times: Sequence[timedelta]) -> dict[str, Any]:
    """`times`: what may be added, the least first, never empty."""
    end = f" It ends {t.when(story.deadline, story.now)} as it stands." if story.deadline else ""
    options = [duration_option(time) for time in times[:OPTIONS_MAX]]
    menu = {"type": "static_select", "action_id": DURATION, "options": options, "initial_option": options[0]}
    blocks = [b.section(f"{headline(story)}.{end}"), field(DURATION, "How much longer", menu), reason_input("")]
    if entitlement.ticket:
        blocks.append(ticket_input(entitlement, story.ticket))
    return modal(EXTEND_FORM, "Ask for more time", "Ask", story.id, blocks)


def read(view: Mapping[str, Any]) -> dict[str, str] | None:
    """`id`, `duration_s`, `reason`, `ticket`; None where its metadata is none of ours."""
    found = b.read_value(view.get("private_metadata") or "")
    seconds = str((element(view, DURATION).get("selected_option") or {}).get("value") or "")
    if found is None or not (seconds.isascii() and seconds.isdigit()):
        return None
    texts = {name: " ".join((typed_text(view, name) or "").split()) for name in (REASON, TICKET)}
    return {"id": found[0], "duration_s": seconds, **texts}


_TIMES = frozenset({Code.TOTAL_TOO_LONG, Code.DURATION_TOO_LONG, Code.DURATION_ZERO, Code.GRANT_OVER})


def errors(code: Code, sentence: str) -> dict[str, str]:
    """A refusal beside the field that it is about."""
    return {DURATION if code in _TIMES else REASON: t.cut(sentence.replace("`", ""), 1000)}
