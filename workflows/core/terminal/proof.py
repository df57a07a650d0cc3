"""What a person signs at a terminal: the call `sts:GetCallerIdentity`, with a challenge and the hash of the command in it.

Only what signs is sent, and the call itself is put together here, at the terminal and by the worker alike. So nobody can have
another action, method, body, address or header sent in its place: the signature would not fit.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workflows.core.canonical_json import digest

BODY = "Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
CHALLENGE, COMMAND, AUDIENCE = "x-prodaccess-challenge", "x-prodaccess-command", "x-prodaccess-audience"
SECURITY_TOKEN = "x-amz-security-token"  # noqa: S105 - the name of a header
# A session of Identity Center has about 1,500 characters.
TOKEN_LENGTH_MAX = 8192
LINE_LENGTH_MAX = 2000
# 256 random bits.
RANDOM = re.compile(r"[A-Za-z0-9_-]{43}")
_ACCESS_KEY = re.compile(r"[A-Z0-9]{16,128}")
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
HEX_64 = re.compile(r"[0-9a-f]{64}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]*")


@dataclass(frozen=True, slots=True)
class Proof:
    """Of one call. `date`: `20261127T182500Z`. `signature`: 64 hex digits. `token`: of temporary credentials, else empty."""

    region: str
    access_key: str
    date: str
    signature: str
    token: str = ""

    @property
    def is_well_formed(self) -> bool:
        """Before anything of it goes into a header."""
        forms = (
            (_REGION, self.region),
            (_ACCESS_KEY, self.access_key),
            (_DATE, self.date),
            (HEX_64, self.signature),
        )
        fits = all(form.fullmatch(text) for form, text in forms) and _TOKEN.fullmatch(self.token) is not None
        return fits and len(self.token) <= TOKEN_LENGTH_MAX


def command_hash(line: str, ticket_hash: str) -> str:
    """64 hex digits over what is typed after the command's name, and over who may hear the answer."""
    return digest(["prodaccess terminal 1", line, ticket_hash])


def signed_headers(host: str, audience: str, challenge: str, command: str) -> Mapping[str, str]:
    """The headers that are signed beside the date and the token. `audience`: where prodaccess is, so that a proof for one
    installation is worth nothing at another.
    """
    return {"content-type": CONTENT_TYPE, "host": host, AUDIENCE: audience, CHALLENGE: challenge, COMMAND: command}


def call_headers(proof: Proof, host: str, audience: str, challenge: str, command: str) -> Mapping[str, str]:
    """All headers of the call, the signature among them."""
    headers = {**signed_headers(host, audience, challenge, command), "x-amz-date": proof.date}
    if proof.token:
        headers[SECURITY_TOKEN] = proof.token
    scope = f"{proof.access_key}/{proof.date[:8]}/{proof.region}/sts/aws4_request"
    names = ";".join(sorted(headers))
    signs = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={proof.signature}"
    return {**headers, "authorization": signs}
