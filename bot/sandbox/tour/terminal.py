"""The terminal as whoever looks sees it: headings, what somebody types, what they see. Never wider than 80 columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bot.sandbox.slack import Message
from bot.sandbox.tour.render import Names, drawn, pairs

WIDTH_MAX = 80
INDENT = 3
_BARS = 20


@dataclass(frozen=True, slots=True)
class Behind:
    """Something behind a prefix on each line. Nothing stands at the right, where a wide character could tear it."""

    prefix: str
    inside: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.update(width=max(20, options.max_width - len(self.prefix)))
        for line in console.render_lines(self.inside, room, pad=False):
            cells = list(Segment.simplify(line))
            while cells and not cells[-1].text.strip():
                cells.pop()
            if cells:
                cells[-1] = Segment(cells[-1].text.rstrip(), cells[-1].style)
            yield Segment(self.prefix if cells else self.prefix.rstrip(), Style(color="blue"))
            yield from cells
            yield Segment.line()


def barred(inside: RenderableType) -> Behind:
    """As a quotation."""
    return Behind("┃ ", inside)


class Terminal:
    """Says things. Pauses and counts down only where somebody watches: `pace_s` is a breath between two scenes."""

    def __init__(self, console: Console, names: Names, *, pace_s: float = 0.0) -> None:
        self.console = console
        self.names = names
        self._pace_s = pace_s
        self._scenes = 0

    def heading(self, text: str) -> None:
        self.console.print(Text(text, style="bold"))

    def scene(self, text: str) -> None:
        self.breathe()
        self._scenes += 1
        self.console.print()
        self.console.print(Text.assemble((f"{self._scenes}  ", "bold blue"), (text, "bold")))

    def blank(self) -> None:
        self.console.print()

    def breathe(self) -> None:
        if self._pace_s:
            time.sleep(self._pace_s)

    def say(self, text: str) -> None:
        self._put(Text(text))

    def types(self, who: str, channel: str, line: str) -> None:
        self.say(f"{who} types in #{channel}:")
        self._put(Text(line, style="cyan"))

    def sees(self, where: str, *messages: Message) -> None:
        """What stands somewhere, as messages one under the other."""
        self.say(f"{where}:")
        self._put(barred(Group(*(drawn(message, self.names) for message in messages))))

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        self._put(pairs((Text(label, style="bold"), Text(value)) for label, value in rows))

    def table(self, title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], nothing: str) -> None:
        self.say(f"{title}:")
        if not rows:
            self._put(barred(Text(nothing, style="bold")))
            return
        grid = Table.grid(padding=(0, 3))
        for head in heads:
            grid.add_column(head, overflow="fold")
        grid.add_row(*(Text(head, style="dim") for head in heads))
        for row in rows:
            grid.add_row(*(Text(cell, style="bold") for cell in row))
        self._put(barred(grid))

    def count_down(self, seconds: float, what: str, over: Callable[[], bool], within_s: float) -> bool:
        """Wait until `over`, with a clock for whoever watches. False where it did not come to that in time."""
        if not self.console.is_terminal:
            return self._wait(over, within_s, lambda _passed_s: None)
        with Live(console=self.console, transient=True, auto_refresh=False) as live:

            def tick(passed_s: float) -> None:
                live.update(Behind(" " * INDENT, _clock(seconds, passed_s, what)), refresh=True)

            return self._wait(over, within_s, tick)

    @staticmethod
    def _wait(over: Callable[[], bool], within_s: float, tick: Callable[[float], None]) -> bool:
        began_s = time.monotonic()
        while not over():
            passed_s = time.monotonic() - began_s
            if passed_s > within_s:
                return False
            tick(passed_s)
            time.sleep(0.05)
        return True

    def _put(self, what: RenderableType) -> None:
        self.console.print(Behind(" " * INDENT, what), end="")


def _clock(seconds: float, passed_s: float, what: str) -> Text:
    left_s = max(0.0, seconds - passed_s)
    full = round(_BARS * left_s / seconds) if seconds else 0
    return Text.assemble(("█" * full, "green"), ("░" * (_BARS - full), "dim"), f" {left_s:4.1f} s  ", (what, "dim"))


def console_for(output: TextIO, *, record: bool = False, width_max: int = WIDTH_MAX) -> Console:
    """A console on `output`: at most so wide, and plain text without control codes where that is no terminal."""
    found = Console(file=output, highlight=False, emoji=False, markup=False, record=record)
    found.width = min(found.width, width_max) if found.is_terminal else width_max
    return found
