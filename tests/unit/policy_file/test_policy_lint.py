"""Warnings: allowed and yet unwise."""

# ruff: noqa: E501 (a table of cases reads best with one case a line)

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, warnings

NOBODY = "name groups in approve that have enough people, or add auto_approve"
CASES = [
    ("one owner", (WORKSPACE, "[olu@example.com, pat@example.com]", "[olu@example.com]"), f"{SHOP}:5: olu@example.com is the only owner of shop-prod, so nobody can approve while they are away; add a second owner"),
    ("nobody", (WORKSPACE, "approve: {owners: 1}, durations: [30m", "durations: [30m"), f"{SHOP}:5: nobody can approve shop-prod read-only; {NOBODY}"),
    ("too many", (WORKSPACE, "read: {approve: {owners: 1}", "read: {approve: {owners: 3}"), f"{WORKSPACE}:16: nobody can approve shop-prod read-only; {NOBODY}"),
    ("owners ask", (SHOP, "requesters: [devs, oncall]", "requesters: [platform]"), f"{SHOP}:6: only owners may ask for shop-prod, so the same few people ask and approve; let another group ask, or name other owners"),
    ("ticket", (WORKSPACE, ", ticket: 'INC-[0-9]+'", ""), "roles.yaml:7: shop-prod state-write changes production without a ticket; add ticket: '[A-Z]+-[0-9]+' to the rule of production and change"),
    ("review", (SHOP, ", review_within: 24h", ""), f"{SHOP}:11: break-glass in shop-prod has no time for its review; add review_within: 24h"),
    ("group of one", (WORKSPACE, "[sid@example.com, sue@example.com]", "[sid@example.com]"), f"{WORKSPACE}:10: security must agree to requests and is one person, sid@example.com; add a second person"),
    ("long", (WORKSPACE, "max_duration: 2h", "max_duration: 2d"), f"{WORKSPACE}:16: max_duration is 2 d, more than a day; shorten it; longer needs are standing access by another name"),
    ("long glass", (SHOP, "max_duration: 30m, review", "max_duration: 25h, review"), f"{SHOP}:11: max_duration is 1 d 1 h, more than a day; shorten it; longer needs are standing access by another name"),
    ("late", (SHOP, "title: Shop", "escalate: {after: 1h, to: [security]}"), f"{SHOP}:2: escalation in shop-prod comes after 1 h, when a request has expired; let it come before 1 h"),
    ("rule", (SHOP, "  read-only: {}", "  read-only: {auto_approve: [{name: x, who: [devs], max_duration: 3h}]}"), f"{SHOP}:9: the rule 'x' allows 3 h, but shop-prod read-only ends after 2 h; write max_duration: 2h in the rule"),
    ("incident", (SHOP, "  read-only: {}", "  read-only: {auto_approve: [{name: x, who: [devs], in_incident_channel: true}]}"), f"{SHOP}:9: the rule 'x' never applies, because no channel is proved to be an incident's; name your incident bot in incident_channels.created_by, or a conversation in incident_channels.teams"),
    ("public", (WORKSPACE, "{identity_center_group: developers}", "{entra_group: 01234567-89AB-cdef-0123-456789abcdef}"), f"{WORKSPACE}:11: 'devs' is an Entra group that is not marked as trusted: a public Microsoft 365 group can be joined by anybody; if only administrators decide who is in it and in the groups in it, add trusted: true to the group; else name another group"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "sentence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_lint_says_where_and_what_to_do(tmp_path: Path, edit: tuple[str, str, str], sentence: str) -> None:
    assert warnings(tmp_path, edit) == [sentence]


def test_a_sound_policy_has_no_warnings(tmp_path: Path) -> None:
    assert warnings(tmp_path) == []


def test_one_person_counts_once(tmp_path: Path) -> None:
    """Two groups must agree, and both are the same person."""
    same = (WORKSPACE, "[sid@example.com, sue@example.com]", "[olu@example.com]")
    one = (WORKSPACE, "[olu@example.com, pat@example.com]", "[olu@example.com]")
    assert any("nobody can approve shop-prod state-write" in line for line in warnings(tmp_path, same, one))


def test_a_sole_approver_who_is_the_sole_requester_can_approve_for_nobody(tmp_path: Path) -> None:
    one = (WORKSPACE, "[olu@example.com, pat@example.com]", "[olu@example.com]")
    found = warnings(tmp_path, one, (SHOP, "requesters: [devs, oncall]", "requesters: [platform]"))
    assert any("nobody can approve shop-prod read-only" in line for line in found)


def test_what_groups_elsewhere_hold_is_not_judged(tmp_path: Path) -> None:
    assert warnings(tmp_path, (SHOP, "owners: [platform]", "owners: [devs]")) == []
