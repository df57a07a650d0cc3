"""Who is away, as far as Slack knows: do-not-disturb, and what people say of themselves. It calls nobody off deciding."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack.lookups import Lookups
from workflows.core.identity import SLACK
from workflows.core.people import Membership, PersonFacts, PersonId, is_fresh
from workflows.ports import DirectoryStore, DirectoryUnreachable

# dnd.teamInfo takes this many accounts in one call (docs.slack.dev/reference/methods/dnd.teamInfo).
ASKED_AT_ONCE_MAX = 50
# More than this many approvers are not asked about: who is called among so many matters little.
ASKED_MAX = 200
# Do-not-disturb is asked for this often; a call that did not work is not made again sooner.
REFRESH_AGE = timedelta(minutes=5)
# A status without an end is believed for so long, and then looked at again.
STATUS_FOR = timedelta(days=7)
SOURCE = "slack:do-not-disturb"

# The first two are Slack's own suggestions for "Vacationing" and "Out sick".
_EMOJI = frozenset({":palm_tree:", ":face_with_thermometer:", ":desert_island:", ":beach_with_umbrella:"})
_WORDS = re.compile(
    r"\b(vacation\w*|holidays?|out of (the )?office|ooo|sick|(on|parental|maternity|paternity) leave|pto|away"
    r"|urlaub|krank|elternzeit|abwesend)\b",
    re.IGNORECASE,
)


def away_until(profile: Mapping[str, Any], now: datetime) -> datetime | None:
    """Until when somebody's status says that they are away; None where it does not. `status_expiration` 0: no end."""
    text, emoji = str(profile.get("status_text") or ""), str(profile.get("status_emoji") or "")
    if emoji not in _EMOJI and not _WORDS.search(text):
        return None
    ends = profile.get("status_expiration")
    until = _moment(ends) if ends else now + STATUS_FOR
    return until if until is not None and until > now else None


def _moment(seconds: Any) -> datetime | None:
    """A moment that Slack names; None where it is none that there can be."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def disturbs(info: Mapping[str, Any], now: datetime) -> bool:
    """Whether do-not-disturb is on now, by one entry of `dnd.teamInfo`."""
    start, end = info.get("next_dnd_start_ts"), info.get("next_dnd_end_ts")
    if not info.get("dnd_enabled") or not isinstance(start, int) or not isinstance(end, int):
        return False
    return start <= now.timestamp() < end


class Away:
    """Asks Slack from the background, in calls of fifty, and remembers the answer for all processes."""

    def __init__(self, lookups: Lookups, store: DirectoryStore, now: Callable[[], datetime]) -> None:
        self._lookups = lookups
        self._store = store
        self._now = now

    def is_due(self) -> bool:
        """Whether nobody, in whatever process, has asked lately."""
        known = self._store.members(SOURCE)
        return known is None or not is_fresh(known.as_of, self._now(), REFRESH_AGE)

    def refresh(self, people: Collection[PersonFacts]) -> None:
        """Learn who of them wants no calls."""
        if not people:
            return
        now = self._now()
        self._store.put_members(SOURCE, Membership(self._undisturbed(sorted(people, key=_id)[:ASKED_MAX], now), now))

    def among(self, people: Collection[PersonFacts]) -> frozenset[PersonId]:
        """Those of them who are away now."""
        now = self._now()
        known = self._store.members(SOURCE)
        fresh = known is not None and is_fresh(known.as_of, now, 2 * REFRESH_AGE)
        quiet = known.members if known is not None and fresh else frozenset()
        return frozenset(
            facts.id
            for facts in people
            if facts.id in quiet or (facts.away_until is not None and facts.away_until > now)
        )

    def _undisturbed(self, people: Sequence[PersonFacts], now: datetime) -> frozenset[PersonId]:
        found: set[PersonId] = set()
        for start in range(0, len(people), ASKED_AT_ONCE_MAX):
            part = {
                one.user: facts.id for facts in people[start : start + ASKED_AT_ONCE_MAX] if (one := facts.at(SLACK))
            }
            try:
                users = self._lookups.do_not_disturb(list(part)) if part else {}
            except DirectoryUnreachable:
                # Without the scope, say. Then everybody is called, which is what would happen without this.
                break
            found |= {who for user, who in part.items() if disturbs(users.get(user) or {}, now)}
        return frozenset(found)


def _id(facts: PersonFacts) -> str:
    return facts.id
