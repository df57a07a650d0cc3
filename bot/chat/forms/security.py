"""What security says with a reason: that somebody may break the glass again, and whose an account is that is on hold."""

from __future__ import annotations

import json
from datetime import datetime

from bot.chat.carried import read_carried
from bot.chat.form import Choice, Field, Filled, Form, Select
from bot.chat.forms.fields import REASON, reason_input
from bot.chat.interaction import CONFIRM, LIFT
from bot.chat.message import Line, Part, Small
from bot.chat.messages.holds import about, what_follows
from bot.chat.rich import ours, say, short
from bot.chat.views.home_view import Barred
from bot.chat.views.state_lines import stop
from workflows.core.rules.account_confirmation import Held

# The field that says whose the account is, and its two answers.
WHOSE, SAME, ANOTHER = "whose", "same", "another"


def lift_form(barred: Barred) -> Form:
    line = say("*{}* cannot use break-glass: {}", short(barred.name, 100), short(stop(barred.why), 300))
    after = ours("After this they can use break-glass and ask again, as the policy allows.")
    label = "Why may they again? They read this, and so does the receipts channel."
    return Form(
        LIFT, "Lift", "Lift", (Line(line), Small(after), reason_input(label=label, optional=False)), barred.person
    )


def read_lift(filled: Filled) -> dict[str, str] | None:
    return {"person": filled.carries, "reason": _reason(filled)} if filled.carries else None


def confirm_form(held: Held, now: datetime) -> Form:
    """Nothing is marked beforehand: whoever says it has to choose."""
    choices = [Choice("The same person", SAME), Choice("Another person", ANOTHER)]
    parts: tuple[Part | Field, ...] = (
        Line(about(held, now)),
        *(Small(line) for line in what_follows(held)),
        Field(WHOSE, "Whose is this account now?", Select(choices, shown=True), optional=False),
        reason_input(label="What shows it? This stands on the record.", optional=False),
    )
    carries = json.dumps({"a": held.account.account, "h": held.hash})
    return Form(CONFIRM, "Confirm an account", "Confirm", parts, carries)


def read_confirm(filled: Filled) -> dict[str, str] | None:
    """`hash`: of the hold that was shown, so that nothing is said of a later one."""
    found, said = read_carried(filled.carries), filled.chosen(WHOSE)
    account, hash_ = found.get("a"), found.get("h")
    if said not in (SAME, ANOTHER) or not (isinstance(account, str) and isinstance(hash_, str)):
        return None
    return {"account": account, "hash": hash_, "said": said, "reason": _reason(filled)}


def _reason(filled: Filled) -> str:
    return " ".join(filled.text(REASON).split())
