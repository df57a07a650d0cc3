"""Finding secrets in what is about to be written, by their shape and by their value, and hiding them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"

KNOWN_CHARS_MIN = 6
"""Shorter values stand in ordinary words, too, and hiding them would spoil the log and give them away."""

DEPTH_MAX = 6
TEXT_CHARS_MAX = 16_000
CUT_MARGIN_CHARS = 4_000
"""A secret that lies across the cut is seen whole, because this much more is searched than is kept."""

# Lengths are bounded, so that a long word without an end costs no more than its length.
_TELLING = (
    r"(?:(?:password|passwd|secret|signature|authorization|credential|cookie|session[_-]?token"
    r"|security-token|access[_-]?token|refresh[_-]?token|bot[_-]?token|app[_-]?token|api[_-]?key|private[_-]?key)"
    r"[\w-]{0,24}|\btoken)"
)
# `name=value`, `name: value`, `'name': b'value'`; a quote may be escaped, where JSON stands in JSON.
_SAID = rf"(?i)({_TELLING}\\{{0,4}}[\"']?\s{{0,5}}[:=]\s{{0,5}}"
_QUOTES = (r"b?\\{0,4}\"", r"b?\\{0,4}'")

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|\Z)", HIDDEN),
        (r"\bxox[a-z](?:\.xox[a-z])?-[\w-]+", HIDDEN),
        (r"\bxapp-[\w-]+", HIDDEN),
        (r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\b", HIDDEN),
        (r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?", HIDDEN),
        # All of the header: credential, signed headers and signature stand on one line.
        (r"AWS4-HMAC-SHA256[^\"'\r\n}]*", HIDDEN),
        (r"(?i)\bhttps://hooks\.slack\.com/[^\s\"'<>\\)]+", HIDDEN),
        (
            r"(?i)\bhttps://[\w.-]{0,200}(?:webhook\.office|logic\.azure|powerplatform|powerautomate)\.(?:com|us|cn)[^\s\"'<>\\)]*",
            HIDDEN,
        ),
        # Up to the last @ of the word, because a password may hold one, and a slash, too.
        (r"(?i)\b(rediss?://)[^\s\"']{0,500}@", rf"\1{HIDDEN}@"),
        (r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/\"']{0,500}@", rf"\1{HIDDEN}@"),
        (r"(?i)(authorization\\{0,4}[\"']?\s{0,5}[:=]\s{0,5}(?:b?\\{0,4}[\"'])?)[^\r\n\"'}]+", rf"\1{HIDDEN}"),
        (r"(?i)\b(Bearer|Basic)(\s)[\w.~+/-]{16,}=*", rf"\1\2{HIDDEN}"),
        (rf"(?i)([?&][\w-]{{0,24}}(?:sig|key|code|ticket|{_TELLING})=)[^&\s\"'<>]+", rf"\1{HIDDEN}"),
        (rf"(?i)(<([\w-]{{0,24}}{_TELLING})>)[^<]*(</\2>)", rf"\1{HIDDEN}\3"),
    )
)
_SAID_SHAPES = (
    *(re.compile(rf"{_SAID}{quote})[^{quote[-1]}]+") for quote in _QUOTES),
    re.compile(rf"{_SAID})(?!\[hidden\])[^\s\"',;&}}\])\\]+"),
)
_TELLING_NAME = re.compile(rf"[\w-]*{_TELLING}", re.IGNORECASE)


class Redactor:
    """Hides secrets by shape, and the given values wherever they stand; a signing secret has no shape of its own."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        self.hide(known)

    def hide(self, known: Iterable[str]) -> None:
        """These, too, from now on. What was hidden once stays hidden."""
        found = {form for value in known if len(value) >= KNOWN_CHARS_MIN for form in _forms(value)}
        with self._lock:
            if found <= self._values:
                return
            self._values |= found
            # The longest first, so that an address is hidden whole before the password in it.
            alternatives = "|".join(re.escape(value) for value in sorted(self._values, key=len, reverse=True))
            self._known = re.compile(alternatives)

    def text(self, text: str) -> str:
        if len(text) <= TEXT_CHARS_MAX:
            return self._clean(text)
        return self._clean(text[: TEXT_CHARS_MAX + CUT_MARGIN_CHARS])[:TEXT_CHARS_MAX] + f"... ({len(text)} characters)"

    def _clean(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern, instead in _SHAPES:
            text = pattern.sub(instead, text)
        # These cost more than all others together, and most texts need none of them.
        for pattern in _SAID_SHAPES if ":" in text or "=" in text else ():
            text = pattern.sub(rf"\1{HIDDEN}", text)
        return text

    def value(self, value: object, depth: int = 0) -> Any:
        """The same value without secrets, made of plain types only: numbers, text, lists, mappings."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode("utf-8", "replace"))
        if isinstance(value, Mapping) and depth < DEPTH_MAX:
            return {self.text(str(key)): self._entry(key, each, depth) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < DEPTH_MAX:
            return [self.value(each, depth + 1) for each in value]
        return self.text(value if isinstance(value, str) else repr(value))

    def _entry(self, key: object, value: object, depth: int) -> Any:
        """An entry named `password` is hidden whatever it looks like; numbers and what is empty tell nothing."""
        if isinstance(value, str | bytes) and value and _TELLING_NAME.fullmatch(str(key)):
            return HIDDEN
        return self.value(value, depth + 1)


def _forms(value: str) -> tuple[str, ...]:
    """As it is, in an address, and in a `repr` or JSON."""
    return value, quote(value, safe=""), repr(value)[1:-1], value.replace("\\", "\\\\").replace('"', '\\"')
