"""The cipher of the words in the archive: AES-256-GCM under a key derived (HKDF, SHA-256) from the keys of all whom they name.

The nonce is a MAC over the words themselves, so that one key never meets two texts under one nonce, and writing the same run
twice writes the same bytes, as an archive that is written once wants it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

# NIST SP 800-38D, 8.2: 96 bits.
_NONCE = 12
_KEY = 32
_FOR = b"prodaccess words v1"


class Cipher:
    """A `ports.WordsCipher`."""

    def tag(self, key: bytes) -> str:
        return hmac.new(key, _FOR + b" tag", hashlib.sha256).hexdigest()[:16]

    def hide(self, keys: Sequence[bytes], about: bytes, words: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - workers that seal alone need it

        key, mac_key = self._derived(keys, about)
        nonce = hmac.new(mac_key, words, hashlib.sha256).digest()[:_NONCE]
        return nonce + AESGCM(key).encrypt(nonce, words, about)

    def show(self, keys: Sequence[bytes], about: bytes, hidden: bytes) -> bytes | None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        key, _ = self._derived(keys, about)
        try:
            return AESGCM(key).decrypt(hidden[:_NONCE], hidden[_NONCE:], about)
        except (InvalidTag, ValueError):
            return None

    def _derived(self, keys: Sequence[bytes], about: bytes) -> tuple[bytes, bytes]:
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - as above

        # All of one length and in one order, or two sets of keys could make the same text.
        if not keys or any(len(key) != _KEY for key in keys):
            raise ValueError("a key of words is 32 bytes")
        made = HKDF(SHA256(), 2 * _KEY, salt=None, info=_FOR + b" " + about).derive(b"".join(sorted(keys)))
        return made[:_KEY], made[_KEY:]
