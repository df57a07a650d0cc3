"""In Teams a conversation counts as an incident's only where the policy names its id."""

from __future__ import annotations

import pytest

from bot.teams.people.origin import prove_origin
from tests.support import build
from workflows.core.policy import IncidentChannels
from workflows.core.records.request import Origin

NAMED = "teams:channel:19:inc@thread.tacv2"
POLICY = build.policy(incident_channels=IncidentChannels(("inc-*",), ("U0SIREN",), (NAMED,)))


@pytest.mark.parametrize("channel", [NAMED, f"{NAMED};messageid=1700000000000"])
def test_a_conversation_that_the_policy_names_is_an_incidents(channel: str):
    found = prove_origin(POLICY, Origin("TENANT", channel, "whatever"))
    assert (found.incident, found.receipts_here, found.channel) == (True, True, channel)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("teams:channel:19:other@thread.tacv2", "inc-42"),
        ("teams:direct:19:inc@thread.tacv2", "inc-42"),
        ("teams:channel:19:inc@thread.tacv2x", "inc-42"),
        ("19:inc@thread.tacv2", "inc-42"),
        ("", ""),
    ],
)
def test_every_other_one_proves_nothing_whatever_it_is_called(channel: str, name: str):
    found = prove_origin(POLICY, Origin("TENANT", channel, name, incident=True, receipts_here=True))
    assert not found.incident
    assert not found.receipts_here
