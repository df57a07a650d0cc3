"""Who signs the head of the audit log, and whether a signature holds. Private keys are handled here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workflows.signing.verify import verify

if TYPE_CHECKING:
    from workflows.ports import Signer

__all__ = ["KMS", "signer_of", "verify"]

KMS = "awskms:"


def signer_of(value: str) -> Signer:
    """`value`: the path of a PEM file, or `awskms:ARN`; a file may hold either.

    Raises SignerUnavailable where a file cannot be read. KMS is asked when the key is first wanted.
    """
    from workflows.signing.local import LocalSigner, read_key_file  # noqa: PLC0415 - most processes sign nothing

    if value.startswith(KMS):
        return _kms(value)
    text = read_key_file(Path(value))
    if text.startswith(KMS.encode()):
        return _kms(text.decode("ascii", "replace").strip())
    return LocalSigner(text, value)


def _kms(value: str) -> Signer:
    from workflows.signing.kms import KmsSigner  # noqa: PLC0415 - as above

    return KmsSigner(value.removeprefix(KMS))
