"""Faults of what the policy names elsewhere: on-call schedules, lists, ticket systems, webhooks, and the audit log's key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.directory import tickets as ticket_system
from bot.forge import calls as forge_calls
from tests.contract.directory import test_outside_groups as groups
from tests.contract.directory.test_outside_groups import Answer, Outside
from tests.contract.doctor.rig import Fault, Rig
from tests.support import github, gitlab
from tests.support.waiting import PATIENCE_S
from workflows.core.finding import State

# The fixture, which pytest looks for here.
outside = groups.outside

WORKSPACE = "prodaccess.yaml"
PAGERDUTY = "oncall: {pagerduty_schedule: PONCALL, token: {env: PAGERDUTY_TOKEN}}"
LISTED = 'oncall: {https: "%s/oncall", token: {env: ONCALL_TOKEN}}'
TICKETS = 'link: "https://tickets.example.com/{ticket}"'
VERIFIED = TICKETS + ', verify: {https: "%s/tickets/{ticket}", token: {env: TICKETS_TOKEN}}'
WEBHOOK = "webhooks:\n  - {name: shop-teams, url: {env: SHOP_TEAMS_WEBHOOK}, environments: [orders-prod]}\ndigests:"
RULE = """pipelines:
  - {issuer: "https://token.actions.githubusercontent.com", repository_id: "1296269", repository_owner_id: "583231",
     events: [push], workflow: "acme/orders/.github/workflows/deploy.yml@refs/heads/main", environment: production,
     environments: [orders-prod], protection_rule: deploy}
"""
LAB = """pipelines:
  - {issuer: "%s", project_id: "4242", namespace_id: "99", events: [push], environment: production,
     environments: [orders-prod], protection_rule: deploy}
"""
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


def rule(rig: Rig, **variables: str) -> None:
    """GitHub holds back what goes to orders-prod, and the app is all right but for `variables`."""
    rig.edit(WORKSPACE, "digests:", f"{RULE}digests:")
    rig.edit(
        "environments/orders-prod.yaml", "tier: production", "tier: production\ngates: {deploy: {approve: {owners: 1}}}"
    )
    key = github.write_app_key(rig.folder.parent / "app.pem")
    key.chmod(0o600)
    rig.environ |= {
        "GITHUB_WEBHOOK_SECRET": github.SECRET,
        "GITHUB_APP_ID": github.APP_ID,
        "GITHUB_APP_KEY": str(key),
        "GITHUB_API_URL": rig.forge.url,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        **variables,
    }


def lab(rig: Rig, **variables: str) -> None:
    """GitLab holds back what goes to orders-prod, and the token is all right but for `variables`."""
    rig.edit(WORKSPACE, "digests:", f"{LAB % rig.lab.url}digests:")
    rig.edit(
        "environments/orders-prod.yaml", "tier: production", "tier: production\ngates: {deploy: {approve: {owners: 1}}}"
    )
    rig.environ |= {
        "GITLAB_TOKEN": gitlab.TOKEN,
        "GITLAB_API_URL": f"{rig.lab.url}/api/v4",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        **variables,
    }


FAULTS = (
    Fault(
        "no token for GitLab",
        lambda rig: lab(rig, GITLAB_TOKEN=""),
        "forges.gitlab",
        "nobody hears of it",
        "docs/gate.md",
    ),
    Fault(
        "a token that GitLab refuses",
        lambda rig: lab(rig, GITLAB_TOKEN=SECRET),
        "forges.gitlab",
        "does not believe GITLAB_TOKEN",
        "docs/gate.md",
    ),
    Fault(
        "a token that may not see the project",
        lambda rig: (lab(rig), setattr(rig.lab, "sees", False)),
        "forges.gitlab",
        "no project 4242",
        "docs/gate.md",
    ),
    Fault(
        "another GitLab than the policy's",
        lambda rig: lab(rig, GITLAB_API_URL=f"{rig.lab.url}/other/api/v4"),
        "forges.gitlab",
        "another server than the issuer",
        "docs/gate.md",
    ),
    Fault(
        "no secret for GitHub",
        lambda rig: rule(rig, GITHUB_WEBHOOK_SECRET=""),
        "forges.secret",
        "nobody hears of it",
        "docs/gate.md",
    ),
    Fault(
        "no app at GitHub",
        lambda rig: rule(rig, GITHUB_APP_ID="", GITHUB_APP_KEY=""),
        "forges.app",
        "cannot be told anything",
        "docs/gate.md",
    ),
    Fault(
        "another app's key",
        lambda rig: (rule(rig), github.write_app_key(rig.folder.parent / "app.pem", "another")),
        "forges.app",
        "GitHub refuses the App",
        "docs/gate.md",
    ),
    Fault(
        "an app that may not answer",
        lambda rig: (rule(rig), rig.forge.granted.update(deployments="read")),
        "forges.app",
        "lacks the permissions deployments: write",
        "docs/gate.md",
    ),
    Fault(
        "an app without the event",
        lambda rig: (rule(rig), rig.forge.events.clear()),
        "forges.app",
        "does not get the event",
        "docs/gate.md",
    ),
    Fault(
        "an app's key that everybody can read",
        lambda rig: (rule(rig), (rig.folder.parent / "app.pem").chmod(0o644)),
        "forges.key-file",
        "can be read by everybody on this machine",
        "chmod 600",
        State.ATTENTION,
    ),
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
        "prodaccess audit keygen",
    ),
    Fault("no audit key", lambda _: None, "audit.key", "nothing is signed", "docs/audit.md", State.ATTENTION),
    Fault(
        "an audit key that everybody can read",
        lambda rig: (rig.sealing(), (rig.folder.parent / "key.pem").chmod(0o644)),
        "audit.key-file",
        "can be read by everybody on this machine",
        "chmod 600",
        State.ATTENTION,
    ),
    Fault(
        "a key and no archive",
        lambda rig: rig.sealing(archive=False),
        "audit.bucket",
        "cannot be had again",
        "docs/audit.md",
        State.ATTENTION,
    ),
    Fault(
        "an archive and no key",
        lambda rig: rig.environ.update(PRODACCESS_AUDIT_BUCKET="./archive"),
        "audit.bucket",
        "nothing goes there without a key",
        "PRODACCESS_AUDIT_KEY",
        State.ATTENTION,
    ),
    Fault(
        "an archive folder that is a file",
        lambda rig: (rig.sealing(), (rig.folder.parent / "archive").write_text("")),
        "audit.bucket",
        "is none",
        "docs/audit.md",
    ),
)


@pytest.fixture
def before(rig: Rig, outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    # Whoever answers here does so at once, and on a busy machine after seconds.
    for module in (ticket_system, forge_calls):
        monkeypatch.setattr(module, "TIMEOUT_S", PATIENCE_S)
    rig.outside = outside
    with github.running(time.time) as rig.forge, gitlab.running() as rig.lab:
        yield rig


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_outside_is_found_and_its_mend_is_named(before: Rig, fault: Fault):
    fault.plant(before)
    findings = before.found(fault.subject)
    fault.told_by(findings)
    assert not any(SECRET in f"{one.words} {one.mend}" or "flows.example.com" in one.words for one in findings)


def test_what_is_outside_and_answers_is_ok(before: Rig):
    tickets(before, Answer({}, 404))
    webhook(before, "https://flows.example.com/secret")
    before.sealing()
    rule(before)
    found = before.found("tickets", "forges", "webhooks", "audit")
    assert {one.state for one in found} == {State.OK}, found
    assert not any("flows" in one.words for one in found)


def test_gitlab_that_shows_what_waits_is_ok_and_nothing_is_answered(before: Rig):
    lab(before)
    before.lab.waits()
    assert {one.state for one in before.found("forges")} == {State.OK}
    assert not [one for one in before.lab.asked if one.startswith("POST")]


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
