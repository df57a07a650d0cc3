"""Faults of what the policy names elsewhere: on-call schedules, lists, ticket systems, webhooks, and the audit log's key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.directory import test_outside_groups as groups
from tests.contract.directory.test_outside_groups import Answer, Outside
from tests.contract.doctor.rig import Fault, Rig
from workflows.core.finding import State

# The fixture, which pytest looks for here.
outside = groups.outside

WORKSPACE = "prodaccess.yaml"
PAGERDUTY = "oncall: {pagerduty_schedule: PONCALL, token: {env: PAGERDUTY_TOKEN}}"
LISTED = 'oncall: {https: "%s/oncall", token: {env: ONCALL_TOKEN}}'
TICKETS = 'link: "https://tickets.example.com/{ticket}"'
VERIFIED = TICKETS + ', verify: {https: "%s/tickets/{ticket}", token: {env: TICKETS_TOKEN}}'
WEBHOOK = "webhooks:\n  - {name: shop-teams, url: {env: SHOP_TEAMS_WEBHOOK}, environments: [orders-prod]}\ndigests:"
SECRET = "y_NbAkKc66ryYTWUXYEu"


def on_call(rig: Rig, words: str) -> None:
    rig.edit(WORKSPACE, "oncall:     {slack_usergroup: S0ONCALLROTA, trusted: true}", words)


def pagerduty(rig: Rig, token: str = SECRET) -> None:
    on_call(rig, PAGERDUTY)
    rig.environ |= {"PAGERDUTY_API_URL": rig.outside.url, "PAGERDUTY_TOKEN": token}


def refused(rig: Rig) -> None:
    pagerduty(rig)
    rig.outside.answer = lambda _path, _query: Answer({"error": "no"}, 401)


def tickets(rig: Rig, answer: Answer) -> None:
    rig.edit(WORKSPACE, TICKETS, VERIFIED % rig.outside.url)
    rig.environ["TICKETS_TOKEN"] = SECRET
    rig.outside.answer = lambda _path, _query: answer


def webhook(rig: Rig, address: str = "") -> None:
    rig.edit(WORKSPACE, "digests:", WEBHOOK)
    rig.environ["SHOP_TEAMS_WEBHOOK"] = address


def key(rig: Rig, text: str) -> None:
    path = rig.folder.parent / "key.pem"
    path.write_text(text, encoding="ascii")
    rig.environ["PRODACCESS_AUDIT_KEY"] = str(path)


FAULTS = (
    Fault("a token that PagerDuty refuses", refused, "groups.source", "PagerDuty refused the token", "PAGERDUTY_TOKEN"),
    Fault(
        "no token for PagerDuty",
        lambda rig: pagerduty(rig, ""),
        "groups.source",
        "its token is not set: the worker needs PAGERDUTY_TOKEN",
        "where the worker runs",
    ),
    Fault(
        "a list that is none",
        lambda rig: (
            on_call(rig, LISTED % rig.outside.url),
            rig.environ.update(ONCALL_TOKEN=SECRET),
            setattr(rig.outside, "answer", lambda _path, _query: Answer({"people": 3})),
        ),
        "groups.source",
        "not a list of addresses",
        "docs/policy.md",
    ),
    Fault(
        "a ticket system that wants another token",
        lambda rig: tickets(rig, Answer({}, 403)),
        "tickets.verify",
        "refused the token; no ticket is taken meanwhile",
        "TICKETS_TOKEN",
    ),
    Fault(
        "a webhook's variable is not set",
        webhook,
        "webhooks.address",
        "SHOP_TEAMS_WEBHOOK is not set",
        "where the worker runs",
    ),
    Fault(
        "a webhook's address without TLS",
        lambda rig: webhook(rig, "http://flows.example.com/secret"),
        "webhooks.address",
        "no https address",
        "copy the address",
    ),
    Fault(
        "an audit key that is none",
        lambda rig: key(rig, "ssh-ed25519 AAAA"),
        "audit.key",
        "no private key in PEM",
        "openssl genpkey",
        State.ATTENTION,
    ),
)


@pytest.fixture
def before(rig: Rig, outside: Outside) -> Rig:
    rig.outside = outside
    return rig


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_outside_is_found_and_its_mend_is_named(before: Rig, fault: Fault):
    fault.plant(before)
    findings = before.found(fault.subject)
    fault.told_by(findings)
    assert not any(SECRET in f"{one.words} {one.mend}" or "flows.example.com" in one.words for one in findings)


def test_what_is_outside_and_answers_is_ok(before: Rig):
    tickets(before, Answer({}, 404))
    webhook(before, "https://flows.example.com/secret")
    key(before, "-----BEGIN PRIVATE KEY-----\n")
    found = before.found("tickets", "webhooks", "audit")
    assert {one.state for one in found} == {State.OK}, found
    assert not any("flows" in one.words for one in found)


def test_whoever_is_on_call_is_known_and_asked_for_once(before: Rig):
    pagerduty(before)
    entry = {"schedule": {"id": "PONCALL"}, "user": {"email": "nia@example.com"}}
    before.outside.answer = lambda _path, _query: Answer({"oncalls": [entry], "more": False})
    found = before.found("groups", "people")
    assert [(one.words, one.state) for one in found if one.check == "groups.source"] == [("1 in it", State.OK)], found
    assert len(before.outside.seen) == 1


def test_on_an_operators_machine_tokens_are_no_fault(before: Rig):
    tickets(before, Answer({}, 404))
    webhook(before)
    pagerduty(before, "")
    del before.environ["TICKETS_TOKEN"]
    before.whom = None
    found = before.found("groups", "tickets", "webhooks")
    assert {one.state for one in found} == {State.SKIPPED}, found
    assert all("prodaccess doctor --process worker" in one.mend for one in found)
    assert not before.outside.seen


def test_a_time_zone_without_its_data_is_found(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from zoneinfo import ZoneInfoNotFoundError

    from bot.doctor import policy

    def nothing(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(policy, "ZoneInfo", nothing)
    Fault("", lambda _: None, "policy.time-zone", "does not know Europe/Vienna", "pip install tzdata").told_by(
        rig.found("policy")
    )
