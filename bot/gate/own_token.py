"""A token that a pipeline without an issuer signs by itself, with the Ed25519 key whose public half the policy lists."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# `proof.OWN_LIFE_MAX` is twice as long: clocks differ.
LIVES = timedelta(minutes=5)
KEY_BYTES_MAX = 4096


class UnusableKey(Exception):
    """Why, in words that follow the file's name."""


def signed(key_file: Path, audience: str, commit: str, run: str, jti: str, now: datetime) -> str:
    """Raises UnusableKey."""
    import jwt  # noqa: PLC0415 - for this alone
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    key = _key(key_file)
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = f"key:{raw.hex()[:16]}"
    claims = {
        "iss": name,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int((now + LIVES).timestamp()),
        "jti": jti,
        "commit": commit,
        "run": run,
    }
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": name})


def _key(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - as above
        Ed25519PrivateKey as Ed25519,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    try:
        with path.open("rb") as opened:
            key = load_pem_private_key(opened.read(KEY_BYTES_MAX), password=None)
    except OSError as problem:
        raise UnusableKey(f"cannot be read ({problem.strerror})") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("holds no private key in PEM without a password") from None
    if not isinstance(key, Ed25519):
        raise UnusableKey("holds another kind of key: make one with openssl genpkey -algorithm ed25519")
    return key
