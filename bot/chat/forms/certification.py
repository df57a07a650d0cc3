"""The form in which an owner says of some items whether they stay, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.chat.form import Choice, Field, Filled, Form, Select, Several
from bot.chat.forms.fields import REASON, reason_input
from bot.chat.interaction import CERTIFY
from bot.chat.message import Line
from bot.chat.rich import lines, ours, say, short
from bot.chat.text import cut
from bot.chat.wording.certification import AGAINST
from workflows.core.records.certification import CertificationPart, Item, ItemKind, Verdict
from workflows.core.refusal import Code

ITEMS, SAID = "items", "said"
_LABEL_LENGTH_MAX = 70
PART = re.compile(r"[1-9][0-9]{0,8}-[1-9][0-9]{0,8}")
_KINDS = {ItemKind.ROLE: "role ", ItemKind.PERSON: "", ItemKind.STANDING: "access of "}


def certification_form(part: CertificationPart, items: Sequence[Item]) -> Form:
    """`items`: those for which the reader may answer; what is not answered yet stands first."""
    ordered = sorted(items, key=lambda item: (item.answer is not None, item.number))
    line = say("*Who and what stays in {}?*", short(part.title, 80))
    own = ours("Somebody else answers for you.") if len(items) < len(part.items) else ()
    verdicts = [Choice("It stays", Verdict.KEEP.value), Choice("It goes", Verdict.REMOVE.value)]
    label = "Why? Needed for what goes, and for what stays though ⚠️ stands before it."
    return Form(
        CERTIFY,
        "Certification",
        "Send",
        (
            Line(lines(one for one in (line, own) if one)),
            Field(
                ITEMS,
                "Which ones",
                Several([_choice(item) for item in ordered], len(ordered)),
                (part.id,),
                optional=False,
            ),
            Field(SAID, "What becomes of them", Select(verdicts, shown=True), optional=False),
            reason_input(label=label, optional=True),
        ),
        part.id,
    )


def _choice(item: Item) -> Choice:
    sign = "⚠️ " if item.against else ""
    said = {Verdict.KEEP: " (stays)", Verdict.REMOVE: " (goes)"}[item.answer.verdict] if item.answer else ""
    against = f": {', '.join(AGAINST[one] for one in item.against)}" if item.against else ""
    label = f"{sign}{item.number} · {_KINDS[item.kind]}{item.name}"
    return Choice(f"{cut(label, _LABEL_LENGTH_MAX - len(said) - len(against))}{against}{said}", str(item.number))


def read_certification(filled: Filled) -> dict[str, str] | None:
    said = filled.chosen(SAID)
    if said not in set(Verdict) or PART.fullmatch(filled.carries) is None:
        return None
    reason = " ".join(filled.text(REASON).split())
    return {"part": filled.carries, "items": ",".join(filled.several(ITEMS)), "said": said, "reason": reason}


def numbers_in(text: str) -> tuple[int, ...]:
    """`1,4,7`; none where something of it is no number."""
    words = [word for word in text.split(",") if word]
    fine = all(word.isascii() and word.isdigit() and len(word) < 7 for word in words)
    return tuple(dict.fromkeys(map(int, words))) if fine else ()


def certification_field_of(code: Code) -> str:
    """Beside which field a refusal stands."""
    return REASON if code in (Code.REASON_MISSING, Code.REASON_TOO_LONG) else ITEMS
