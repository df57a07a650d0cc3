"""Text for Teams. The one place where what people wrote is made harmless, and where our own times are written for each clock.

What Microsoft's renderer does with text (npm `adaptivecards` 3.0.6, src/card-elements.ts and text-formatters.ts; for Teams
learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format):

- `TextBlock.text`, `Fact.title`, `Fact.value`, an input's `errorMessage`, and `Choice.title` where all choices are shown:
  markdown, and `{{DATE()}}` and `{{TIME()}}` are replaced.
- `TextRun.text` and an input's `label`: no markdown; the two functions are replaced there, too.
- `Action.title`, `tooltip`, `placeholder`, `Choice.title` of a menu: plain.
- `<at>` in TextBlock and FactSet calls somebody, and Teams counts the tags of a card.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.chat.text import cut, far, one_line
from bot.chat.wording.labels import Exactly, Moment

# Seen by nobody, and it separates: none of the signs around it is what it was.
_JOINER = "\u200d"
# The two functions, and the tag of a mention. At the end of a text, what follows may be anything.
_ACTIVE = re.compile(r"\{(?=\{|$)|<(?=\s*/?\s*at\b|$)", re.IGNORECASE)


def inert(text: str) -> str:
    """What somebody wrote, for a TextRun: on one line, shown as it is, and neither a function nor a mention of Teams.

    Blanks at its ends stay, as one: they separate it from its neighbours.
    """
    shown = one_line(text)
    if not shown:
        return " " * bool(text)
    lead, tail = (" " * edge.isspace() for edge in (text[:1], text[-1:]))
    return lead + _ACTIVE.sub(lambda found: found[0] + _JOINER, shown) + tail


# Markdown has escapes, but a menu would show them: look-alikes are right in both.
_LOOKALIKES = str.maketrans({"`": "ˋ", "*": "∗", "~": "∼", "\\": "∖"})
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# A link, a tag, an entity; and what makes a line an item of a list, a heading or a quote.
_JOINED = re.compile(r"\](?=[(\[])|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])")
_LINE_SIGN = re.compile(r"^(?=[-+#>=|]|[0-9]+[.)])")


def quiet(text: str, length_max: int, otherwise: str = "–") -> str:
    """For titles, choices, placeholders and the notification: right where it is read as markdown, and where it is not."""
    shown = _EDGE_UNDERSCORE.sub("ˍ", inert(cut(one_line(text), length_max)).translate(_LOOKALIKES))
    joined = _JOINED.sub(lambda found: found[0] + _JOINER, shown)
    return _LINE_SIGN.sub(_JOINER, joined) or otherwise


# ---------------------------------------------------------------- time


def when(moment: Moment, reference: datetime, *, with_day: bool = False) -> str:
    """The reader's own clock; the day, too, where it is far from `reference`.

    The function has no seconds. They are the same in every zone, so they are told beside it
    (learn.microsoft.com/adaptive-cards/authoring-cards/text-features#datetime-function-rules: no fractions, `Z` or an offset).
    """
    at, seconds = (moment.at, True) if isinstance(moment, Exactly) else (moment, False)
    written = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:00Z}"
    day = f"{{{{DATE({written}, SHORT)}}}}, " if with_day or far(moment, reference) else ""
    told = f" and {at.second} s" if seconds and at.second else ""
    return f"{day}{{{{TIME({written})}}}}{told}"


# ---------------------------------------------------------------- people


_NO_NAME = re.compile(r"[<>&\"{}]")
NAME_LENGTH_MAX = 80
NOBODY_BY_NAME = "this person"


def name_in_tag(name: str) -> str:
    """As it can stand in `<at>`: it closes no tag, opens none, and formats nothing."""
    return quiet(_NO_NAME.sub("", name), NAME_LENGTH_MAX, NOBODY_BY_NAME)


# ---------------------------------------------------------------- size


def size_of(text: str) -> int:
    """In bytes, as Teams counts: of UTF-16 (learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages)."""
    return len(text.encode("utf-16-le", "surrogatepass"))
