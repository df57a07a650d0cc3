"""Accounts, people and addresses: what is one, what is none, and who an account is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.support.build import NOW, OLU, facts, groups
from workflows.core.identity import SlackUser, address_of, is_account
from workflows.core.people import Membership, is_fresh
from workflows.policy_file.values import Address as Written

# ---------------------------------------------------------------- addresses


def test_one_address_has_one_spelling():
    assert address_of("  Olu.Owner@Example.COM ") == "olu.owner@example.com"


# The long s, the Kelvin sign, a dotless i, a Cyrillic o, full-width letters: each is, folds into, or looks like, one of ours.
@pytest.mark.parametrize("local", ["\u017fid", "\u212aim", "n\u0131a", "\u043elu", "\uff4flu"])
def test_letters_of_other_alphabets_are_nobodys_address(local: str):
    assert address_of(f"{local}@example.com") is None
    with pytest.raises(ValidationError, match="e-mail address"):
        TypeAdapter(Written).validate_python(f"{local}@example.com")


@pytest.mark.parametrize(
    "text",
    ["", "olu", "olu@", "@example.com", "a@b@c", "a b@example.com", "slack:T1@example.com", "a\n@example.com"],
)
def test_what_is_no_address_is_none(text: str):
    assert address_of(text) is None


def test_a_renamed_domain_is_the_same_address():
    assert address_of("Olu@Old.example", {"old.example": "example.com"}) == "olu@example.com"
    assert address_of("olu@else.example", {"old.example": "example.com"}) == "olu@else.example"


def test_an_account_is_no_address():
    assert is_account(SlackUser("T1", "U1").account)
    assert not is_account(address_of("slack@example.com"))


def test_one_account_of_an_organisation_has_one_id_in_all_its_workspaces():
    here = replace(facts(OLU), tenant="E1", slack=SlackUser("T1", "U1"))
    there = replace(facts(OLU), tenant="E1", slack=SlackUser("T2", "U1"))
    assert here.account == there.account == "slack:E1:U1"
    assert "slack:T1:U1" in here.accounts
    assert facts(OLU).account != replace(facts(OLU), slack=SlackUser("T9", "UOLU")).account


# ---------------------------------------------------------------- the age of what is known


def test_facts_from_the_future_are_stale():
    minute = timedelta(seconds=60)
    assert is_fresh(NOW, NOW)
    assert is_fresh(NOW - minute, NOW)
    assert not is_fresh(NOW - minute - timedelta(seconds=1), NOW)
    assert not is_fresh(NOW + minute, NOW)
    assert not is_fresh(None, NOW)
    assert groups(oncall=Membership(frozenset(), NOW + minute)).stale(("oncall",), NOW) == ("oncall",)
