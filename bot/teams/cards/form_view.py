"""Draws a form as a card with inputs. It stands in the personal chat, where only its reader sees what is filled in.

An input's id holds what its choices depend on, so that what belongs to another choice is dropped, and the reason that was typed
before is kept. A form may be open while a new version starts: ids stay what they are.

A card does not follow what is chosen in it. A form that does has a button of its own for it, **Continue**, which draws it again
with what is filled in; Teams would let nobody press it while something that it wants is empty, so such a form leaves it to us to
say what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType

from bot.chat.form import Errors, Field, Filled, Form, Select
from bot.teams.cards import elements as e
from bot.teams.cards import form_fields, pressing
from bot.teams.cards.elements import Element
from bot.teams.cards.form_fields import Around
from bot.teams.cards.parts import Drawing
from bot.teams.cards.render import CARD_BYTES_MAX
from workflows.core.dates import zone_of

_NO_ERRORS: Mapping[str, str] = MappingProxyType({})


def form_card(form: Form, errors: Errors = _NO_ERRORS, filled: Filled | None = None, zone: str = "UTC") -> Element:
    """`errors` stand beside their fields; those of fields that are not shown stand at the top. `filled`: what was filled in
    before, which is kept where it still belongs. `zone`: the reader's clock, by its IANA name, for moments.
    """
    known = zone_of(zone).key
    fields = [part for part in form.parts if isinstance(part, Field)]
    follows = any(field.redraws for field in fields)
    around = Around(known, not follows, filled)
    drawing = Drawing(carried=pressing.data_of(form, known))
    shown = {field.name for field in fields}
    top = [
        e.words(f"❌ {said}", color="Attention", weight="Bolder") for name, said in errors.items() if name not in shown
    ]
    body = [e.words(form.title, size="Large", weight="Bolder"), *top]
    for part in form.parts:
        if isinstance(part, Field):
            body += form_fields.drawn(part, errors.get(part.name, ""), around)
        else:
            body += drawing.all([part], CARD_BYTES_MAX)
    card = e.card([*body, *_sent(form, drawing, follows=follows)])
    entities = drawing.mentions.entities()
    return card | ({"msteams": {"entities": entities}} if entities else {})


def _sent(form: Form, drawing: Drawing, *, follows: bool) -> list[Element]:
    """It is sent once everything is chosen that others follow from, so that nobody sends what they have not been shown."""
    data = dict(drawing.carried)
    send = e.execute(form.send, pressing.FORM, data, style="primary", said=f"{form.send}: {form.title}")
    if not follows:
        return [e.action_set([send]) or {}]
    waits = any(_is_open(part) for part in form.parts if isinstance(part, Field))
    said = "Continue: shows what follows from what is chosen"
    redraw = e.execute("Continue", pressing.REDRAW, data, style="primary" if waits else None, said=said)
    how = "Choose above, then press Continue." if waits else _HOW
    hint = e.words(how, size="Small", isSubtle=True)
    return [hint, e.action_set([redraw] if waits else [send, redraw]) or {}]


_HOW = "After another choice above, press Continue: the form then shows what follows from it."


def still_open(form: Form) -> Errors:
    """Beside the first field that others follow from and in which nothing is chosen: for a form that was sent on as it was."""
    names = (part.name for part in form.parts if isinstance(part, Field) and _is_open(part))
    return {name: "Please choose one." for name in islice(names, 1)}


def _is_open(field: Field) -> bool:
    return field.redraws and not field.optional and isinstance(field.element, Select) and field.element.chosen is None
