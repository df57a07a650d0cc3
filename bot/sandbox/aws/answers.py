"""Answers in the three shapes that AWS has: JSON, the query services' XML, and S3's XML."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from bot.sandbox.aws.calls import Call, Protocol


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `error` is AWS's error code, empty for a success."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""


# What a fault is called here -> protocol -> (code, HTTP status, message).
# Codes of the JSON services: botocore's models of sso-admin 2020-07-20 and identitystore 2020-06-15.
# Codes of the query services: "Common Errors" of the IAM and STS API references. S3: "Error responses".
ERRORS: dict[str, dict[Protocol, tuple[str, int, str]]] = {
    "throttled": {
        "json": ("ThrottlingException", 400, "Rate exceeded"),
        "query": ("Throttling", 400, "Rate exceeded"),
        "s3": ("SlowDown", 503, "Please reduce your request rate."),
    },
    "denied": {
        "json": ("AccessDeniedException", 400, "User is not authorized to perform this action"),
        "query": ("AccessDenied", 403, "User is not authorized to perform this action"),
        "s3": ("AccessDenied", 403, "Access Denied"),
    },
    "expired": {
        "json": ("ExpiredTokenException", 400, "The security token included in the request is expired"),
        "query": ("ExpiredToken", 403, "The security token included in the request is expired"),
        "s3": ("ExpiredToken", 400, "The provided token has expired."),
    },
    "server_error": {
        "json": ("InternalServerException", 500, "Internal server error"),
        "query": ("ServiceFailure", 500, "Internal server error"),
        "s3": ("InternalError", 500, "We encountered an internal error. Please try again."),
    },
    "unavailable": {
        "json": ("ServiceUnavailable", 503, "Service is unavailable"),
        "query": ("ServiceUnavailable", 503, "Service is unavailable"),
        "s3": ("ServiceUnavailable", 503, "Please reduce your request rate."),
    },
    "conflict": {
        "json": ("ConflictException", 409, "There is a conflicting operation in process"),
        "query": ("ConcurrentModification", 409, "The request was rejected because of a concurrent modification"),
        "s3": ("OperationAborted", 409, "A conflicting conditional operation is currently in progress."),
    },
    "quota": {
        "json": ("ServiceQuotaExceededException", 402, "Service quota exceeded"),
        "query": ("LimitExceeded", 409, "Cannot exceed quota"),
        "s3": ("TooManyBuckets", 400, "You have attempted to create more buckets than allowed."),
    },
}


def named(call: Call, name: str, message: str = "") -> Answer:
    """The error that `ERRORS` calls `name`, in the call's own protocol."""
    code, status, default = ERRORS[name][call.protocol]
    return error(call, code, message or default, status)


def error(call: Call, code: str, message: str, status: int = 400, **fields: str) -> Answer:
    """Any error by its code; `fields` are further members of a JSON error (`Reason`, `ResourceType`)."""
    request_id = str(uuid4())
    if call.protocol == "json":
        payload = {"__type": code, "Message": message, "RequestId": request_id, **fields}
        headers = [("x-amzn-ErrorType", code), ("x-amzn-RequestId", request_id)]
        return Answer(
            status, json.dumps(payload).encode(), [("Content-Type", "application/x-amz-json-1.1"), *headers], code
        )
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if call.protocol == "query":
        kind = "Receiver" if status >= 500 else "Sender"
        text = (
            f'<ErrorResponse xmlns="https://{call.service}.amazonaws.com/doc/"><Error><Type>{kind}</Type>{inner}</Error>'
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    else:
        text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    return Answer(status, text.encode(), [("Content-Type", "text/xml")], code)


def success(payload: dict[str, Any]) -> Answer:
    """A JSON service's answer."""
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", str(uuid4()))]
    return Answer(200, json.dumps(payload).encode(), headers)


def page(call: Call, key: str, items: list[Any]) -> Answer:
    """One page of a list, by the call's `MaxResults` and `NextToken` (here an offset)."""
    start = int(call.arguments.get("NextToken") or 0)
    end = start + int(call.arguments.get("MaxResults") or 100)
    more = {"NextToken": str(end)} if end < len(items) else {}
    return success({key: items[start:end], **more})
