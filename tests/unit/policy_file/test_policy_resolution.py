"""Precedence and the resolved policy."""

# ruff: noqa: E501 (a table of cases reads best with one case a line)

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.cli.policy_words import rendered
from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, policy, write
from workflows.core.policy import Entitlement, Hours, Policy, Ticket, TicketCheck, Visibility
from workflows.policy_file import load_policy
from workflows.policy_file.difference import summary
from workflows.policy_file.phrases import ticket_words

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HERE = "  read-only: {}"


def read_only(folder: Path, *edits: tuple[str, str, str]) -> Entitlement:
    found = policy(folder, *edits).entitlement("shop-prod", "read-only")
    assert found is not None
    return found


def test_the_folder_becomes_a_policy(tmp_path: Path) -> None:
    found = load_policy(write(tmp_path))
    assert isinstance(found, Policy)
    assert len(found.hash) == 64
    assert found.groups["platform"].members == {"olu@example.com", "pat@example.com"}
    assert found.groups["devs"].source == "identity-center:main:developers"
    assert found.groups["oncall"].trusted
    break_glass = found.environments["shop-prod"].break_glass
    assert break_glass is not None
    assert (break_glass.max_duration, break_glass.review_within) == (30 * MINUTE, 24 * HOUR)


def test_problems_are_a_value(tmp_path: Path) -> None:
    found = load_policy(tmp_path / "none")
    assert isinstance(found, tuple)


def test_the_rule_of_tier_and_risk_holds_where_nothing_nearer_speaks(tmp_path: Path) -> None:
    found = read_only(tmp_path)
    assert (found.durations, found.max_duration, found.default_duration) == ((30 * MINUTE, HOUR), 2 * HOUR, 30 * MINUTE)
    assert found.approve == {"owners": 1}
    assert found.ticket is None
    assert found.origins["approve"] == "prodaccess.yaml:16"


def test_a_ticket_may_carry_so_many_requests(tmp_path: Path) -> None:
    rule = "{pattern: 'INC-[0-9]+', max_requests: 3}"
    found = policy(tmp_path, (WORKSPACE, "ticket: 'INC-[0-9]+'", f"ticket: {rule}")).entitlement(
        "shop-prod", "state-write"
    )
    assert found is not None
    assert found.ticket == Ticket("INC-[0-9]+", max_requests=3)
    assert ticket_words(found) == "INC-[0-9]+, for 3 requests at most"


def test_any_stands_for_every_other_risk(tmp_path: Path) -> None:
    found = policy(tmp_path).entitlement("shop-prod", "state-write")
    assert found is not None
    assert found.approve == {"owners": 1, "security": 1}
    assert found.ticket == Ticket("INC-[0-9]+")
    assert found.target.policy_template is not None


@pytest.mark.parametrize(
    ("edits", "expected", "origin"),
    [
        ([], {"owners": 1}, "prodaccess.yaml:16"),
        ([(SHOP, "title: Shop", "approve: {security: 2}")], {"security": 2}, f"{SHOP}:2"),
        ([(SHOP, "title: Shop", "approve: {security: 2}"), (SHOP, HERE, "  read-only: {approve: {devs: 1}}")], {"devs": 1}, f"{SHOP}:9"),
        ([(WORKSPACE, "approve: {owners: 1}, durations: [30m, 1h], max_duration: 2h", "max_duration: 2h"), (WORKSPACE, "rules:", "approve: {security: 1}\nrules:")], {"security": 1}, "prodaccess.yaml:14"),
    ],
    ids=["rule", "environment", "role", "workspace"],
)  # fmt: skip
def test_the_nearest_level_wins_as_a_whole(
    tmp_path: Path, edits: list[tuple[str, str, str]], expected: dict[str, int], origin: str
) -> None:
    found = read_only(tmp_path, *edits)
    assert found.approve == expected
    assert found.origins["approve"] == origin


def test_a_limit_further_down_shortens_the_inherited_menu(tmp_path: Path) -> None:
    found = read_only(tmp_path, (SHOP, HERE, "  read-only: {max_duration: 30m}"))
    assert (found.durations, found.default_duration) == ((30 * MINUTE,), 30 * MINUTE)


def test_a_limit_below_the_whole_menu_is_the_menu(tmp_path: Path) -> None:
    found = read_only(tmp_path, (SHOP, HERE, "  read-only: {max_duration: 20s}"))
    assert found.durations == (timedelta(seconds=20),)


def test_a_menu_without_a_limit_ends_with_its_longest(tmp_path: Path) -> None:
    found = read_only(tmp_path, (WORKSPACE, ", max_duration: 2h", ""))
    assert found.max_duration == HOUR


def test_the_default_may_be_said(tmp_path: Path) -> None:
    assert read_only(tmp_path, (SHOP, HERE, "  read-only: {default_duration: 1h}")).default_duration == HOUR


def test_an_inherited_default_that_does_not_fit_gives_way(tmp_path: Path) -> None:
    rule = (WORKSPACE, "max_duration: 2h", "max_duration: 2h, default_duration: 1h")
    assert read_only(tmp_path, rule, (SHOP, HERE, "  read-only: {max_duration: 30m}")).default_duration == 30 * MINUTE


def test_owners_and_requesters_of_a_role_replace_those_of_the_environment(tmp_path: Path) -> None:
    found = read_only(tmp_path, (SHOP, HERE, "  read-only: {owners: [security], requesters: [oncall]}"))
    assert (found.owners, found.requesters) == (("security",), ("oncall",))


def test_every_key_that_is_promised_is_read(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        (SHOP, HERE, """\
  read-only:
    hours: {days: [fri-sun, mon], from: "22:00", until: "06:00"}
    max_total: 4h
    danger: slow
    how_to: ask
    allows: Read here
    request_expires_after: 5m
    ticket: {pattern: 'A-[0-9]+', link: "https://example.com/{ticket}", required: false, example: A-7}
    auto_approve:
      - {name: nights, who: [oncall], in_incident_channel: true, max_duration: 10m, max_uses_per_day: 2}"""),
        (SHOP, "title: Shop", "visibility: members\nactivity: true\nescalate: {after: 5m, to: [owners, security], may_approve: true}\nfreezes: [{from: 2026-12-20T00:00:00+01:00, until: 2027-01-03T00:00:00Z, reason: Year}]"),
        (SHOP, "review_within: 24h", "review_within: 24h, max_per_day: 2, max_total: 1h"),
        (WORKSPACE, "region: eu-central-1", "region: us-gov-west-1, role_arn: 'arn:aws:iam::111122223333:role/x', external_id: 0123456789abcdef0123456789abcdef, profile: p, portal: 'https://x.awsapps.com/start', instance_arn: 'arn:aws:sso:::instance/ssoins-1'"),
        (WORKSPACE, "groups:\n", "groups:\n  pager: {pagerduty_schedule: PABC, token: {env: PAGER_TOKEN}}\n  web: {https: 'https://example.com/people', token: {env: WEB_TOKEN}}\n  leads: {entra_group: 01234567-89AB-cdef-0123-456789abcdef, trusted: true}\n"),
        (WORKSPACE, "rules:", "incident_channels: {names: [inc-*], created_by: [U0BOT], teams: ['19:inc@thread.tacv2']}\nrules:"),
    )  # fmt: skip
    shop = found.environments["shop-prod"]
    role = shop.roles["read-only"]
    assert role.hours == Hours(frozenset({4, 5, 6, 0}), time(22), time(6))
    assert role.ticket == Ticket("A-[0-9]+", "https://example.com/{ticket}", required=False, example="A-7")
    assert (role.allows, role.danger, role.how_to, role.expires_after) == ("Read here", "slow", "ask", 5 * MINUTE)
    assert role.auto_approve[0].max_uses_per_day == 2
    assert shop.visibility is Visibility.MEMBERS
    assert shop.escalate is not None
    assert shop.escalate.may_approve
    assert shop.freezes[0].start == datetime(2026, 12, 19, 23, tzinfo=UTC)
    assert found.connections["main"].partition == "aws-us-gov"
    assert (found.groups["pager"].token_env, found.groups["web"].source) == (
        "PAGER_TOKEN",
        "https:https://example.com/people",
    )
    assert found.incident_channels.created_by == ("U0BOT",)
    assert found.incident_channels.teams == ("teams:channel:19:inc@thread.tacv2",)
    assert found.groups["leads"].source == "entra:01234567-89ab-cdef-0123-456789abcdef"


def test_channels_are_one_or_several_of_either_chat(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        (SHOP, "C0SHOP", '[C0SHOP, "teams:19:aB_c-1@thread.tacv2"]'),
        (WORKSPACE, "receipts_channel: C0RECEIPTS", "receipts_channel: teams:19:log@thread.tacv2"),
        (WORKSPACE, "{channel: C0RECEIPTS", "{channel: [C0RECEIPTS, C0SHOP]"),
    )
    shop = found.environments["shop-prod"]
    assert shop.approvals_channels == ("C0SHOP", "teams:channel:19:aB_c-1@thread.tacv2")
    assert found.receipts_channels == ("teams:channel:19:log@thread.tacv2",)
    assert found.digests[0].channels == ("C0RECEIPTS", "C0SHOP")
    told = dict(summary(found))
    assert told["shop-prod: approvals_channel"] == "C0SHOP, teams:19:aB_c-1@thread.tacv2"
    assert told["workspace: receipts_channel"] == "teams:19:log@thread.tacv2"
    assert told["workspace: digest 1"].startswith("0 9 * * 1-5 to C0RECEIPTS, C0SHOP of shop-prod")
    assert any("approvals    C0SHOP, teams:19:aB_c-1@thread.tacv2" in line for line in rendered(found))


def test_the_hash_covers_names_and_content_and_nothing_else(tmp_path: Path) -> None:
    first = policy(tmp_path / "a").hash
    (write(tmp_path / "b") / "README.md").write_text("words")
    assert policy(tmp_path / "b").hash == first
    assert policy(tmp_path / "c", (SHOP, "title: Shop", "title: Shop  # comment")).hash != first


@pytest.mark.parametrize(
    ("tier", "said", "accepts"),
    [
        ("production", "", False),
        ("staging", "", True),
        ("production", ", unknown: accept", True),
        ("staging", ", unknown: refuse", False),
    ],
)
def test_a_ticket_of_which_nobody_can_tell_is_refused_in_production_unless_said(
    tmp_path: Path, tier: str, said: str, accepts: bool
) -> None:
    url = "https://tickets.example.com/{ticket}/state"
    rule = f"{{pattern: 'A-[0-9]+', verify: {{https: '{url}', token: {{env: TICKETS_TOKEN}}{said}}}}}"
    found = read_only(
        tmp_path,
        (SHOP, "tier: production", f"tier: {tier}"),
        (SHOP, HERE, f"  read-only: {{ticket: {rule}}}"),
    )
    assert found.ticket == Ticket("A-[0-9]+", verify=TicketCheck(url, "TICKETS_TOKEN", accepts))
    what = "taken" if accepts else "refused"
    assert ticket_words(found) == f"A-[0-9]+, verified at {url}, {what} where that is not known"
