"""`identity_accounts` and `when_chat_is_down`: what they mean, and which accounts can vouch for nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, policy, problems, warnings
from workflows.policy_file.difference import difference

HOME, GIVEN = "444455556666", "111122223333"
# What changes something is given by a role of an account that is known.
REACHED = (WORKSPACE, "region: eu-central-1}", 'region: eu-central-1, role_arn: "arn:aws:iam::777788889999:role/bot"}')
ADMIN = (
    "roles.yaml",
    "  state-write:\n",
    "  admin: {risk: admin, allows: All, target: {kind: aws-identity-center, permission_set: Admin}}\n  state-write:\n",
)
ADMIN_HERE = (SHOP, "  state-write: {}\n", "  state-write: {}\n  admin: {}\n")


def vouch(*accounts: str) -> tuple[str, str, str]:
    listed = ", ".join(f'"{account}"' for account in accounts)
    return WORKSPACE, "digests:", f"identity_accounts: [{listed}]\ndigests:"


def glass(value: str) -> tuple[str, str, str]:
    return SHOP, "review_within: 24h}", f"review_within: 24h, when_chat_is_down: {value}}}"


def test_accounts_are_read_and_told(tmp_path: Path) -> None:
    before = policy(tmp_path / "before", REACHED)
    after = policy(tmp_path / "after", REACHED, vouch(HOME, HOME))

    assert (before.identity_accounts, after.identity_accounts) == ((), (HOME,))
    assert any("identity_accounts" in line and HOME in line for line in difference(before, after))


def test_an_account_in_which_more_than_read_is_given_cannot_vouch(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, REACHED, ADMIN, ADMIN_HERE, vouch(HOME, GIVEN))

    assert f"account {GIVEN} cannot vouch for people: shop-prod admin is given there, with risk admin" in said
    assert "prodaccess.yaml" in said


def test_neither_can_the_account_whose_role_gives_it(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, REACHED, vouch("777788889999"))

    assert "shop-prod state-write is given there, with risk change" in said


def test_nor_any_where_nobody_can_tell_in_which_account_it_is_given(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, vouch(HOME))

    assert "nobody can tell in which account shop-prod state-write is given" in said


@pytest.mark.parametrize("value", ["[444455556666]", '["4444"]', '"444455556666"', '["44445555666a"]'])
def test_what_is_no_list_of_accounts_is_refused(tmp_path: Path, value: str) -> None:
    assert problems(tmp_path, REACHED, (WORKSPACE, "digests:", f"identity_accounts: {value}\ndigests:"))


@pytest.mark.parametrize(
    ("value", "roles"),
    [("true", ("read-only",)), ("false", ()), ("[state-write]", ("state-write",))],
)
def test_without_names_only_what_looks_is_open_while_chat_is_down(
    tmp_path: Path, value: str, roles: tuple[str, ...]
) -> None:
    wider = (SHOP, "roles: [read-only],", "roles: [read-only, state-write],")
    found = policy(tmp_path, wider, glass(value)).environments["shop-prod"].break_glass

    assert found is not None
    assert found.when_chat_is_down == roles


@pytest.mark.parametrize("value", ["yes please", "[nothing-like-it]", "[]", "3"])
def test_what_is_neither_is_refused_in_a_sentence(tmp_path: Path, value: str) -> None:
    (said,) = problems(tmp_path, glass(value))

    assert "when_chat_is_down" in said or "nothing-like-it" in said


def test_it_is_warned_of_where_it_opens_nothing(tmp_path: Path) -> None:
    words = "when_chat_is_down of shop-prod opens nothing"

    assert any(words in line for line in warnings(tmp_path / "none", glass("true")))
    assert not any(words in line for line in warnings(tmp_path / "one", REACHED, vouch(HOME), glass("true")))
