"""What the roster of a conversation says of somebody in it: of which tenant they are, and in what role they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.chat.surface import Means, NotDone
from bot.teams.client.connector import Connector
from bot.teams.client.conversations import Conversations
from workflows.core.identity import Account
from workflows.ports import Buckets, DirectoryUnreachable

# For each bot and conversation: 14 in a second, 120 in thirty seconds.
# Source: "Rate limiting for bots", learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
A_SECOND, BURST = 3.5, 12.0


class Roster:
    """Of the conversation in which somebody was seen last. `Connector.member` takes object ids, too."""

    def __init__(self, connector: Connector, conversations: Conversations, buckets: Buckets) -> None:
        self._connector = connector
        self._conversations = conversations
        self._buckets = buckets

    def __call__(self, who: Account) -> Mapping[str, Any] | None:
        """None where they were seen nowhere yet, or are there no longer. Raises DirectoryUnreachable."""
        where = self._conversations.seen_in(who.user) or self._conversations.personal(who.user)
        if where is None:
            return None
        wait_s = self._buckets.take(f"teams:members:{where.id}", rate=A_SECOND, burst=BURST)
        if wait_s > 0:
            raise DirectoryUnreachable("Teams takes only so many questions", wait_s)
        try:
            return self._connector.member(where.service_url, where.id, who.user)
        except NotDone as problem:
            if problem.means is Means.PLACE:
                return None
            raise DirectoryUnreachable("Teams did not say who is in the conversation", problem.after_s) from problem
