"""Curves of figures that were measured at several sizes, as pictures for docs/performance.md.

    python -m bench.curves FIGURES.json [FOLDER]

FIGURES.json is what `python -m bench --json` wrote. Both axes are logarithmic: what grows in proportion is a straight line that
rises like the diagonal, and what does not grow is level. They are drawn in colours that can be read on light and on dark.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench.figures import Figure, from_json

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 820, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 540, 44, 340
# On white and on near black each has a contrast of at least 3 to 1; the marks differ, too.
COLOURS = ("#0072b2", "#d55e00", "#00966b", "#b3589a", "#8a6d00", "#7a6fd0", "#c04a4a", "#5f7f8f")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px }
.grid { stroke: #d0d7de }
.limit { stroke: #cf222e; stroke-dasharray: 6 4 }
.limit-text { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .grid { stroke: #3d444d } .limit { stroke: #ff7b72 } .limit-text { fill: #ff7b72 }
}
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """`parts`: what is drawn of it, by the beginnings of the figures' names; `limit`: a line at this height."""

    file: str
    title: str
    across: str
    parts: tuple[str, ...]
    limit: float | None = None


PICTURES = (
    Picture(
        "growth.svg",
        "Milliseconds, by active grants",
        "active grants",
        ("list", "show", "home", "digest", "the clock's sweep", "/readyz", "report"),
        1_000,
    ),
    Picture("growth-memory.svg", "MiB of memory, by active grants", "active grants", ("memory of",), 150),
    Picture(
        "lateness.svg",
        "The last of so many ends in the same second is late by so many seconds",
        "ends in the same second",
        ("ends in the same second",),
        10,
    ),
)


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    found = [from_json(row) for row in json.loads(Path(sys.argv[1]).read_text())["figures"]]
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parents[1] / "docs" / "images"
    curves = curves_of(row for row in found if isinstance(row, Figure))
    for picture in PICTURES:
        mine = {name: points for name, points in curves.items() if name.startswith(picture.parts)}
        if mine:
            (folder / picture.file).write_text(drawn(picture, mine))
            print(folder / picture.file)


def curves_of(figures: Iterable[Figure]) -> dict[str, Points]:
    """Of all figures that were measured at several sizes, by size."""
    found: dict[str, Points] = {}
    for one in figures:
        sizes = {name: size for name in one.measured if (size := _size(name)) is not None}
        points = [(size, one.measured[name]) for name, size in sizes.items() if one.measured[name] > 0]
        if len(points) > 1 and len(sizes) == len(one.measured):
            found[one.what] = sorted(points)
    return {name.partition(", by ")[0]: points for name, points in found.items()}


def _size(name: str) -> float | None:
    digits = name.replace(",", "")
    return float(digits) if digits.isdigit() else None


# ---------------------------------------------------------------- drawing


def drawn(picture: Picture, curves: Mapping[str, Points]) -> str:
    everything = [point for points in curves.values() for point in points]
    across = _decades(x for x, _ in everything)
    limits = [] if picture.limit is None else [picture.limit]
    up = _decades([*(y for _, y in everything), *limits])
    scale = _Scale(across, up)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(picture.title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="22">{escape(picture.title)}</text>',
        *_grid(scale, picture.across),
    ]
    if picture.limit is not None:
        y = scale.y(picture.limit)
        lines += [
            f'<line class="limit" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>',
            f'<text class="small limit-text" x="{LEFT + 6}" y="{y - 5}">goal {_short(picture.limit)}</text>',
        ]
    for number, (name, points) in enumerate(curves.items()):
        lines += _line(scale, number, name, points)
    return "\n".join([*lines, "</svg>", ""])


class _Scale:
    def __init__(self, across: Sequence[int], up: Sequence[int]) -> None:
        self.across, self.up = across, up

    def x(self, value: float) -> float:
        return self._at(value, self.across, LEFT, RIGHT)

    def y(self, value: float) -> float:
        return self._at(value, self.up, BOTTOM, TOP)

    @staticmethod
    def _at(value: float, decades: Sequence[int], low: float, high: float) -> float:
        share = (math.log10(value) - decades[0]) / (decades[-1] - decades[0])
        return round(low + share * (high - low), 1)


def _decades(values: Iterable[float]) -> Sequence[int]:
    """Whole powers of ten that hold all values; at least two."""
    found = list(values)
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return range(low, max(high, low + 1) + 1)


def _grid(scale: _Scale, across: str) -> list[str]:
    lines = []
    for power in scale.across:
        x = scale.x(10**power)
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{BOTTOM}"/>')
        lines.append(f'<text class="small" x="{x}" y="{BOTTOM + 18}" text-anchor="middle">{_short(10**power)}</text>')
    for power in scale.up:
        y = scale.y(10**power)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text class="small" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{_short(10**power)}</text>')
    middle = (LEFT + RIGHT) / 2
    lines.append(f'<text class="small" x="{middle}" y="{BOTTOM + 40}" text-anchor="middle">{escape(across)}</text>')
    return lines


def _line(scale: _Scale, number: int, name: str, points: Points) -> list[str]:
    colour, y = COLOURS[number % len(COLOURS)], TOP + 10 + 22 * number
    path = " ".join(f"{scale.x(x)},{scale.y(value)}" for x, value in points)
    marks = [_mark(number, scale.x(x), scale.y(value), colour) for x, value in points]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *marks,
        _mark(number, RIGHT + 20, y, colour),
        f'<text class="small" x="{RIGHT + 32}" y="{y + 4}">{escape(name)}</text>',
    ]


def _mark(number: int, x: float, y: float, colour: str) -> str:
    """Circle, square, triangle in turn: colour alone tells nobody anything who does not see it."""
    if number % 3 == 0:
        return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
    if number % 3 == 1:
        return f'<rect x="{round(x - 4, 1)}" y="{round(y - 4, 1)}" width="8" height="8" fill="{colour}"/>'
    corners = ((0, -5), (5, 4), (-5, 4))
    return f'<polygon points="{" ".join(f"{round(x + a, 1)},{round(y + b, 1)}" for a, b in corners)}" fill="{colour}"/>'


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


if __name__ == "__main__":
    main()
