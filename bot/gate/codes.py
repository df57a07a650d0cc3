"""What an answer with an error names, beside its sentence. Closed: pipelines and their commands read it."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    # of the token
    TOKEN = "token"  # noqa: S105 - the name of a problem
    ALGORITHM = "algorithm"
    ISSUER = "issuer"
    KEY = "key"
    KEYS = "keys"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    EARLY = "early"
    CLAIMS = "claims"
    USED = "used"
    # of what it asks
    REQUEST = "request"
    TOO_LARGE = "too_large"
    NOT_ALLOWED = "not_allowed"
    COMMIT = "commit"
    REFUSED = "refused"
    # of an ask
    UNKNOWN = "unknown"
    NOT_APPROVED = "not_approved"
    LOOKED_AT_AGAIN = "looked_at_again"
    # of this installation
    OFF = "off"
    LATER = "later"
    BROKEN = "broken"
