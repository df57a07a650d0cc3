"""What a verifier is handed by whoever wants it to fail: refused in a sentence, or read; never a crash, and soon."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.settings import Secret
from bot.slack.signed import SlackSignatures, packed
from tests.support.build import NOW, OLU
from tests.support.fuzz import ODD, as_json, few, nearly, quickly
from tests.support.signed import SECRET, lessened, press, signed_act, typed
from tests.support.world import account
from workflows.core.audit_check import AuditCheck, AuditState, StoredEntry
from workflows.core.canonical_json import canonical_json
from workflows.core.records.signed import SignedAct
from workflows.core.seal.layout import BadRun, entries_in, run_name
from workflows.core.seal.public_key import NotAPublicKey, public_key_from
from workflows.core.seal.statement import BadSeal, head_in, key_change_in, seal_from, shown_head

CHECK = SlackSignatures(Secret("SLACK_SIGNING_SECRET", (SECRET,)))
WHO = account(OLU)
BODIES = (press(WHO, "PA-1:0123456789abcdef"), typed(WHO, "approve PA-1"), lessened(WHO, "PA-1", "read-only", 60))
TEXTS = st.text(max_size=40) | st.sampled_from([one for one in ODD if isinstance(one, str)])


@few(8)
@given(TEXTS, TEXTS, TEXTS | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()))
def test_any_record_of_a_signed_vote(timestamp: str, signature: str, body: str) -> None:
    whole = signed_act(BODIES[0], NOW)
    for act in (SignedAct(timestamp, signature, body), replace(whole, body=body), replace(whole, timestamp=timestamp)):
        with quickly():
            assert CHECK.read(act) is None or act == whole


@few(8)
@given(st.sampled_from(BODIES) | st.text(max_size=60), st.data())
@example("payload=" + "[" * 50_000, None)
@example("payload=%7B%22type%22%3A%22block_actions%22%7D", None)
def test_any_body_that_is_signed(body: str, data: Any) -> None:
    """By somebody who has the secret, or by a Slack that has changed."""
    if data is not None and body.startswith("payload="):
        from urllib.parse import parse_qs, urlencode

        payload = data.draw(nearly(json.loads(parse_qs(body)["payload"][0])))
        body = urlencode({"payload": as_json(payload)})
    elif data is not None and body:
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + data.draw(st.text(max_size=5)) + body[at + 1 :]
    with suppress(UnicodeEncodeError), quickly():
        act = signed_act(body, NOW)
        found = CHECK.read(replace(act, body=packed(body)))
        assert found is None or found.who.surface == "slack"


BODY = {
    "v": 2, "event": "request.made", "subject": "PA-1", "at": NOW.isoformat(), "nonce": "0" * 32, "facts": {}, "private": ""
}  # fmt: skip
JUNK = st.binary(max_size=40) | st.sampled_from(ODD).map(lambda one: as_json(one).encode())


@few(8)
@given(st.lists(st.tuples(st.integers(-3, 9), nearly(BODY) | JUNK, st.none() | JUNK, st.text(max_size=9)), max_size=5))
def test_any_entries_of_an_audit_log(rows: list[tuple[int, Any, bytes | None, str]]) -> None:
    entries = [
        StoredEntry(number, body if isinstance(body, bytes) else as_json(body).encode(), link * 3, words, link)
        for number, body, words, link in rows
    ]
    check = AuditCheck(AuditState(counted=len(entries), link="x", newest=9, words=1))
    with quickly():
        found = [
            *check.entries(entries),
            *check.counts(),
            *check.lists([("PA-1", [1, None]), ("x", [])]),
            *check.beyond(9),
        ]
    assert all(isinstance(one, str) and "\n" not in one for one in found)


LINE = {"number": 1, "body": "{}", "digest": "0" * 64, "link": "1" * 40}


@few(8)
@given(st.lists(nearly(LINE) | JUNK, max_size=4), TEXTS)
def test_any_lines_of_an_archive(lines: list[Any], name: str) -> None:
    run = b"\n".join(line if isinstance(line, bytes) else as_json(line).encode() for line in lines)
    for called in (run_name("x/", 1, len(lines)), name):
        with suppress(BadRun), quickly():
            for entry in entries_in(run, called):
                assert entry.is_intact in (True, False)


HEAD = {
    "v": 1,
    "kind": "prodaccess.head",
    "log": "0" * 32,
    "size": 3,
    "root": "1" * 64,
    "at": "2026-11-21T03:00:00+00:00",
}
CHANGE = {
    "v": 1,
    "kind": "prodaccess.key",
    "log": "0" * 32,
    "old": "1" * 64,
    "new": "2" * 64,
    "new_key": "x",
    "size": 1,
}


@few(8)
@given(nearly(HEAD | {"epoch": 1, "before": ""}) | nearly(CHANGE | {"at": HEAD["at"]}), JUNK, TEXTS)
def test_any_seal(statement: Any, raw: bytes, text: str) -> None:
    seal = {"statement": as_json(statement), "key": text, "signature": text}
    for read in (
        lambda: head_in(as_json(statement)),
        lambda: key_change_in(as_json(statement)),
        lambda: head_in(text),
        lambda: seal_from(raw),
        lambda: seal_from(as_json(seal).encode()),
    ):
        with suppress(BadSeal), quickly():
            read()
    with suppress(NotAPublicKey):
        public_key_from(text)
    with suppress(ValueError):
        shown_head(text)
    with suppress(TypeError, UnicodeEncodeError):
        canonical_json(statement)
