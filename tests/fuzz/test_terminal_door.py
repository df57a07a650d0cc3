"""What strangers send to the door for terminals, nearly right, and what answers in AWS's place: nobody comes of it."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.terminal_access.endpoints import sts_address
from bot.terminal_access.sent import read
from tests.support.fuzz import as_json, few, nearly, quickly
from workflows.core.terminal.caller import Caller, caller_of
from workflows.core.terminal.proof import call_headers
from workflows.usecases.identity.terminal_acts import Sent

BODY = {"challenge": "c" * 43, "line": "request orders-prod read-only why", "ticket_hash": "0" * 64, "token": ""}
BODY |= {
    "region": "eu-central-1",
    "access_key": "AKIAAAAAAAAAAAAAAAAA",
    "date": "20261127T182500Z",
    "signature": "a" * 64,
}
ACCOUNT = "444455556666"
SAID = {"account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/dana", "user_id": "AIDADANAXXXXXXXXXXXX"}
_ADDRESS = re.compile(r"https://sts\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")


@few(40)
@given(nearly(BODY))
def test_whatever_is_sent_makes_no_header_and_no_address_of_its_own(body: Any) -> None:
    with quickly():
        found = read(as_json(body).encode("utf-8", "surrogatepass"))
    assert isinstance(found, Sent | str)
    if isinstance(found, Sent):
        headers = call_headers(found.proof, "sts.example.com", "https://us.example.com", found.challenge, "0" * 64)
        assert all(value.isascii() and value.isprintable() for value in headers.values())
        address = sts_address(found.proof.region, {})
        assert address is None or _ADDRESS.fullmatch(address)


@few(30)
@given(st.one_of(st.binary(), st.text().map(str.encode)))
@example(b"[" * 10_000)
@example(json.dumps(BODY | {"line": "a\nb"}).encode())
def test_any_bytes_as_a_body(body: bytes) -> None:
    with quickly():
        assert isinstance(read(body), str)


@few(40)
@given(st.text(), st.text(), st.text())
def test_any_words_in_an_answer_are_nobody(account: str, arn: str, user_id: str) -> None:
    assert caller_of(account, arn, user_id) is None


@few(40)
@given(nearly(SAID))
def test_an_answer_that_is_nearly_right_is_of_its_own_account(said: Any) -> None:
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in SAID):
        return
    found = caller_of(said["account"], said["arn"], said["user_id"])
    assert found is None or (isinstance(found, Caller) and found.account == said["account"])
    assert found is None or said["arn"].split(":")[4] == found.account
