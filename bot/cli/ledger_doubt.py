"""`prodaccess ledger doubt` and `accept`: whether the record is the newest copy of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ledger import opened
from bot.cli.own_server import Data, served
from bot.cli.program import LEDGER, POLICY, add, end, told

if TYPE_CHECKING:
    from workflows.core.refusal import Refused
    from workflows.usecases.shared.context import Context, Outcome


def register(app: typer.Typer) -> None:
    add(app, doubt)
    add(app, accept)


@told(
    examples={'prodaccess ledger doubt --by "Rosa Ops" --reason "the backup of 03:00 was put back"': ""},
    needs=LEDGER,
    uses=POLICY,
)
def doubt(
    by: Annotated[str, typer.Option(help="Your name, for the record.")],
    reason: Annotated[str, typer.Option(help="What happened to the record, for the record.")],
    data: Data = None,
) -> None:
    """An older copy of the record was put back: give nothing until somebody accepts it. Taking away goes on."""
    from workflows.usecases.shared.ledger_doubt import said

    words = {
        "raised": "Nothing is given from now on, until `prodaccess ledger accept`. What is open still ends on time.",
        "stands": "The record is in doubt already: nothing is given until `prodaccess ledger accept`.",
    }
    _done(data, "ledger doubt", lambda ctx: said(ctx, by, reason), words)


@told(
    examples={'prodaccess ledger accept --by "Rosa Ops" --reason "CloudTrail shows nothing that is still open"': ""},
    needs=LEDGER,
    uses=POLICY,
)
def accept(
    by: Annotated[str, typer.Option(help="Your name, for the record.")],
    reason: Annotated[str, typer.Option(help="Why nothing is open that the record does not know, for the record.")],
    data: Data = None,
) -> None:
    """The record is an older copy, and is right from now on: let access be given again."""
    from workflows.usecases.shared.ledger_doubt import accept as accept_ledger

    words = {
        "accepted": "The record is accepted as it is. Access is given again.",
        "trusted": "Nobody doubts the record: there is nothing to accept.",
    }
    _done(data, "ledger accept", lambda ctx: accept_ledger(ctx, by, reason), words)


def _done(data: Data, command: str, act: Callable[[Context], Outcome | Refused], words: Mapping[str, str]) -> None:
    """Say what came of it, by its outcome; or why not."""
    from bot.chat.wording.refusals import refusal
    from workflows.core.refusal import Refused

    with served(data), opened(command) as parts:
        answer, typed = act(parts.context), parts.settings.command
    if isinstance(answer, Refused):
        end(refusal(answer, command=typed))
    print(words[answer.outcome])
