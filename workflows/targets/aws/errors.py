"""What AWS answered, in the words of the ports: throttled, refused, or in doubt.

Messages for people never hold what AWS says about signatures and tokens: the text of SignatureDoesNotMatch repeats the
signed headers, and with them the session token. Sources of the codes: botocore's service models of iam 2010-05-08,
sso-admin 2020-07-20 and identitystore 2020-06-15, `botocore.retries.standard`, and "Common errors" of the IAM API reference.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from workflows.ports import NoCredentials, TargetInDoubt, TargetRefused, TargetThrottled

# All that boto3 raises out of a call.
FROM_AWS = (BotoCoreError, ClientError, ResponseParserError)

RETRY_AFTER_S = 1.0
_RETRY_AFTER_S_MAX = 60.0
# For so long the others are kept back where AWS names no time. Whoever asks for several things in a row begins anew when it is
# told to wait: at a second each, a third of all calls throttled kept an ask waiting for minutes.
SPARED_S = 0.25

_THROTTLED = frozenset(
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "ConcurrentModification",
        "ConcurrentModificationException",
        "EntityTemporarilyUnmodifiable",
        "EntityTemporarilyUnmodifiableException",
    ]
)
_MISSING = frozenset({"NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException", "AccountNotFoundException"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
_CREDENTIALS = frozenset(
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "RequestExpired",
        "AuthFailure",
        "InvalidAccessKeyId",
        "OptInRequired",
    ]
)
_LIMITS = frozenset({"LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException"})
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    TokenRetrievalError,
    ConfigNotFound,
)
# What is too many at this moment, not for good: operations that have not settled yet.
_UNDER_WAY = re.compile(r"concurrent|outstanding|in progress", re.IGNORECASE)
# What AWS calls an error.
_NAME = re.compile(r"[A-Za-z]")
_SECRETS = re.compile(r"\b[A-Z]{4}[A-Z0-9]{16}\b|[A-Za-z0-9+/=]{40,}")
_WORDS_MAX = 300


class Missing(TargetRefused):
    """What the call names is not there."""


class Exists(TargetRefused):
    """What the call would make is there already."""


class Denied(TargetRefused):
    """The worker's role may not do this."""


class Throttled(TargetThrottled):
    """AWS named no time: `after_s` is ours."""


class TooManyUnderWay(TargetThrottled):
    """As many operations are under way as AWS allows: a ceiling for what would begin one more, and for nothing else."""


def translate(error: Exception, what: str) -> TargetThrottled | TargetInDoubt | TargetRefused:
    """`error` of the call `what` ("sso-admin CreateAccountAssignment") as one of the ports' exceptions."""
    if isinstance(error, ClientError):
        return _of_answer(error, what)
    if isinstance(error, _NO_CREDENTIALS):
        return NoCredentials(f"The worker has no AWS credentials for {what}. Check its role or profile.")
    if isinstance(error, ParamValidationError | NoRegionError):
        return TargetRefused(f"{what} was not sent: {scrubbed(str(error))}")
    if isinstance(error, HTTPClientError):
        return TargetInDoubt(f"{what}: no answer ({type(error).__name__})")
    return TargetInDoubt(f"{what}: no readable answer ({type(error).__name__})")


def word_of(error: Exception) -> str:
    """AWS's own name for an error; what is none of AWS's has the exception's."""
    code = str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
    return code if _NAME.match(code) else type(error).__name__


def scrubbed(text: str) -> str:
    """One line without what looks like a key or token."""
    return _SECRETS.sub("...", " ".join(text.split()))[:_WORDS_MAX]


def _of_answer(error: ClientError, what: str) -> TargetThrottled | TargetInDoubt | TargetRefused:
    response: Mapping[str, Any] = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if error.operation_name and not what.endswith(error.operation_name):
        what = f"{error.operation_name} (for {what})"
    if code in _THROTTLED or status == 429 or (code in _LIMITS and _UNDER_WAY.search(message)):
        if _UNDER_WAY.search(message):
            asked_s = _asked_s(response)
            return TooManyUnderWay(SPARED_S if asked_s is None else asked_s, f"{what}: too many operations under way")
        return _throttled(response, f"{what}: {code}")
    if status >= 500:
        return TargetInDoubt(f"{what}: AWS answered {status} {code}")
    if not _NAME.match(code):
        # botocore puts the status in its place. AWS names every error, so this is somebody on the way: a proxy, a sign-in page.
        return TargetInDoubt(f"{what}: refused with {status}, in a form that is not AWS's")
    if code == "ConflictException":
        return _of_conflict(response, message, what)
    return _refusal(code, message, response, what)


def _of_conflict(response: Mapping[str, Any], message: str, what: str) -> TargetThrottled | TargetRefused:
    """Either it is there already, or something else is under way about the same thing: then it is a matter of waiting."""
    if "UNIQUENESS" in str(response.get("Reason", "")) or "already exists" in message.casefold():
        return Exists(f"{what}: it is there already.")
    return _throttled(response, f"{what}: another operation is under way")


def _refusal(code: str, message: str, response: Mapping[str, Any], what: str) -> TargetRefused:
    if code in _MISSING and not _wrong_place(response):
        return Missing(f"{what}: {scrubbed(message)}")
    if code in _DENIED:
        return Denied(f"AWS does not let the worker do {what}. AWS says: {scrubbed(message)}")
    if code in _CREDENTIALS:
        return TargetRefused(
            f"AWS does not accept the worker's credentials for {what} ({code}). Renew them, or check its clock."
        )
    if code in _LIMITS:
        return TargetRefused(f"{what} is over a limit of AWS: {scrubbed(message)}")
    return TargetRefused(f"AWS refused {what} ({code}): {scrubbed(message)}")


def _wrong_place(response: Mapping[str, Any]) -> bool:
    """A key that cannot be used, or a whole directory that is not there: no proof that the thing itself is gone."""
    return str(response.get("Reason", "")).startswith("KMS") or response.get("ResourceType") == "IDENTITY_STORE"


def _throttled(response: Mapping[str, Any], words: str) -> TargetThrottled:
    asked_s = _asked_s(response)
    return Throttled(RETRY_AFTER_S, words) if asked_s is None else TargetThrottled(asked_s, words)


def _asked_s(response: Mapping[str, Any]) -> float | None:
    """None where AWS names no time, or none that is one."""
    asked = response.get("RetryAfterSeconds") or _header(response, "retry-after")
    try:
        seconds = float(asked) if asked else math.nan
    except ValueError:
        return None
    return None if math.isnan(seconds) else min(max(seconds, 0.1), _RETRY_AFTER_S_MAX)


def _header(response: Mapping[str, Any], name: str) -> str | None:
    headers: Mapping[str, str] = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return headers.get(name)
