"""`prodaccess audit ...`: the record held against itself, against signed heads and the archive; and the keys that sign."""

from __future__ import annotations

import typer

from bot.cli.audit.bundle.command import bundle
from bot.cli.audit.export import export
from bot.cli.audit.follow import follow
from bot.cli.audit.head import head
from bot.cli.audit.keygen import keygen
from bot.cli.audit.prove import prove
from bot.cli.audit.rotate import rotate
from bot.cli.audit.verify import verify
from bot.cli.program import add, program


def register(app: typer.Typer) -> None:
    audit = program("The audit log.")
    add(audit, verify)
    add(audit, export)
    add(audit, follow)
    add(audit, bundle)
    add(audit, head)
    add(audit, prove)
    add(audit, keygen)
    add(audit, rotate)
    app.add_typer(audit, name="audit")
