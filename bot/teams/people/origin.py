"""What a conversation really is: whether it is an incident's, and whether receipts may stand there."""

from __future__ import annotations

from dataclasses import replace

from workflows.core.policy import Policy
from workflows.core.records.request import Origin

# What stands behind a conversation's id where something was written in a thread of it.
_THREAD = ";messageid="


def prove_origin(policy: Policy, origin: Origin) -> Origin:
    """A conversation is an incident's where the policy names its id, which whoever looks after the policy has looked at.

    Nothing else proves it: in Teams anybody may name a channel as they like, and nothing says who made it.
    """
    place = origin.channel.partition(_THREAD)[0]
    named = place in policy.incident_channels.teams
    return replace(origin, incident=named, receipts_here=named)
