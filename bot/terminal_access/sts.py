"""Asks AWS who has signed a call. The call is put together here; its answer is believed from the address alone that was asked.

What went wrong elsewhere: another action than GetCallerIdentity, an address or headers of the caller's choice, an answer in XML
in which somebody else's words were read as AWS's (CVE-2020-16250), and redirects.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.directory.one_answer import NoAnswer, one_answer
from bot.gate.strict_json import object_of
from bot.terminal_access.endpoints import host_of, sts_address
from workflows.core.calls import timed
from workflows.core.records.terminal import TerminalAct
from workflows.core.terminal.caller import Caller, caller_of
from workflows.core.terminal.proof import BODY, Proof, call_headers, command_hash

__all__ = ["NoAnswer", "NotProved", "who_signed"]

TIMEOUT_S = 5.0
# An answer has about 400 bytes.
BYTES_MAX = 16 * 1024


class NotProved(Exception):
    """Why, in one sentence: asking again gives the same answer."""


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
    # Not signed, and only about the form of the answer: JSON holds no markup.
    wanted = {**headers, "accept": "application/json"}
    found = one_answer("POST", url, wanted, BODY.encode(), timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX)
    if found.status in (400, 403) and b"Throttl" not in found.body:
        raise NotProved(_NOT_SIGNED)
    if not 200 <= found.status < 300:
        raise NoAnswer(f"answered with an error ({found.status})")
    kind = str(found.heads.get("Content-Type") or "").partition(";")[0].strip().lower()
    if found.status != 200 or kind not in ("application/json", "application/x-amz-json-1.1"):
        raise NoAnswer("answered something that is not JSON")
    return found.body
