"""The server that `prodaccess up` keeps in a folder, started for one command while `up` is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import end

Data = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Of an embedded Valkey that does not run, in place of REDIS_URL.")
]


@contextmanager
def served(data: Path | None) -> Iterator[None]:
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
