"""What a channel really is: whether it is an incident's, and whether receipts may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from slack_sdk import WebClient

from bot.chat.surface import Means, NotDone
from bot.slack.answers import ask
from workflows.core.policy import Policy
from workflows.core.records.request import Origin
from workflows.ports import DirectoryUnreachable

# What a slash command calls every private channel.
UNNAMED = "privategroup"
# An organisation's own channel, in several of its workspaces, is shared with nobody outside.
_WITH_OTHERS = ("is_ext_shared", "is_pending_ext_shared")


def _named(policy: Policy, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in policy.incident_channels.names)


def prove_origin(client: WebClient, policy: Policy, origin: Origin) -> Origin:
    """What the channel really is. A name proves nothing: an incident's channel was made by a listed creator, is of this
    organisation alone, and is not archived. Of a channel that Slack does not show, nothing is proved.

    Raises DirectoryUnreachable where Slack does not answer.
    """
    # A command typed in a private channel does not bring its name.
    if not origin.channel or not (_named(policy, origin.channel_name) or origin.channel_name == UNNAMED):
        return origin
    try:
        found = ask(client.conversations_info, "channel", channel=origin.channel)["channel"]
    except NotDone as problem:
        if problem.means is Means.PLACE:
            return origin
        raise DirectoryUnreachable("Slack did not say what channel that is", problem.after_s) from problem
    channel: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    name = str(channel.get("name") or "")
    if not _named(policy, name):
        return origin
    usable = not any(channel.get(flag) for flag in (*_WITH_OTHERS, "is_archived"))
    made_by = channel.get("creator") in policy.incident_channels.created_by
    return Origin(
        team=origin.team,
        channel=origin.channel,
        channel_name=name,
        thread_ts=origin.thread_ts,
        incident=usable and made_by,
        receipts_here=usable,
        by_form=origin.by_form,
    )
