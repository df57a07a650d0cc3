"""What is said while somebody waits: who was asked and when, who was called next, who is away, who decides in their place."""

from __future__ import annotations

from bot.chat.views.deciders import Deciders, few
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Words, joined, people


def notes(view: RequestView) -> Words:
    """For a waiting card's small print; nothing where there is nothing to know."""
    called = (f"escalated to {people(view.escalated_to)} at ", view.escalated_at) if view.escalated_at else ()
    verb = "are" if len(view.away) > 1 else "is"
    away = (f"{people(few(view.away))} {verb} away",) if view.away else ()
    return joined([called, away, *((f"{s.name} decides for {s.instead_of} until ", s.until) for s in view.stand_ins)])


def asked_so_far(view: RequestView, deciders: Deciders) -> Words:
    """`Waits for Olu or Pat since 03:10; reminded at 03:17; security called at 03:20`. `deciders`: who can still agree."""
    if not view.resolved or not deciders or not view.can_approve:
        return ()
    words: Words = (f"Waits for {deciders.rule} since ", view.created_at)
    for number, at in enumerate(view.reminded_at):
        words += ("; reminded at " if number == 0 else ", ", at)
    if view.escalated_at:
        words += (f"; {people(view.escalated_to)} called at ", view.escalated_at)
    return words
