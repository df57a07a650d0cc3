"""Whether Slack sent it. Asked before anything of a request is read: what a stranger sends must not even be able to fail in here,
because a failure is told to whoever the request names, at the address that it names, and it alarms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hmac import compare_digest

from slack_sdk.signature import SignatureVerifier

# The verifier makes a number of the one and compares the other, and raises where they are of another kind.
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


def is_signed(secrets: Iterable[str], body: str, headers: Mapping[str, str]) -> bool:
    """Yes or no, whatever stands in the headers; no where there is no secret to go by. `headers`: names in lower case.

    `secrets`: any of them proves, and each is tried, so that the time taken does not tell which.
    """
    timestamp = headers.get("x-slack-request-timestamp") or ""
    signature = headers.get("x-slack-signature") or ""
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    return any([SignatureVerifier(secret).is_valid(body, timestamp, signature) for secret in secrets])


def is_signed_at(secrets: Iterable[str], body: str, timestamp: str, signature: str) -> bool:
    """The same for what was kept, however long ago that was."""
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    made = [SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body) for secret in secrets]
    return any([compare_digest(one or "", signature) for one in made])
