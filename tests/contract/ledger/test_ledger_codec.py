"""Every record survives its way to the store and back."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.ledger.ledger_world import SOME_TIME, person, press, slot
from workflows.core.audit_check import StoredEntry
from workflows.core.identity import Account
from workflows.core.provider import TargetTerms
from workflows.core.records.record import Record
from workflows.ledger.codec import KINDS, UnstorableRecord, audit_entry, decode, encode, versioned
from workflows.ledger.times import instant
from workflows.ports import CorruptRecord
from workflows.targets.aws.terms import AwsTerms

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.integers(0, 4 * 10**15).map(instant),
    type(None): st.none(),
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the records use them."""
    hint = getattr(hint, "__supertype__", hint)
    if hint in PLAIN:
        return PLAIN[hint]
    parts = get_args(hint)
    if is_dataclass(hint):
        # What is stored is of a provider's own class.
        hint = AwsTerms if hint is TargetTerms else hint
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: anything(hints[field.name]) for field in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if get_origin(hint) is Mapping:
        return st.dictionaries(anything(parts[0]), anything(parts[1]), max_size=3)
    if get_origin(hint) is tuple and parts[-1] is Ellipsis:
        return st.lists(anything(parts[0]), max_size=2).map(tuple)
    if get_origin(hint) is tuple:
        return st.tuples(*map(anything, parts))
    return st.one_of(*map(anything, parts))


@pytest.mark.parametrize("prefix", KINDS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_every_kind_of_record_is_read_back_as_it_was_written(prefix: str, data: st.DataObject) -> None:
    record: Any = data.draw(anything(KINDS[prefix]))
    for name in ("account", "address", "id", "subject", "person"):
        if name in getattr(record, "__dataclass_fields__", ()):
            record = replace(record, **{name: "x"})
            break
    assert decode(f"{prefix}:x", encode(f"{prefix}:x", record)) == record


def test_every_kind_of_record_has_a_prefix() -> None:
    assert set(KINDS.values()) == set(Record.__args__)


def test_times_keep_their_microseconds_and_their_zone() -> None:
    exact = SOME_TIME.replace(microsecond=1)
    read = decode("person:a@example.com", encode("person:a@example.com", person("a", blocked_until=exact)))
    assert read.blocked_until == exact
    assert read.blocked_until.utcoffset() == exact.utcoffset()


def test_fields_that_a_newer_version_wrote_are_passed_over() -> None:
    newer = {**json.loads(encode("person:a", person("a"))), "a_new_field": {"deep": [1]}}
    newer["slack"] = [{"team": "T", "user": "U", "also_new": 1}]
    read = decode("person:a@example.com", json.dumps(newer))
    assert replace(read, slack=()) == person("a")


def test_an_account_of_slack_is_stored_as_ever_and_one_of_another_chat_says_which() -> None:
    stored = encode("person:a", person("a", slack=(Account("slack", "T", "U"), Account("teams", "T", "U"))))
    slack, teams = b'{"team":"T","user":"U"}', b'{"surface":"teams","team":"T","user":"U"}'
    assert b'"slack":[' + slack + b"," + teams + b"]" in stored
    assert decode("person:a@example.com", stored).slack == (Account("slack", "T", "U"), Account("teams", "T", "U"))


def test_fields_that_an_older_version_did_not_write_have_their_default() -> None:
    optional = {field.name for field in fields(KINDS["slot"])} - {"id"}
    older = {name: value for name, value in json.loads(encode("slot:a", slot("a"))).items() if name not in optional}
    assert decode("slot:a", json.dumps(older)) == slot("a")


@pytest.mark.parametrize("body", ["", "{", "null", "[]", '{"name": "Ada"}', '{"id": 7, "name": "secret words"}'])
def test_a_corrupt_record_is_a_named_error_that_says_where_and_keeps_its_content_to_itself(body: str) -> None:
    with pytest.raises(CorruptRecord, match="person:ada is not a PersonRecord") as caught:
        decode("person:ada", body)
    assert "secret" not in str(caught.value)


def test_a_record_that_breaks_its_own_type_is_not_stored() -> None:
    with pytest.raises(UnstorableRecord, match="cannot be stored"):
        encode("person:a", person("a", pending=["PA-1"]))
    with pytest.raises(UnstorableRecord, match="cannot be stored"):
        encode("slot:a", slot("a", 7))  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["slot", "slot:", "other:a", ""])
def test_a_key_without_a_known_prefix_holds_no_record(key: str) -> None:
    with pytest.raises(UnstorableRecord, match="no record can stand"):
        encode(key, slot("a"))


def test_a_corrupt_audit_entry_is_a_named_error() -> None:
    for body in (b"", b"[]", b"{}", b'{"event": "no.such"}', b"\xff", b"[" * 100_000):
        with pytest.raises(CorruptRecord, match="audit entry 7"):
            audit_entry(StoredEntry(7, body, "", None))


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"{",
        b"{}",
        b"7",
        b"7:",
        b"7:[]",
        b"7:\xff",
        b"7:" + b"[" * 100_000,
        b"0:{}",
        b"007:{}",
        b"-1:{}",
        b"9" * 30 + b":{}",
        b"7:" + encode("press:other", press("other")),
        b"7:" + encode("press:a", press("a")).replace(b"Z", b""),
        b"7:" + encode("slot:a", slot("a")),
    ],
)
def test_whatever_stands_there_is_a_record_or_a_problem_that_is_named(stored: bytes | str) -> None:
    found = versioned("press:a", stored)
    assert (found.record, found.is_absent) == (None, False)
    assert "press:a" in found.problem
