"""`prodaccess ledger raise-ids`: after a restore, no number of a request is given out twice."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli import ledger_doubt, rebuild
from bot.cli.ledger import opened
from bot.cli.own_server import Data, served
from bot.cli.program import LEDGER, POLICY, add, program, told

# Beyond it the counter would be taken for one that cannot be read: see next_id.lua.
IDS_MAX = 1_000_000_000


def register(app: typer.Typer) -> None:
    """Mount what is done to the record. It wants REDIS_URL, or the folder of a server that does not run."""
    ledger = program("The record itself.")
    add(ledger, raise_ids, "raise-ids")
    ledger_doubt.register(ledger)
    rebuild.register(ledger)
    app.add_typer(ledger, name="ledger")


@told(
    examples={
        "prodaccess ledger raise-ids 5000": "The next request is PA-5001, or what comes later anyway.",
        "prodaccess ledger raise-ids 5000 --data data": "While `prodaccess up`, which keeps its record there, is stopped.",
    },
    needs=LEDGER,
    uses=POLICY,
)
def raise_ids(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=1, max=IDS_MAX, help="The highest that anybody may have seen.")
    ],
    data: Data = None,
) -> None:
    """After a restore: give out no number of a request again that was shown before the crash."""
    with served(data), opened("ledger raise-ids") as parts:
        print(f"The next request is PA-{parts.ledger.raise_ids(number) + 1}.")
