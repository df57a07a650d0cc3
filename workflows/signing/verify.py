"""Whether a signature is a key's. Pure: it asks nobody."""

from __future__ import annotations

from workflows.core.seal.public_key import PublicKey


def verify(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """A `ports.Verifier`. False also for a key that cannot be read."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 - takes 60 ms
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - as above

    try:
        public = load_der_public_key(key.der)
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, message)
            return True
        if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
            public.verify(signature, message, ec.ECDSA(SHA256()))
            return True
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return False
