"""The card by which owners let a pipeline go on, in every state. Approve, deny, calls and receipts are those of any other ask."""

from __future__ import annotations

from bot.chat.message import Button, Line, Message, Small, buttons, fields, message, quote
from bot.chat.messages.approval_card import (
    approve_button,
    danger_lines,
    deny_button,
    fallback,
    later_buttons,
    said,
    small_print,
    ticket,
    top,
    value,
)
from bot.chat.rich import NOTHING, Code, Link, Mentions, Rich, lines, say, short
from bot.chat.views import gate_lines as gates
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Stage

# action_id of what can be pressed.
GATE_GLASS = "gate_glass"


def gate_card(view: RequestView, mentions: Mentions | None = None, *, to_owner: bool = False) -> Message:
    """`mentions`: whom to call, by group name; only a waiting card calls anybody. `to_owner`: one of them alone reads it."""
    if view.stage is not Stage.WAITING:
        return message(
            fallback(view),
            Line(top(view)),
            quote(view.reason),
            fields(_given(view)),
            later_buttons(view, to_owner=to_owner),
            Small(small_print(view)),
        )
    can_press = view.resolved and view.in_policy and view.decidable and bool(view.needs)
    agree = approve_button(view) if view.can_approve else None
    return message(
        fallback(view),
        Line(top(view, mentions)),
        quote(view.reason),
        fields([*gate_details(view), ("Ticket", ticket(view))]),
        _warnings(view),
        buttons(*((agree, deny_button(view)) if can_press else ()), None if to_owner else break_button(view)),
        Small(small_print(view)),
    )


def break_button(view: RequestView) -> Button | None:
    """Opens a form. Also where nobody can approve it just now: a freeze stops nobody in an emergency. Who may not is told so."""
    offered = view.resolved and view.in_policy and view.can_break
    told = said(view, "Open in an emergency:")
    return Button("Break glass...", GATE_GLASS, value(view), style="danger", said=told) if offered else None


def gate_details(view: RequestView) -> list[tuple[str, Rich]]:
    """What its token proves, with links made of that alone; and, marked so, what somebody typed in the job."""
    gate = view.gate
    if gate is None:
        return []
    run = gate.run
    return [
        ("Commit", _linked(gates.differences(run), f"{gates.commit(gate)}: differences")),
        ("Run", _linked(gates.run_page(run), gates.run_words(run))),
        ("Branch", say("{}", Code(say("{}", short(run.ref.removeprefix("refs/heads/"), 120)))) if run.ref else NOTHING),
        ("Begun", say("{}", short(gates.begun_by(gate), 300))),
        ("Typed", say("{}", short(gate.url, 200))),
        *_given(view),
    ]


def _given(view: RequestView) -> list[tuple[str, Rich]]:
    """What the pipeline's own role has by it."""
    given = gates.given(view.gives)
    return [("Gives", say("{}", short(given, 200)))] if given else []


def _linked(address: str, words: str) -> Rich:
    return (Link(address, words),) if address else say("{}", words)


def _warnings(view: RequestView) -> Line | None:
    """Why more must agree; and what else to know before pressing."""
    more = gates.one_more(view.gate) if view.gate is not None else ""
    other = danger_lines(view)
    told = [say("⚠️ {}", more)] if more else []
    return Line(lines([*told, *([other.text] if other else [])])) if told or other else None
