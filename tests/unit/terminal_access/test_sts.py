"""Asking AWS who has signed a call: what is believed, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from bot.sandbox.aws.sts import Key, StsServer
from bot.terminal_access.client import Refused, Signer
from bot.terminal_access.endpoints import host_of, sts_address
from bot.terminal_access.sts import NoAnswer, NotProved, who_signed
from workflows.core.records.terminal import TerminalAct
from workflows.core.terminal.caller import Caller, caller_of
from workflows.core.terminal.proof import BODY, Proof, command_hash, signed_headers

ACCOUNT, NOW = "444455556666", datetime(2026, 11, 27, tzinfo=UTC)
USER = Key("s" * 40, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/people/dana", "AIDADANAXXXXXXXXXXXX")
ACT = TerminalAct(
    "a" * 24, "c" * 43, "https://prodaccess.example.com", NOW, "request payments-prod read-only why", None, "0" * 64
)
HASHED = command_hash(ACT.line, ACT.ticket_hash)


@pytest.fixture
def sts() -> Iterator[StsServer]:
    with StsServer({"AKIADANAAAAAAAAAAAAA": USER}) as server:
        yield server


def environ(sts: StsServer) -> Mapping[str, str]:
    return {"AWS_ENDPOINT_URL_STS": sts.url}


def proof(sts: StsServer, key: Key = USER, **changed: str) -> Proof:
    signer = Signer(
        ReadOnlyCredentials("AKIADANAAAAAAAAAAAAA", key.secret, key.token or None), "eu-central-1", environ(sts)
    )
    return replace(signer.sign(ACT.audience, ACT.challenge, HASHED), **changed)


def test_who_signed_is_who_aws_says(sts: StsServer) -> None:
    found = who_signed(ACT, proof(sts), environ(sts))

    assert found == Caller("aws", ACCOUNT, "dana", "AIDADANAXXXXXXXXXXXX")


def test_temporary_credentials_sign_with_their_token(sts: StsServer) -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Read_0123456789abcdef/dana@example.com"
    key = replace(USER, token="t" * 900, arn=arn, user_id="AROAREADXXXXXXXXXXXX:dana@example.com")
    sts.keys["AKIADANAAAAAAAAAAAAA"] = key

    assert who_signed(ACT, proof(sts, key), environ(sts)).session == "dana@example.com"
    with pytest.raises(NotProved):
        who_signed(ACT, proof(sts, key, token=""), environ(sts))


@pytest.mark.parametrize(
    "left_out", ["x-prodaccess-command", "x-prodaccess-challenge", "x-prodaccess-audience", "content-type"]
)
def test_a_header_that_was_not_signed_is_no_proof(sts: StsServer, left_out: str) -> None:
    headers = dict(signed_headers(host_of(sts.url), ACT.audience, ACT.challenge, HASHED))
    del headers[left_out]
    request = AWSRequest("POST", f"{sts.url}/", headers=headers, data=BODY)
    SigV4Auth(ReadOnlyCredentials("AKIADANAAAAAAAAAAAAA", USER.secret, None), "sts", "eu-central-1").add_auth(request)
    signature = request.headers["Authorization"].rpartition("Signature=")[2]

    with pytest.raises(NotProved):
        who_signed(ACT, proof(sts, signature=signature, date=request.headers["X-Amz-Date"]), environ(sts))


@pytest.mark.parametrize(
    ("method", "body", "url"),
    [
        ("GET", BODY, "/"),
        ("POST", "Action=GetSessionToken&Version=2011-06-15", "/"),
        ("POST", f"{BODY}&Action=GetSessionToken", "/"),
        ("POST", BODY, "/?Action=GetSessionToken"),
        ("POST", "", f"/?{BODY}"),
    ],
)
def test_a_signature_over_another_call_is_no_proof(sts: StsServer, method: str, body: str, url: str) -> None:
    headers = dict(signed_headers(host_of(sts.url), ACT.audience, ACT.challenge, HASHED))
    request = AWSRequest(method, f"{sts.url}{url}", headers=headers, data=body)
    SigV4Auth(ReadOnlyCredentials("AKIADANAAAAAAAAAAAAA", USER.secret, None), "sts", "eu-central-1").add_auth(request)
    signature = request.headers["Authorization"].rpartition("Signature=")[2]

    with pytest.raises(NotProved):
        who_signed(ACT, proof(sts, signature=signature, date=request.headers["X-Amz-Date"]), environ(sts))


@pytest.mark.parametrize(
    "changed",
    [
        {"audience": "https://elsewhere.example.com"},
        {"challenge": "d" * 43},
        {"line": "request payments-prod admin why"},
        {"ticket_hash": "1" * 64},
    ],
)
def test_a_proof_is_for_this_act_alone(sts: StsServer, changed: dict[str, Any]) -> None:
    with pytest.raises(NotProved):
        who_signed(replace(ACT, **changed), proof(sts), environ(sts))


@pytest.mark.parametrize(
    "region",
    [
        "evil.example.com/",
        "eu-central-1.evil.com",
        "eu-central-1@evil.com",
        "",
        "xx-central-1",
        "eu-central-1\n",
        "EU-CENTRAL-1",
    ],
)
def test_no_address_is_made_of_what_was_sent(sts: StsServer, region: str) -> None:
    with pytest.raises(NotProved):
        who_signed(ACT, proof(sts, region=region), environ(sts))
    assert sts.asked == 0
    assert sts_address(region, {}) is None


def test_regions_lead_to_aws_and_to_our_own_endpoint_where_there_is_one() -> None:
    assert sts_address("eu-central-1", {}) == "https://sts.eu-central-1.amazonaws.com"
    assert sts_address("cn-north-1", {}) == "https://sts.cn-north-1.amazonaws.com.cn"
    assert sts_address("eu-central-1", {"AWS_ENDPOINT_URL": "https://vpce.example.com/"}) == "https://vpce.example.com"


_GOOD = {
    "GetCallerIdentityResponse": {
        "GetCallerIdentityResult": {"Account": ACCOUNT, "Arn": USER.arn, "UserId": USER.user_id}
    }
}
_JSON = {"Content-Type": "application/json"}
_XML = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::444455556666:user/olu</Arn>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/xml"}, _XML.encode()),
        (200, _JSON, _XML.encode()),
        (200, {}, json.dumps(_GOOD).encode()),
        (200, _JSON, json.dumps(_GOOD).encode() + b" " * 20_000),
        (
            200,
            _JSON,
            b'{"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Account": 1, "Arn": 2, "UserId": 3}}}',
        ),
        (200, _JSON, b'{"GetCallerIdentityResponse": 1, "GetCallerIdentityResponse": {}}'),
        (200, _JSON, b"[" * 3000),
        (201, _JSON, json.dumps(_GOOD).encode()),
        (302, {"Location": "/elsewhere"}, json.dumps(_GOOD).encode()),
        (307, {"Location": "http://127.0.0.1:1/", **_JSON}, json.dumps(_GOOD).encode()),
        (500, _JSON, json.dumps(_GOOD).encode()),
        (400, _JSON, b'{"Error": {"Code": "Throttling"}}'),
    ],
)
def test_an_answer_that_is_not_a_plain_one_of_awss_is_none(
    sts: StsServer, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Nobody is refused for it either: it is asked again."""
    sts.instead = lambda: (status, headers, body)

    with pytest.raises(NoAnswer):
        who_signed(ACT, proof(sts), environ(sts))
    assert sts.asked == 1, "no redirect is followed"


def test_a_signature_is_asked_about_by_https_alone(sts: StsServer) -> None:
    with pytest.raises(NoAnswer, match="not an https"):
        who_signed(ACT, proof(sts), {"AWS_ENDPOINT_URL_STS": "http://sts.example.com"})


def test_a_region_that_is_none_is_said_before_anything_is_sent() -> None:
    signer = Signer(ReadOnlyCredentials("AKIADANAAAAAAAAAAAAA", "s" * 40, None), "mars-1", {})
    with pytest.raises(Refused, match="no region 'mars-1'"):
        signer.sign(ACT.audience, ACT.challenge, HASHED)


SSO = "assumed-role/AWSReservedSSO_Read_0123456789abcdef"


@pytest.mark.parametrize(
    ("arn", "user_id"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/dana", f"{ACCOUNT}:dana"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/dana@example.com", "AROADEPLOYXXXXXXXXXX:dana@example.com"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Read/dana", "AROAREADXXXXXXXXXXXX:dana"),
        (f"arn:aws:sts::{ACCOUNT}:{SSO}/dana", "AROAREADXXXXXXXXXXXX:olu"),
        (f"arn:aws:sts::{ACCOUNT}:{SSO}/dana", "AIDADANAXXXXXXXXXXXX"),
        (f"arn:aws:sts::{ACCOUNT}:{SSO}/da/na", "AROAREADXXXXXXXXXXXX:da/na"),
        (f"arn:aws:sts::{ACCOUNT}:{SSO}/dana\n", "AROAREADXXXXXXXXXXXX:dana\n"),
        (f"arn:aws:sts::{ACCOUNT}:{SSO}/dána", "AROAREADXXXXXXXXXXXX:dána"),
        (f"arn:aws:sts::999900001111:{SSO}/dana", "AROAREADXXXXXXXXXXXX:dana"),
        ("arn:aws:iam::999900001111:user/dana", "AIDADANAXXXXXXXXXXXX"),
        (f"arn:aws:iam::{ACCOUNT}:user/dana", "AROADANAXXXXXXXXXXXX"),
        (f"arn:evil:iam::{ACCOUNT}:user/dana", "AIDADANAXXXXXXXXXXXX"),
        (f"arn:aws:iam::{ACCOUNT}:user/", "AIDADANAXXXXXXXXXXXX"),
        ("", ""),
    ],
)
def test_what_is_no_person_is_nobody(arn: str, user_id: str) -> None:
    assert caller_of(ACCOUNT, arn, user_id) is None
