"""Draws messages as Adaptive Cards, within what Teams takes.

What somebody wrote, and every name, stands in TextRuns alone, which know no markup: see `bot.teams.cards.text`. There is no
`fallbackText` and no `speak`: Teams shows neither of a card that it can draw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.chat.message import Line, Message, Part
from bot.teams.cards import elements as e
from bot.teams.cards import text as t
from bot.teams.cards.elements import Element
from bot.teams.cards.parts import Drawing, is_list
from bot.teams.cards.sentences import plain_of

# Teams takes 100 KB for a message with all that is around its card, and asks to stay under 80
# (learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages).
CARD_BYTES_MAX = 80_000
# For the notification.
SUMMARY_LENGTH_MAX = 400
# Of a message without parts, in characters.
TEXT_LENGTH_MAX = 4000
# What stands around the elements: the card itself, and who is called in it.
_AROUND_BYTES = 4000
# Where a line ends that does not end a sentence, and the next one is no item of a list: on one line nobody would see it.
_LINE_END = re.compile(r"(?<=[^\s.:!?…])\n(?=[^\s•])")


def summary_of(message: Message) -> str:
    """What the notification and a list of chats show: words alone, on one line, times in UTC."""
    return t.quiet(_LINE_END.sub(" · ", plain_of(message.summary)), SUMMARY_LENGTH_MAX, "prodaccess")


def card_of(message: Message, bytes_max: int = CARD_BYTES_MAX) -> Element:
    """The fullest version that has room. `bytes_max`: of the card, in UTF-16."""
    versions = (message.parts or (Line(message.summary, length_max=TEXT_LENGTH_MAX),), *message.shorter)
    for parts in versions:
        card = _card(parts, bytes_max)
        if e.weight(card) <= bytes_max:
            return card
    return _cut(card, bytes_max)


def _card(parts: Sequence[Part], bytes_max: int) -> Element:
    drawing = Drawing()
    card = e.card(drawing.all(parts, bytes_max - _AROUND_BYTES))
    entities = drawing.mentions.entities()
    beside = ({"entities": entities} if entities else {}) | ({"width": "Full"} if is_list(parts) else {})
    return card | ({"msteams": beside} if beside else {})


def _cut(card: Element, bytes_max: int) -> Element:
    """From its top, as much as has room. What is missing is on the record."""
    end = e.words("… and more, which has no room here.")
    left = bytes_max - e.weight(card | {"body": [end]})
    kept: list[Element] = []
    for element in card["body"]:
        left -= e.weight(element) + 2
        if left < 0:
            break
        kept.append(element)
    return card | {"body": [*kept, end]}
