"""What is signed, and how it is read back."""

from __future__ import annotations

import pytest

from tests.support.sealed_log import AT, LOG, NEW, OURS, key, sign, stored, verify
from workflows.core.seal import layout
from workflows.core.seal.layout import ArchivedEntry, BadRun, entries_in, run_of
from workflows.core.seal.public_key import NotAPublicKey, pem_of, public_key_from, public_key_of
from workflows.core.seal.statement import (
    BadSeal,
    Head,
    ShownHead,
    fits,
    head_in,
    key_change,
    key_change_in,
    seal_from,
    seal_json,
    shown_head,
    signed,
)

HEAD = Head(LOG, 1042, "3f" * 32, AT, 2, "0" * 64)


def test_a_head_is_one_text_everywhere() -> None:
    assert HEAD.statement == (
        '{"at":"2026-11-27T09:00:00+00:00","before":"'
        + "0" * 64
        + '","epoch":2,"kind":"prodaccess.head","log":"'
        + LOG
        + '",'
        '"root":"' + "3f" * 32 + '","size":1042,"v":1}'
    )
    assert head_in(HEAD.statement) == HEAD
    assert HEAD.shown == "1042:3f3f3f3f3f3f"


@pytest.mark.parametrize(
    "changed",
    [
        "", "[]", "{}", "1" * 5000, "[" * 5000,
        HEAD.statement.replace("1042", '"1042"'),
        HEAD.statement.replace("1042", "-1"),
        HEAD.statement.replace("1042", "true"),
        HEAD.statement.replace("3f" * 32, "3f"),
        HEAD.statement.replace("+00:00", ""),
        HEAD.statement.replace("prodaccess.head", "prodaccess.key"),
        HEAD.statement.replace('"v":1', '"v":2'),
    ],
)  # fmt: skip
def test_what_is_no_head_is_refused(changed: str) -> None:
    with pytest.raises(BadSeal, match="cannot read"):
        head_in(changed)


def test_a_change_of_the_key_carries_the_new_one() -> None:
    change = key_change(LOG, OURS, NEW, 7, AT)
    assert key_change_in(change.statement) == change
    assert public_key_from(change.new_key) == NEW
    with pytest.raises(BadSeal):
        key_change_in(change.statement.replace(NEW.fingerprint, OURS.fingerprint))


def test_a_seal_is_its_keys_alone() -> None:
    seal = signed(HEAD.statement, OURS, sign(OURS, HEAD.statement.encode()))
    assert seal_from(seal_json(seal)) == seal
    assert fits(seal, OURS, verify)
    assert not fits(seal, NEW, verify)
    assert not fits(signed(HEAD.statement, OURS, b"no signature"), OURS, verify)
    for broken in (b"", b"{}", b"[]", b'{"statement":1,"key":"","signature":""}', b"\xff"):
        with pytest.raises(BadSeal):
            seal_from(broken)


def test_a_public_key_is_named_by_what_openssl_hashes() -> None:
    """`openssl pkey -pubin -outform DER | sha256sum`, of the key of RFC 8410, section 10.1."""
    pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
    found = public_key_from(f"some words before it\n{pem}")
    assert pem_of(found) == pem
    assert found == public_key_of(found.der)
    assert len(found.fingerprint) == 64
    for broken in ("", pem.replace("MC", "M"), pem.replace("MCow", "MCox"), pem.replace("GEMCow", "!")):
        with pytest.raises(NotAPublicKey):
            public_key_from(broken if broken != pem else "")


@pytest.mark.parametrize("typed", ["1042:3f9a1c0b2d4e", "#1042:3F9A1C0B2D4E "])
def test_a_head_is_typed_as_it_is_shown(typed: str) -> None:
    assert shown_head(typed) == ShownHead(1042, "3f9a1c0b2d4e")


@pytest.mark.parametrize(
    "typed", ["", "1042", "1042:", "1042:3f9a", "x:3f9a1c0b2d4e", "1042:3f9a1c0b2d4g", "1042:" + "0" * 65]
)
def test_what_is_no_head_is_said(typed: str) -> None:
    with pytest.raises(ValueError, match="such as 1042:3f9a1c0b2d4e"):
        shown_head(typed)


def test_names_are_in_the_order_of_numbers() -> None:
    folder = layout.folder(LOG, 1)
    assert layout.run_name(folder, 1, 42) == f"{LOG}/runs/0000000000000001-0000000000000042.jsonl"
    assert layout.head_name(folder, 42) < layout.head_name(folder, 1000)
    assert layout.size_of_head(layout.head_name(folder, 42)) == 42
    assert layout.numbers_of_run(layout.run_name(folder, 1, 42)) == (1, 42)
    assert layout.key_change_name(folder, 7) == f"{LOG}/keys/0000000000000007.json"
    assert layout.public_key_name(folder, "ab") == f"{LOG}/keys/ab.pem"
    assert layout.folder(LOG, 2) == f"{LOG}-2/"
    aside = layout.aside(layout.run_name(folder, 1, 42), b"run")
    assert (layout.numbers_of_run(aside), layout.stands_aside(aside)) == ((1, 42), True)
    assert not layout.stands_aside(layout.run_name(folder, 1, 42))
    assert aside < layout.run_name(folder, 1, 42)
    assert layout.numbers_of_run("x/README") is None
    assert layout.size_of_head("x/README") is None


def test_a_run_is_read_back_as_it_was_written() -> None:
    first, third = stored(1, ""), stored(3, "")
    run, name = run_of([first, 2, third]), layout.run_name("x/", 1, 3)
    found = list(entries_in(run, name))
    assert found[0] == ArchivedEntry(1, first.body.decode(), first.digest, first.link)
    assert [entry.digest for entry in found] == [first.digest, "", third.digest]
    assert all(entry.is_intact for entry in found)
    for broken in (b"", run[:-30], run + run, run.replace(b'"number":3', b'"number":4'), b"\xff" + run, b"[]\n" + run):
        with pytest.raises(BadRun, match="x/runs/"):
            list(entries_in(broken, name))


def test_keys_differ() -> None:
    assert key("a").fingerprint != key("b").fingerprint
