"""Asks AWS who has signed a call. The call is put together here; its answer is believed from the address alone that was asked.

What went wrong elsewhere: another action than GetCallerIdentity, an address or headers of the caller's choice, an answer in XML
in which somebody else's words were read as AWS's (CVE-2020-16250), and redirects.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from bot.cloud_credentials import is_loopback
from bot.directory.deadline import Deadline
from bot.gate.strict_json import object_of
from bot.terminal_access.endpoints import host_of, sts_address
from workflows.core.calls import timed
from workflows.core.records.terminal import TerminalAct
from workflows.core.terminal.caller import Caller, caller_of
from workflows.core.terminal.proof import BODY, Proof, call_headers, command_hash

TIMEOUT_S = 5.0
# An answer has about 400 bytes.
BYTES_MAX = 16 * 1024


class NotProved(Exception):
    """Why, in one sentence: asking again gives the same answer."""


class NoAnswer(Exception):
    """AWS could not be asked; it may be in a moment. Why, in words."""


_NO_PERSON = (
    "AWS says that this was signed by no person: only IAM users and sessions of Identity Center count, no other role, no "
    "root and no federated user."
)
_NOT_SIGNED = "AWS does not take the signature: are your credentials valid, and is the clock of this machine right?"


def who_signed(act: TerminalAct, proof: Proof, environ: Mapping[str, str]) -> Caller:
    """`environ`: ours, see `endpoints`. Raises NotProved and NoAnswer."""
    address = sts_address(proof.region, environ)
    if address is None or not proof.is_well_formed:
        raise NotProved(f"There is no address of AWS's for the region {proof.region[:30]!r}.")
    hashed = command_hash(act.line, act.ticket_hash)
    headers = call_headers(proof, host_of(address), act.audience, act.challenge, hashed)
    with timed("aws", "sts GetCallerIdentity"):
        said = _asked(f"{address}/", headers)
    try:
        found = object_of(said)["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
        account, arn, user_id = found["Account"], found["Arn"], found["UserId"]
    except (ValueError, LookupError, TypeError):
        raise NoAnswer("answered something that cannot be read") from None
    if not all(isinstance(text, str) for text in (account, arn, user_id)):
        raise NoAnswer("answered something that cannot be read")
    caller = caller_of(account, arn, user_id)
    if caller is None:
        raise NotProved(_NO_PERSON)
    return caller


def _asked(url: str, headers: Mapping[str, str]) -> bytes:
    if not (url.startswith("https://") or (url.startswith("http://") and is_loopback(url))):
        raise NoAnswer("is not an https address")
    # Not signed, and only about the form of the answer: JSON holds no markup.
    request = Request(url, BODY.encode(), {**headers, "accept": "application/json"}, method="POST")  # noqa: S310 - checked above
    with Deadline(TIMEOUT_S) as deadline:
        try:
            with build_opener(_Nowhere, *deadline.handlers()).open(request, timeout=TIMEOUT_S) as answer:
                return _body(answer)
        except HTTPError as problem:
            with problem:
                if problem.code in (400, 403) and b"Throttl" not in problem.read(BYTES_MAX):
                    raise NotProved(_NOT_SIGNED) from None
                raise NoAnswer(f"answered with an error ({problem.code})") from None
        except (OSError, HTTPException, ValueError) as problem:
            late = deadline.passed or isinstance(getattr(problem, "reason", problem), TimeoutError)
            raise NoAnswer("did not answer in time" if late else "could not be reached") from None


def _body(answer: Any) -> bytes:
    """Of a plain 200 alone."""
    kind = str(answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if answer.status != 200 or kind not in ("application/json", "application/x-amz-json-1.1"):
        raise NoAnswer("answered something that is not JSON")
    found = bytes(answer.read(BYTES_MAX + 1))
    if len(found) > BYTES_MAX:
        raise NoAnswer("answered more than it should")
    return found


class _Nowhere(HTTPRedirectHandler):
    """Whoever is elsewhere is not AWS."""

    def redirect_request(
        self,
        req: Request,  # noqa: ARG002 - as urllib calls it
        fp: IO[bytes],  # noqa: ARG002 - as above
        code: int,  # noqa: ARG002 - as above
        msg: str,  # noqa: ARG002 - as above
        headers: HTTPMessage,  # noqa: ARG002 - as above
        newurl: str,  # noqa: ARG002 - as above
    ) -> Request | None:
        return None
