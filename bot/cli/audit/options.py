"""What several of the commands take, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import PROBLEMS, USAGE, end

if TYPE_CHECKING:
    from workflows.core.seal.public_key import PublicKey
    from workflows.ports import Archive

Key = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="FILE|FINGERPRINT",
        help="Your own copy of the public key, or its fingerprint: never one that came with what is checked.",
    ),
]
Where = Annotated[
    str,
    typer.Option(
        "--archive",
        metavar="WHERE",
        help="A bucket, s3://BUCKET/PREFIX or a folder, to compare with; PRODACCESS_AUDIT_BUCKET unless said.",
    ),
]


def given_key(key: str, found: Iterable[PublicKey]) -> PublicKey:
    """As `candidates.key_given`. Ends the command with one sentence where there is no such key."""
    from bot.cli.audit.candidates import NoKey, key_given

    try:
        return key_given(key, found)
    except NoKey as problem:
        end(str(problem), USAGE if problem.typed_wrongly else PROBLEMS)


def given_archive(where: str) -> Archive | None:
    """What `--archive` names; None for nothing. Ends the command where it is none."""
    from bot.settings import load_settings
    from workflows.archive import archive_of

    if not where:
        return None
    checked = load_settings({"PRODACCESS_AUDIT_BUCKET": where})
    if isinstance(checked, tuple):
        end(checked[0].replace("PRODACCESS_AUDIT_BUCKET", "--archive"), USAGE)
    return archive_of(where)
