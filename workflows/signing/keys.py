"""Key files: made, read, and never written over. Ed25519, as PKCS 8 in PEM."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.core.seal.public_key import Algorithm, PublicKey
from workflows.ports import SignerUnavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# A key file of ours has 119 bytes. Whatever is longer than this is another thing.
FILE_BYTES_MAX = 16_384


def make_key(file: Path) -> PublicKey:
    """A new private key in `file`, for its owner alone to read. Raises FileExistsError, and OSError for all else."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - takes 60 ms, and few need it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    write_new(file, pem, 0o600)
    return public_of(key)


def write_new(file: Path, content: bytes, mode: int) -> None:
    """Into a file that was not there, and on disk when this returns; a link in its place counts as being there."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        # Whatever the umask says.
        os.fchmod(out.fileno(), mode)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def read_private(text: bytes, where: str) -> Ed25519PrivateKey:
    """Raises SignerUnavailable, whose words name `where` and nothing of the key."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    try:
        key = load_pem_private_key(text, password=None)
    except TypeError:
        raise SignerUnavailable(
            f"{where} is protected by a password: make one with `prodaccess audit keygen`"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SignerUnavailable(f"{where} is no private key in PEM: make one with `prodaccess audit keygen`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SignerUnavailable(f"{where} is no Ed25519 key: make one with `prodaccess audit keygen`")
    return key


def public_of(private: Ed25519PrivateKey) -> PublicKey:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - as above

    der = private.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(Algorithm.ED25519, der)


def public_pem(key: PublicKey) -> str:
    """The public key as PEM, as `openssl pkey -pubin` reads it."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - as above

    found = form.load_der_public_key(key.der)
    return found.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode()


def public_from_pem(text: str) -> PublicKey | None:
    """The public key that a PEM holds; None where it holds none that we can use."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - as above

    try:
        key = form.load_pem_public_key(text.encode())
        der = key.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return public_from_der(der)


def public_from_der(der: bytes) -> PublicKey | None:
    """None where it is neither Ed25519 nor P-256."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - as above

    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey(Algorithm.ED25519, der)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return PublicKey(Algorithm.ECDSA_P256_SHA256, der)
    return None
