"""The public half of a key that signs heads of the audit log, and what one signed text looks like. Pure: nothing is computed
with keys here but their names.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum


class Algorithm(StrEnum):
    """How a signature is made: Ed25519 (RFC 8032), or ECDSA on P-256 over SHA-256 (FIPS 186-5), DER."""

    ED25519 = "ed25519"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`der`: SubjectPublicKeyInfo (RFC 5280, section 4.1)."""

    algorithm: Algorithm
    der: bytes

    @property
    def fingerprint(self) -> str:
        """How people and records name the key: SHA-256 over `der`, 64 hex digits."""
        return hashlib.sha256(self.der).hexdigest()


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed statement as it is kept and handed out.

    `statement`: its exact text; the signature is over its UTF-8. `key`: the fingerprint of the key that signed. `signature`:
    base64.
    """

    statement: str
    key: str
    signature: str


# What stands before the key itself in a SubjectPublicKeyInfo: RFC 8410, section 4, and RFC 5480, section 2 (the whole point).
_BEGINS = {
    Algorithm.ED25519: (bytes.fromhex("302a300506032b6570032100"), 44),
    Algorithm.ECDSA_P256_SHA256: (bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), 91),
}
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PUBLIC KEY-----")


class NotAPublicKey(ValueError):
    """The message is one sentence for people; it repeats nothing of what was read."""


def public_key_of(der: bytes) -> PublicKey:
    """Raises NotAPublicKey."""
    for algorithm, (begins, length) in _BEGINS.items():
        if der.startswith(begins) and len(der) == length:
            return PublicKey(algorithm, der)
    raise NotAPublicKey("This is no public key that can sign the audit log: it wants Ed25519, or ECDSA on P-256.")


def public_key_from(pem: str) -> PublicKey:
    """From PEM text (RFC 7468). Raises NotAPublicKey."""
    found = _PEM.search(pem)
    if found is None:
        raise NotAPublicKey("There is no PEM public key: it begins with -----BEGIN PUBLIC KEY-----.")
    try:
        return public_key_of(base64.b64decode("".join(found[1].split()), validate=True))
    except binascii.Error:
        raise NotAPublicKey("The PEM public key is broken: what stands between its two lines is no base64.") from None


def pem_of(key: PublicKey) -> str:
    text = base64.b64encode(key.der).decode()
    rows = (text[at : at + 64] for at in range(0, len(text), 64))
    return "\n".join(("-----BEGIN PUBLIC KEY-----", *rows, "-----END PUBLIC KEY-----", ""))
