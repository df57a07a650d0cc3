"""`python -m bot.sandbox.tour.picture docs/images/life.svg`: draws the README's picture from a life that is really played."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from bot.sandbox.installation.installation import Installation
from bot.sandbox.installation.interrupts import CONFIG, example_policy
from bot.sandbox.installation.people import DANA, aws_world, slack_world
from bot.sandbox.tour.render import Names
from bot.sandbox.tour.scenario import SECONDS, Scenario
from bot.sandbox.tour.terminal import Terminal, console_for
from bot.settings import process_environ

_THEME = TerminalTheme(
    (29, 43, 58),
    (226, 232, 240),
    # black, red, green, yellow, blue, magenta, cyan, white
    [
        (71, 85, 105),
        (248, 113, 113),
        (74, 222, 128),
        (250, 204, 21),
        (125, 175, 255),
        (216, 180, 254),
        (103, 232, 249),
        (226, 232, 240),
    ],
)
# The picture is shown where nothing else may be loaded, so it names no font to fetch.
_LEFT_OUT = re.compile(r"\s*(@font-face \{.*?\}|<!--.*?-->)", re.DOTALL)


class Picture(Scenario):
    """The same life in one screen."""

    def run(self) -> None:
        self.types(DANA, self.ask)
        self.card = self.actions.card("Needs approval", "Approve")
        self.terminal.sees("The owners get a card in #orders-ops", self.card)
        self.terminal.blank()
        self.approve()
        self.aws("Olu, an owner, presses Approve. AWS now")
        self.terminal.blank()
        held_s = self.wait_for_the_end()
        self.actions.card("Ended")
        self.aws(f"{held_s:.0f} seconds later, automatically")
        self.terminal.sees("The card, once more", self.actions.card("Ended"))
        self.terminal.blank()
        self.terminal.sees("The receipts in #access-log", *self.actions.receipts("Dana", "Ended"))


def main(target: Path) -> int:
    console = console_for(io.StringIO(), record=True)
    with Installation(process_environ(), CONFIG, slack_world(), aws_world()) as installation:
        Picture(
            installation, Terminal(console, Names.of(installation.slack)), example_policy(CONFIG), seconds=SECONDS
        ).run()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(svg(console), encoding="utf-8")
    return 0


def svg(console: Console) -> str:
    """What was recorded. The same words give the same file."""
    drawn = console.export_svg(title="prodaccess: the life of a request", theme=_THEME, unique_id="life")
    lines = (line.rstrip() for line in _LEFT_OUT.sub("", drawn).splitlines())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
