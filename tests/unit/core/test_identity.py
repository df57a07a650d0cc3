"""Accounts, people and addresses: what is one, what is none, and who an account is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.support.build import NOW, OLU, facts, groups
from workflows.core import keys
from workflows.core.identity import Account, account_named, address_of
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


@pytest.mark.parametrize(
    ("account", "id_", "short", "page"),
    [
        (Account("slack", "T1", "U1"), "slack:T1:U1", "T1:U1", "home-T1-U1"),
        (Account("teams", "a-b", "c-d"), "teams:a-b:c-d", "teams:a-b:c-d", "home-teams:a-b:c-d"),
        # Slack does not always say the workspace.
        (Account("slack", "", "U1"), "slack::U1", ":U1", "home--U1"),
    ],
)
def test_an_account_is_named_with_its_chat_but_where_the_first_versions_knew_no_other(
    account: Account, id_: str, short: str, page: str
):
    assert (account.id, account.short, keys.whois(account), keys.home(account)) == (id_, short, f"whois:{short}", page)
    assert account_named(short) == keys.whose_home(page) == account
    assert address_of(account.id) is None


def test_accounts_of_two_chats_with_the_same_ids_are_two():
    slack, other = Account("slack", "T1", "U1"), Account("teams", "T1", "U1")
    assert slack != other
    assert replace(facts(OLU), slack=slack).account != replace(facts(OLU), slack=other).account
    assert replace(facts(OLU), slack=other, tenant="E1").accounts == ("teams:E1:U1", "teams:T1:U1")
    assert replace(facts(OLU), slack=other).colleague("U2") == Account("teams", "T1", "U2")


@pytest.mark.parametrize("name", ["", "U1", "T1"])
def test_what_names_no_account_is_an_error(name: str):
    with pytest.raises(ValueError, match="unpack"):
        account_named(name)


def test_one_account_of_an_organisation_has_one_id_in_all_its_workspaces():
    here = replace(facts(OLU), tenant="E1", slack=Account("slack", "T1", "U1"))
    there = replace(facts(OLU), tenant="E1", slack=Account("slack", "T2", "U1"))
    assert here.account == there.account == "slack:E1:U1"
    assert "slack:T1:U1" in here.accounts
    assert facts(OLU).account != replace(facts(OLU), slack=Account("slack", "T9", "UOLU")).account


# ---------------------------------------------------------------- the age of what is known


def test_facts_from_the_future_are_stale():
    minute = timedelta(seconds=60)
    assert is_fresh(NOW, NOW)
    assert is_fresh(NOW - minute, NOW)
    assert not is_fresh(NOW - minute - timedelta(seconds=1), NOW)
    assert not is_fresh(NOW + minute, NOW)
    assert not is_fresh(None, NOW)
    assert groups(oncall=Membership(frozenset(), NOW + minute)).stale(("oncall",), NOW) == ("oncall",)
