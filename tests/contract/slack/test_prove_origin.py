"""A channel counts as an incident's only where the chat proves it: a name alone proves nothing. On the stand-in for Slack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import SlackServer
from bot.slack.origin import prove_origin
from tests.support import build
from workflows.core.policy import IncidentChannels
from workflows.core.records.request import Origin
from workflows.ports import DirectoryUnreachable

POLICY = build.policy(incident_channels=IncidentChannels(("inc-*",), ("U0SIREN",)))


@pytest.fixture
def prove() -> Iterator[Callable[..., Origin]]:
    """`prove(typed_name, **changes)`: what is proved of a channel that differs so from a real incident's."""
    users = [{"id": id_, "name": id_.lower(), "email": f"{id_.lower()}@example.com"} for id_ in ("U0DANA", "U0OLU")] + [
        {"id": "U0SIREN", "name": "siren", "is_bot": True, "email": ""}
    ]
    usual = {"id": "C0INC", "name": "inc-42", "creator": "U0SIREN", "members": ["U0DANA", "U0OLU"]}
    servers: list[SlackServer] = []

    def look(typed: str = "inc-42", fault: dict[str, Any] | None = None, **changes: object) -> Origin:
        server = SlackServer({"users": users, "channels": [usual | changes]})
        servers.append(server)
        server.__enter__()
        if fault:
            server.faults.add("conversations.info", **fault)
        client = WebClient(token=server.app.bot_token, base_url=server.api_url, retry_handlers=[])
        return prove_origin(client, POLICY, Origin("T1", "C0INC", typed))

    yield look
    for server in servers:
        server.__exit__(None, None, None)


def test_a_channel_made_by_a_listed_creator_is_an_incidents(prove):
    found = prove()
    assert (found.incident, found.receipts_here) == (True, True)


def test_a_private_channel_is_asked_for_its_name(prove):
    found = prove("privategroup", is_private=True)
    assert (found.incident, found.channel_name) == (True, "inc-42")


@pytest.mark.parametrize(
    "changes",
    [
        {"creator": "U0DANA"},
        {"is_archived": True},
        {"is_ext_shared": True},
        {"name": "random"},
        {"is_private": True, "bot": False},
    ],
)
def test_everything_else_proves_no_incident(prove, changes):
    assert not prove("privategroup" if changes.get("is_private") else "inc-42", **changes).incident


def test_a_channel_of_another_name_is_not_even_asked_about(prove):
    assert prove("general", name="inc-42") == Origin("T1", "C0INC", "general")


def test_a_shared_channel_gets_no_receipts(prove):
    assert not prove(is_ext_shared=True).receipts_here


def test_a_channel_of_several_workspaces_of_the_organisation_is_no_less_an_incidents(prove):
    found = prove(is_org_shared=True)
    assert (found.incident, found.receipts_here) == (True, True)


@pytest.mark.parametrize("shared", ["is_ext_shared", "is_pending_ext_shared"])
def test_a_channel_that_is_shared_outside_is_none(prove, shared):
    assert not prove(**{shared: True, "is_org_shared": True}).incident


@pytest.mark.parametrize(
    "answer", [{"status": 503}, {"error": "ratelimited"}, {"drop": "before"}, {"answer": {"ok": True}}]
)
def test_a_channel_of_which_slack_says_nothing_is_not_known(prove, answer):
    with pytest.raises(DirectoryUnreachable):
        prove(fault=answer)


def test_a_channel_that_slack_does_not_show_proves_nothing(prove):
    assert not prove(fault={"error": "channel_not_found"}).incident
