"""Choosing names: by number from a short list, by a part of the name from a long one, by hand where none are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.setup.aws import Listed
from bot.setup.questions.asker import SHOWN_MAX, Asker, Question, Slip, again

# How a name that was typed becomes the one that is meant. Raises Slip.
Read = Callable[[str], str]


def pick(asker: Asker, question: Question, listed: Listed, by_hand: Read) -> str:
    """One name. `by_hand`: for what stands in no list."""
    return _asked(asker, question, listed, by_hand, one=True)[0]


def pick_several(asker: Asker, question: Question, listed: Listed, by_hand: Read) -> list[str]:
    return _asked(asker, question, listed, by_hand, one=False)


def _asked(asker: Asker, question: Question, listed: Listed, by_hand: Read, *, one: bool) -> list[str]:
    names = listed.names if listed.known else ()
    asker.say(f"\n{question.text}{_shown(names, listed)}")
    offer = _Offer(asker, names, by_hand, one)
    return again(asker, lambda: offer.read(asker.line(question.default).strip()))


def _shown(names: Sequence[str], listed: Listed) -> str:
    if not names:
        return ""
    if len(names) <= SHOWN_MAX:
        return f"\n{numbered(names)}"
    more = "" if listed.whole else " at least"
    return f"\n  There are {len(names)}{more}: type a name, or a part of one to see which there are."


def numbered(names: Sequence[str]) -> str:
    return "\n".join(f"  {number:>2}  {_printable(name)}" for number, name in enumerate(names, start=1))


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name)


class _Offer:
    """The numbers mean the names that were shown last."""

    def __init__(self, asker: Asker, names: Sequence[str], by_hand: Read, one: bool) -> None:
        self._asker, self._names, self._by_hand, self._one = asker, names, by_hand, one
        self._shown = names if len(names) <= SHOWN_MAX else ()

    def read(self, text: str) -> list[str]:
        parts = [part.strip() for part in text.split(",")] if text not in self._names else [text]
        parts = [part for part in parts if part]
        if not parts or (self._one and len(parts) > 1):
            raise Slip("Name one of them." if self._one else "Name at least one of them.")
        return list(dict.fromkeys(self._one_of(part) for part in parts))

    def _one_of(self, text: str) -> str:
        if text in self._names:
            return text
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(self._shown):
            return self._shown[int(text) - 1]
        like = [name for name in self._names if text.casefold() in name.casefold()]
        if not like:
            return self._unlisted(text)
        exact = [name for name in like if name.casefold() == text.casefold() or name.split(" ")[0] == text]
        if len(exact) == 1 or len(like) == 1:
            return (exact or like)[0]
        raise Slip(self._several(text, like))

    def _unlisted(self, text: str) -> str:
        """What was read may be old, or not all; but a slip of the finger is likelier, so it has to be said twice."""
        found = self._by_hand(text)
        if self._names and text != self._insisted:
            self._insisted = text
            raise Slip(f"AWS names none like {text!r}. Type it once more if it is right.")
        return found

    _insisted = ""

    def _several(self, text: str, like: Sequence[str]) -> str:
        self._shown = like[:SHOWN_MAX]
        rest = f"\n  and {len(like) - SHOWN_MAX} more: type more of the name." if len(like) > SHOWN_MAX else ""
        return f"{len(like)} have {text!r} in their name. Which?\n{numbered(self._shown)}{rest}"
