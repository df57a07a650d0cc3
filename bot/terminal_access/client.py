"""The side of the person: takes a challenge, signs a call to AWS with it, sends what was signed, and waits for the answer.

Credentials are those that boto3 finds on this machine. They never leave it: a signature does, which is good for one command.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.gate.client import Answer, NoAnswer, call
from bot.terminal_access.endpoints import host_of, sts_address
from bot.terminal_access.sent import ticket_hash
from workflows.core.terminal.proof import BODY, RANDOM, SECURITY_TOKEN, Proof, command_hash, signed_headers

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

WAIT_S_MAX = 150.0
# web answers by itself after a quarter of a minute.
_TIMEOUT_S = 25.0
_PAUSE_S = 1.0
_NO_CREDENTIALS = (
    "There are no AWS credentials on this machine: sign in (`aws sso login`), or name a profile with --profile."
)


class Refused(Exception):
    """In one sentence, or as many as prodaccess said. `code`: what the command ends with."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose credentials, and where they are used. `environ`: for the address of AWS."""

    credentials: ReadOnlyCredentials
    region: str
    environ: Mapping[str, str]

    def sign(self, audience: str, challenge: str, hashed: str) -> Proof:
        """Raises Refused for a region that AWS does not have."""
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - takes long, and only a person at a terminal needs it
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above

        address = sts_address(self.region, self.environ)
        if address is None:
            raise Refused(f"AWS has no region {self.region!r}: name one with --region, like eu-central-1.", 2)
        headers = dict(signed_headers(host_of(address), audience, challenge, hashed))
        request = AWSRequest("POST", f"{address}/", headers=headers, data=BODY)
        SigV4Auth(self.credentials, "sts", self.region).add_auth(request)
        signature = str(request.headers["Authorization"]).rpartition("Signature=")[2]
        token = str(request.headers.get(SECURITY_TOKEN) or "")
        return Proof(
            self.region, str(self.credentials.access_key), str(request.headers["X-Amz-Date"]), signature, token
        )


def signer(profile: str | None, region: str | None, environ: Mapping[str, str]) -> Signer:
    """By boto3's own chain. Raises Refused where it finds nothing that can be used."""
    import botocore.session  # noqa: PLC0415 - as above
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

    try:
        session = botocore.session.Session(profile=profile)
        found = session.get_credentials()
        credentials = found.get_frozen_credentials() if found is not None else None
        where = region or session.get_config_variable("region") or "us-east-1"
    except BotoCoreError as problem:
        raise Refused(f"The AWS credentials of this machine cannot be used: {problem}", 2) from None
    if credentials is None or not credentials.access_key:
        raise Refused(_NO_CREDENTIALS, 2)
    return Signer(credentials, str(where), environ)


@dataclass(frozen=True, slots=True)
class Terminal:
    """`base`: PRODACCESS_URL. `ask`: sends a request, see `bot.gate.client.call`."""

    base: str
    signer: Signer
    ask: Callable[..., Answer] = call
    pause: Callable[[float], object] = time.sleep
    monotonic_s: Callable[[], float] = time.monotonic

    def do(self, line: str) -> str:
        """What prodaccess answered. `line`: what would be typed in chat after the command's name. Raises Refused."""
        line = " ".join(line.split())
        made = self._said(self._post("challenges", {}), "challenge")
        challenge, audience = made.text("challenge"), made.text("audience")
        if audience != self.base:
            raise Refused(f"This address says that it is {audience!r}: set PRODACCESS_URL to that, if you trust it.", 2)
        if not RANDOM.fullmatch(challenge):
            raise Refused("What answers at PRODACCESS_URL is no prodaccess.", 5)
        ticket = secrets.token_urlsafe(32)
        hashed = ticket_hash(ticket)
        proof = self.signer.sign(self.base, challenge, command_hash(line, hashed))
        sent = {
            "challenge": challenge,
            "line": line,
            "ticket_hash": hashed,
            "region": proof.region,
            "access_key": proof.access_key,
            "date": proof.date,
            "signature": proof.signature,
            "token": proof.token,
        }
        id_ = self._said(self._post("acts", sent), "id").text("id")
        return self._waited(id_, ticket)

    def _waited(self, id_: str, ticket: str) -> str:
        until_s = self.monotonic_s() + WAIT_S_MAX
        while self.monotonic_s() < until_s:
            found = self._post("answers", {"id": id_, "ticket": ticket})
            if not found.is_passing:
                answer = self._said(found, "").said.get("answer")
                if isinstance(answer, str):
                    if found.said.get("refused"):
                        raise Refused(answer, 1)
                    return answer
            self.pause(max(_PAUSE_S, found.after_s))
        words = "There is no answer yet; perhaps it is carried out all the same. Is a worker running? /readyz says it."
        raise Refused(words, 5)

    def _post(self, what: str, body: Mapping[str, Any]) -> Answer:
        try:
            return self.ask("POST", f"{self.base}/terminal/v1/{what}", "none", body, _TIMEOUT_S)
        except NoAnswer as problem:
            raise Refused(f"{self.base} {problem}.", 5) from None

    def _said(self, answer: Answer, wants: str) -> Answer:
        if 200 <= answer.status < 300 and (not wants or answer.text(wants)):
            return answer
        raise Refused(answer.text("sentence") or f"{self.base} answered with an error ({answer.status}).", 5)
