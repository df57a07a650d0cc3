"""`prodaccess ledger raise-ids`: after a restore, no number of a request is given out twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, add, end, program, told

# Beyond it the counter would be taken for one that cannot be read: see next_id.lua.
IDS_MAX = 1_000_000_000


def register(app: typer.Typer) -> None:
    """Mount the command on the program's own. It wants REDIS_URL, or the folder of a server that does not run."""
    ledger = program("The record itself.")
    add(ledger, raise_ids, "raise-ids")
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
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Of an embedded Valkey that does not run, in place of REDIS_URL.")
    ] = None,
) -> None:
    """After a restore: give out no number of a request again that was shown before the crash."""
    with _served(data), opened("ledger raise-ids") as parts:
        print(f"The next request is PA-{parts.ledger.raise_ids(number) + 1}.")


@contextmanager
def _served(data: Path | None) -> Iterator[None]:
    """A server of ours on this folder for as long as it takes; none where the environment names one."""
    if data is None:
        yield
        return
    from bot.runtime.embedded_redis import EmbeddedError, EmbeddedValkey
    from bot.settings import process_environ

    if not data.is_dir():
        end(f"There is no folder {data}.")
    server = EmbeddedValkey(data)
    try:
        server.start()
    except EmbeddedError as error:
        end(str(error))
    try:
        process_environ()["REDIS_URL"] = server.url
        yield
    finally:
        process_environ().pop("REDIS_URL", None)
        server.stop()
