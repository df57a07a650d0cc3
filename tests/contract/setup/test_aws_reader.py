"""What a read-only profile sees of AWS, over HTTP: whole lists of torn pages, and a sentence for what may not be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.aws.spec import EXAMPLE, IamGroupSpec, PermissionSetSpec
from bot.setup.aws import READ, Aws, Seen, connect, look, policy, profiles
from bot.setup.questions.draft import IAM, IDENTITY_CENTER
from bot.setup.questions.roles import told

REGION = "eu-central-1"
ROOT = Path(__file__).resolve().parents[3]
PREFIXES = {"sso-admin": "sso"}


@cache
def reader(region: str) -> Aws:
    """Clients cost a while to build, and the simulated AWS stays where it is."""
    return connect("", region)


def seen(*, identity_center: bool = True, region: str = REGION) -> Seen:
    return look(reader(region), identity_center=identity_center)


def test_permission_sets_and_groups_are_read_to_their_end(aws: Any) -> None:
    sets = tuple(PermissionSetSpec(f"Set{number:03}") for number in range(9))
    aws.reset(replace(EXAMPLE, permission_sets=sets, groups={f"group {number:03}": () for number in range(20)}))
    for seed in range(4):
        aws.proxy.pages.tear(seed)
        look_at_the_end(aws, seen(), sets)
    assert aws.proxy.log.count("reads") > 4 * (5 + len(sets))


def look_at_the_end(aws: Any, found: Seen, sets: tuple[PermissionSetSpec, ...]) -> None:
    assert found.why == ""
    assert found.permission_sets.names == tuple(each.name for each in sets)
    assert found.groups.names == tuple(f"group {number:03}" for number in range(20))
    assert found.permission_sets.whole
    assert found.portal == f"https://{aws.spec.identity_store_id}.awsapps.com/start"


def test_iam_groups_are_read_to_their_end(aws: Any) -> None:
    aws.reset(replace(EXAMPLE, iam_groups=tuple(IamGroupSpec(f"team-{number:02}") for number in range(30))))
    aws.proxy.pages.tear(3)
    assert len(seen(identity_center=False).iam_groups.names) == 30


class Endless:
    """A service of which every list goes on, with nothing in it."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "111122223333"}

    def get_paginator(self, _: str) -> Endless:
        return self

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        return repeat({})


def test_a_list_without_an_end_is_given_up() -> None:
    found = look(Aws("these credentials", lambda _: Endless()), identity_center=False)
    assert found.iam_groups.why == "What AWS answered to iam:ListGroups could not be read."
    assert found.accounts.why == "What AWS answered to organizations:ListAccounts could not be read."


def test_accounts_of_an_organisation(aws: Any, aws_client: Callable[..., Any]) -> None:
    organisation = aws_client("organizations")
    organisation.create_organization(FeatureSet="ALL")
    organisation.create_account(Email="shop@example.com", AccountName="Shop production")
    names = seen().accounts.names
    assert any(re.fullmatch("[0-9]{12} Shop production", each) for each in names)


def test_what_is_called_is_what_the_policy_allows_and_nothing_changes(aws: Any) -> None:
    seen()
    seen(identity_center=False)
    called = {_action(f"{record.service}:{record.action}") for record in aws.proxy.log.calls()} - {
        "sts:GetCallerIdentity"
    }
    assert called == set(READ)
    assert not aws.proxy.log.calls("changes")


def _action(name: str) -> str:
    service, _, action = name.partition(":")
    return f"{PREFIXES.get(service, service)}:{action}"


def test_the_policy_is_the_one_in_deploy() -> None:
    assert policy() == (ROOT / "deploy" / "aws" / "init-policy.json").read_text(encoding="utf-8")
    (statement,) = json.loads(policy())["Statement"]
    assert all(re.search(r":(List|Describe)", action) for action in statement["Action"])


@pytest.mark.parametrize(
    ("action", "which"),
    [
        ("ListAccounts", "accounts"),
        ("ListPermissionSets", "permission_sets"),
        ("DescribePermissionSet", "permission_sets"),
        ("ListGroups", "groups"),
    ],
)
def test_what_may_not_be_read_is_one_sentence_and_the_rest_is_read(aws: Any, action: str, which: str) -> None:
    aws.proxy.error("denied", action, times=None)
    found = seen()
    lists = {"accounts": found.accounts, "permission_sets": found.permission_sets, "groups": found.groups}
    denied = lists.pop(which)
    assert not denied.known
    assert denied.why.startswith("These credentials may not call ")
    assert action in denied.why
    assert all(each.known for each in lists.values())
    assert denied.why in told(found, IDENTITY_CENTER)


def test_without_an_instance_the_rest_is_read(aws: Any) -> None:
    aws.proxy.error("denied", "ListInstances", times=None)
    found = seen()
    assert found.accounts.known
    assert "sso:ListInstances" in found.groups.why


def test_credentials_that_are_over_are_one_sentence(aws: Any) -> None:
    aws.proxy.error("expired", "*", times=None)
    assert seen().why == "AWS does not accept these credentials: log in again (aws sso login, say)."


def test_throttling_is_waited_for(aws: Any) -> None:
    aws.proxy.throttle("ListGroups", times=1)
    assert seen().groups.known


@pytest.mark.parametrize(
    ("profile", "environ", "words"),
    [
        ("nobody", {}, "There is no such profile on this machine."),
        (
            "",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
            "no credentials",
        ),
        ("", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS does not answer from here."),
    ],
)
def test_without_credentials_or_a_network(
    aws: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str, environ: dict[str, str], words: str
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name, value in environ.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    found = look(connect(profile, REGION), identity_center=False)
    assert words in found.why
    assert not found.accounts.known


def test_the_profiles_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-central-1\n[profile reader]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert set(profiles()) == {"default", "reader"}
    config.write_text("no ini file [")
    assert profiles() == ()


def test_what_was_read_is_told_in_numbers(aws: Any) -> None:
    assert "2 permission sets" in told(seen(), IDENTITY_CENTER)
    assert "1 IAM group" in told(seen(identity_center=False), IAM)
