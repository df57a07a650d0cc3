"""Signs with a key that KMS keeps, and that nobody can take out of it.

`ED25519_SHA_512` with MessageType RAW for ECC_NIST_EDWARDS25519, `ECDSA_SHA_256` for ECC_NIST_P256; 4,096 bytes at most
(KMS, API reference, Sign). Credentials and endpoints follow boto3's own settings; the region is the ARN's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from workflows.core.calls import timed
from workflows.core.seal.public_key import Algorithm, PublicKey
from workflows.ports import SignerUnavailable
from workflows.signing.keys import public_from_der
from workflows.signing.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_BYTES_MAX = 4096
_ALGORITHMS = {"ED25519_SHA_512": Algorithm.ED25519, "ECDSA_SHA_256": Algorithm.ECDSA_P256_SHA256}
_WORDS = {
    "AccessDeniedException": "it does not let us: the key's policy must allow kms:GetPublicKey and kms:Sign",
    "DisabledException": "the key is disabled",
    "KMSInvalidStateException": "the key is disabled, or waits to be deleted",
    "NotFoundException": "there is no such key",
    "InvalidKeyUsageException": "the key is not made for signing",
    "ThrottlingException": "it has too much to do",
}

_NOBODY = "there are no credentials here to ask it with"


class KmsSigner:
    """A `ports.Signer`. The key is asked about once, when `public` is first wanted; for any thread."""

    def __init__(self, arn: str, client: Callable[[str], Any] | None = None) -> None:
        """`arn`: the key's, not an alias's, because an alias may name another key tomorrow. `client`: makes one for a region."""
        self._arn = arn
        self._make = client or _client
        self._lock = threading.Lock()
        self._made: Any = None
        self._public: PublicKey | None = None
        self._algorithm = ""

    def __repr__(self) -> str:
        return f"KmsSigner({self._arn})"

    @property
    def public(self) -> PublicKey:
        """Raises SignerUnavailable."""
        with self._lock:
            if self._public is None:
                self._public, self._algorithm = self._ask()
            return self._public

    def sign(self, message: bytes) -> bytes:
        """Raises SignerUnavailable, also where what comes back is no signature of this key."""
        key = self.public
        if len(message) > MESSAGE_BYTES_MAX:
            raise SignerUnavailable(f"KMS signs {MESSAGE_BYTES_MAX} bytes at most, and this has {len(message)}")
        answer = self._call("Sign", "sign", Message=message, MessageType="RAW", SigningAlgorithm=self._algorithm)
        signature = answer.get("Signature")
        if not isinstance(signature, bytes) or not verify(key, message, signature):
            raise SignerUnavailable(f"KMS gave a signature that {self._arn} has not made")
        return signature

    def _ask(self) -> tuple[PublicKey, str]:
        answer = self._call("GetPublicKey", "get_public_key")
        der = answer.get("PublicKey")
        key = public_from_der(der) if isinstance(der, bytes) else None
        offered = answer.get("SigningAlgorithms") or ()
        algorithm = next((name for name, ours in _ALGORITHMS.items() if key and ours == key.algorithm), "")
        if key is None or answer.get("KeyUsage") != "SIGN_VERIFY" or algorithm not in offered:
            raise SignerUnavailable(
                f"{self._arn} is neither ECC_NIST_EDWARDS25519 nor ECC_NIST_P256 for signing: make another key"
            )
        return key, algorithm

    def _call(self, name: str, method: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only who has a key in KMS needs it

        with timed("kms", name) as call:
            try:
                return getattr(self._open(), method)(KeyId=self._arn, **arguments)
            except ClientError as problem:
                call.error = str(problem.response.get("Error", {}).get("Code", ""))
                words = _WORDS.get(call.error, f"it said {call.error or 'no'}")
            except (BotoCoreError, ValueError) as problem:
                call.error = type(problem).__name__
                words = _NOBODY if call.error == "NoCredentialsError" else f"it was not reached ({call.error})"
        raise SignerUnavailable(f"KMS was asked about {self._arn}, and {words}")

    def _open(self) -> Any:
        if self._made is None:
            self._made = self._make(self._arn.split(":")[3])
        return self._made


def _client(region: str) -> Any:
    import boto3  # noqa: PLC0415 - as above
    from botocore.config import Config  # noqa: PLC0415 - as above

    # Signing twice does no harm, so the SDK may try again; the sealer comes again by itself, so not for long.
    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
    return boto3.session.Session().client("kms", region_name=region, config=config)
