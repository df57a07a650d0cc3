"""`prodaccess audit keygen`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import PROBLEMS, end, told

# For everybody to read: there is no secret in it.
_PUBLIC_MODE = 0o644


@told(
    examples={
        "prodaccess audit keygen audit-key.pem --public audit-key.pub.pem": "",
        "prodaccess audit keygen new-key.pem": "",
    },
    codes={PROBLEMS: "a file is there already, or cannot be written"},
)
def keygen(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the private key goes. Never over a file that is there.")
    ],
    public: Annotated[
        Path | None, typer.Option("--public", metavar="FILE", help="Where the public key goes, too, for auditors.")
    ] = None,
) -> None:
    """Make a key that signs the audit log: Ed25519, in a file that only its owner can read."""
    from workflows.signing.keys import make_key, public_pem, write_new

    if public is not None and (public.exists() or public.is_symlink()):
        end(f"{public} is there already: choose another name. Nothing was made.")
    try:
        key = make_key(file)
        if public is not None:
            write_new(public, public_pem(key).encode(), _PUBLIC_MODE)
    except FileExistsError as problem:
        end(f"{problem.filename} is there already: choose another name. A key is never written over.")
    except OSError as problem:
        end(f"{problem.filename} cannot be written: {problem.strerror}.")
    print(f"Private key: {file} (mode 0600; there is no other copy)")
    if public is not None:
        print(f"Public key:  {public}")
    print(f"Fingerprint: {key.fingerprint}")
    print(
        f"Give the private key to the workers alone: PRODACCESS_AUDIT_KEY={file.absolute()}\n"
        "Give the fingerprint to whoever audits, and keep it away from Redis, the archive and this machine:\n"
        f"prodaccess audit verify --key {key.fingerprint}"
    )
