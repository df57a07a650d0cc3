"""The two icons of the app in Teams, drawn: a key whose head is a clock. PNG without any library.

Teams wants one of 192 by 192 in colour, and one of 32 by 32 in white on transparent
(learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache
from math import hypot

COLOR_PX, OUTLINE_PX = 192, 32

# Channels from 0.0 to 1.0: red, green, blue, and how much it covers.
_Pixel = tuple[float, float, float, float]
# How far a point is from what is drawn, in pixels: below zero inside.
_Shape = Callable[[float, float], float]

_NIGHT_TOP, _NIGHT_BOTTOM = (0.157, 0.243, 0.341), (0.086, 0.129, 0.184)
_KEY, _DIAL, _HANDS = (0.956, 0.729, 0.255), (0.973, 0.957, 0.918), (0.086, 0.129, 0.184)
_DIAGONAL = 0.5**0.5


@cache
def color() -> bytes:
    """Drawn once: it takes a third of a second. On a night-blue ground, which fills it: Teams itself rounds the corners."""
    key, dial, hands = (
        _key(COLOR_PX * 0.385, COLOR_PX),
        _disc(COLOR_PX * 0.385, 31.0),
        _hands(COLOR_PX * 0.385, 20.0, 6.0),
    )

    def pixel(x: float, y: float) -> _Pixel:
        down = y / COLOR_PX
        found = tuple(top + (bottom - top) * down for top, bottom in zip(_NIGHT_TOP, _NIGHT_BOTTOM, strict=True))
        for shape, paint in ((key, _KEY), (dial, _DIAL), (hands, _HANDS)):
            share = _covered(shape(x, y))
            found = tuple(under + (over - under) * share for under, over in zip(found, paint, strict=True))
        return found[0], found[1], found[2], 1.0

    return _png(COLOR_PX, pixel)


def outline() -> bytes:
    """The same in lines, white alone."""
    centre = 10.5
    ring, hands = _ring(centre, 7.5, 2.4), _hands(centre, 4.0, 1.8)
    blade = _blade(centre, 8.7, 28.5, 2.8, (20.5, 25.2), 5.6)

    def pixel(x: float, y: float) -> _Pixel:
        return 1.0, 1.0, 1.0, _covered(min(ring(x, y), hands(x, y), blade(x, y)))

    return _png(OUTLINE_PX, pixel)


# ---------------------------------------------------------------- shapes


def _key(centre: float, size: int) -> _Shape:
    head = _disc(centre, 43.0)
    blade = _blade(centre, 40.0, size * 0.83, 15.0, (size * 0.675, size * 0.775), 24.0)
    return lambda x, y: min(head(x, y), blade(x, y))


def _blade(centre: float, start: float, end: float, width: float, teeth: tuple[float, ...], tooth: float) -> _Shape:
    """From the head to `end`, down the diagonal, and its teeth, which point to the upper right. All in pixels."""
    first = centre + start * _DIAGONAL
    bars = [_bar(first, first, end, end, width)]
    bars += [_bar(at, at, at + tooth * _DIAGONAL, at - tooth * _DIAGONAL, width * 0.8) for at in teeth]
    return lambda x, y: min(bar(x, y) for bar in bars)


def _hands(centre: float, length: float, width: float) -> _Shape:
    """At three o'clock."""
    long = _bar(centre, centre, centre, centre - length, width)
    short = _bar(centre, centre, centre + length * 0.78, centre, width)
    return lambda x, y: min(long(x, y), short(x, y))


def _disc(centre: float, radius: float) -> _Shape:
    return lambda x, y: hypot(x - centre, y - centre) - radius


def _ring(centre: float, radius: float, width: float) -> _Shape:
    return lambda x, y: abs(hypot(x - centre, y - centre) - radius) - width / 2


def _bar(x0: float, y0: float, x1: float, y1: float, width: float) -> _Shape:
    """A line with round ends."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy

    def away(x: float, y: float) -> float:
        along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / square))
        return hypot(x - x0 - along * dx, y - y0 - along * dy) - width / 2

    return away


def _covered(distance: float) -> float:
    """How much of a pixel lies inside, so that edges are smooth."""
    return max(0.0, min(1.0, 0.5 - distance))


# ---------------------------------------------------------------- PNG


def _png(size: int, pixel: Callable[[float, float], _Pixel]) -> bytes:
    """Eight bits a channel, with transparency (www.w3.org/TR/png-3)."""
    rows = (_row(size, y, pixel) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _row(size: int, y: int, pixel: Callable[[float, float], _Pixel]) -> bytes:
    channels = (channel for x in range(size) for channel in pixel(x + 0.5, y + 0.5))
    return b"\0" + bytes(round(channel * 255) for channel in channels)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
