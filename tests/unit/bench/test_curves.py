"""Curves: what was measured at several sizes, and nothing else; drawn where it belongs."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from bench.curves import BOTTOM, COLOURS, LEFT, PICTURES, RIGHT, TOP, Picture, curves_of, drawn
from bench.figures import Figure, figure

SVG = "{http://www.w3.org/2000/svg}"
GROWING = Figure("list <ENV>", "ms", {"100": 10.0, "1,000": 100.0, "10,000": 1_000.0})
PICTURE = Picture("x.svg", "Growth & more", "grants", ("list",), 100)


def test_only_what_was_measured_at_several_sizes_is_a_curve() -> None:
    spread = Figure("acks", "ms", {"p50": 1.0, "p99": 2.0})
    assert curves_of([GROWING, spread, figure("one", "s", 3.0)]) == {
        "list <ENV>": [(100, 10), (1_000, 100), (10_000, 1_000)]
    }


def test_what_was_not_measured_is_left_out_of_a_curve() -> None:
    found = curves_of([Figure("list", "ms", {"10": math.nan, "100": 1.0, "1,000": 2.0})])
    assert found == {"list": [(100, 1), (1_000, 2)]}


def test_what_grows_in_proportion_is_a_straight_line() -> None:
    drawing = ElementTree.fromstring(drawn(PICTURE, curves_of([GROWING])))
    (line,) = drawing.iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert points == [(LEFT, BOTTOM), ((LEFT + RIGHT) / 2, (BOTTOM + TOP) / 2), (RIGHT, TOP)]
    (limit,) = (one for one in drawing.iter(f"{SVG}line") if one.attrib["class"] == "limit")
    assert float(limit.attrib["y1"]) == points[1][1]


def test_a_picture_says_what_it_shows() -> None:
    text = drawn(PICTURE, curves_of([GROWING]))
    assert "".join(ElementTree.fromstring(text).itertext()).count("list <ENV>") == 1
    assert "Growth &amp; more" in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
def test_a_level_curve_of_two_points_can_be_drawn(picture: Picture) -> None:
    ElementTree.fromstring(drawn(picture, {"level": [(1, 5), (10, 5)]}))


@pytest.mark.parametrize("ground", ["#ffffff", "#0d1117"], ids=["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_each_curve_can_be_seen_on_light_and_on_dark(colour: str, ground: str) -> None:
    light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def _luminance(colour: str) -> float:
    """As WCAG reckons it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
