"""Signs with a key of a PEM file."""

from __future__ import annotations

from pathlib import Path

from workflows.core.seal.public_key import PublicKey
from workflows.ports import SignerUnavailable
from workflows.signing.keys import FILE_BYTES_MAX, public_of, read_private


class LocalSigner:
    """A `ports.Signer`. The key is read once, when this is made."""

    def __init__(self, text: bytes, where: str) -> None:
        """`text`: PEM. `where`: what it is called when something is wrong with it. Raises SignerUnavailable."""
        self._key = read_private(text, where)
        self._public = public_of(self._key)

    def __repr__(self) -> str:
        return f"LocalSigner({self._public.fingerprint[:12]})"

    @property
    def public(self) -> PublicKey:
        return self._public

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def read_key_file(path: Path) -> bytes:
    """What the file holds. Raises SignerUnavailable where it cannot be read, or is too long for a key."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as problem:
        raise SignerUnavailable(f"{path} cannot be read ({problem.strerror})") from None
    if len(content) > FILE_BYTES_MAX:
        raise SignerUnavailable(f"{path} is too long for a key")
    return content
