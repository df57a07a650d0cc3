"""Why a web process is not ready, in words for the person who runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from slack_sdk import WebClient

from bot.chat.messages.closed_places import closed_words
from bot.chat.outbox.outages import is_person, subject_of, word_in
from bot.chat.wording.troubles import what_fails
from bot.monotonic import monotonic_s
from bot.observability.log import log_failure
from bot.observability.obstacles import Obstacles
from bot.slack.refused import slack_words
from bot.slack.scopes import BETTER, NEEDED, granted, left_out
from workflows.core import keys
from workflows.core.clockwork import LedgerClock
from workflows.core.mixed import OlderRunning, runs
from workflows.core.records.chat import ChatRecord
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.ledger.redis_ledger import UnfitServer
from workflows.ports import LedgerUnreachable, PolicyUnavailable
from workflows.usecases.shared.troubles import ALARM_AT, standing
from workflows.usecases.shared.unreadable import KEPT_MAX
from workflows.usecases.upkeep.tell_unreadable import kind_of

if TYPE_CHECKING:
    from bot.wiring import Common

# More sentences of this kind than this are counted.
TROUBLES_MAX = 10
# So many places are named.
PLACES_MAX = 20

BOT_TOKEN = "the bot token of this app (OAuth & Permissions), xoxb-..."  # noqa: S105 - no token, where to find one


def missing(parts: Common, slack: SlackCheck, obstacles: Obstacles) -> list[str]:
    """Every reason, a sentence each; empty where it is ready."""
    looks: tuple[Callable[[], list[str]], ...] = (
        lambda: _ledger_problems(parts),
        lambda: _policy_problems(parts),
        lambda: _troubles(parts),
        slack.problems,
        obstacles.sentences,
        lambda: _closed(parts, people=False),
    )
    return list(dict.fromkeys(sentence for look in looks for sentence in _told(look)))


def _told(look: Callable[[], list[str]]) -> list[str]:
    """That one look fails hides none of the others."""
    try:
        return look()
    except LedgerUnreachable:
        # Said by the first look.
        return []
    except Exception as problem:
        return [f"a look at what is missing failed (error {log_failure('a look at what is missing failed', problem)})"]


def _troubles(parts: Common) -> list[str]:
    """What has failed again and again, whoever else was alarmed: somebody has to look."""
    found = [trouble for trouble in standing(parts.context) if trouble.failures >= ALARM_AT]
    said = [f"{what_fails(trouble)}: {trouble.words}; tried {trouble.failures} times" for trouble in found]
    return said[:TROUBLES_MAX] + (
        [f"and {len(said) - TROUBLES_MAX} more that fail"] if len(said) > TROUBLES_MAX else []
    )


REDIS_ANSWERS = "Redis answers, and can hold the ledger."


def ledger_words(problem: LedgerUnreachable | UnfitServer) -> str:
    """What stands between a process and its ledger. It may be gone in a moment."""
    return f"{problem} It is tried again by itself."


def _closed(parts: Common, *, people: bool) -> list[str]:
    """Where chat takes no messages: channels that the policy names, or people."""
    places = [place for place in parts.ledger.members(keys.CLOSED_PLACES) if is_person(place) is people]
    snapshot = parts.ledger.read(*(keys.chat(subject_of(place)) for place in places[:PLACES_MAX]))
    found = [(place, snapshot.readable(keys.chat(subject_of(place)), ChatRecord)) for place in places[:PLACES_MAX]]
    more = [f"the same is so for {len(places) - PLACES_MAX} more"] if len(places) > PLACES_MAX else []
    return [closed_words(place, word_in(record) or "") for place, record in found] + more


def _ledger_problems(parts: Common) -> list[str]:
    try:
        durability = parts.ledger.durability()
        problems = [] if durability.durable else [f"the ledger is not durable: {durability.why}"]
        seen = parts.ledger.read(keys.CLOCK, keys.OLDER)
        doubted = seen.readable(keys.CLOCK, LedgerClock)
        if seen.items[keys.CLOCK].problem or (doubted is not None and not doubted.trusted):
            problems.append(
                "Redis's clock has jumped: nothing is given until it has been steady for ten minutes, or until "
                "`prodaccess clock accept` says that it is right"
            )
        older = seen.readable(keys.OLDER, OlderRunning)
        if older is not None and runs(older, seen.now):
            kinds = " and a ".join(older.kinds)
            problems.append(
                f"a {kinds} of an older version runs, which knows no accounts on hold: nothing is given until it has stopped"
            )
        return problems + [f"no {kind} is running" for kind in ("worker", "clock") if not parts.beats.alive(kind)]
    except LedgerUnreachable as problem:
        return [ledger_words(problem)]
    except Exception as problem:
        return [f"Redis does not answer ({type(problem).__name__})"]


def attention(parts: Common, slack: SlackCheck) -> list[str]:
    """What somebody has to look at although this process works: it is no reason to take it out of service."""
    looks: tuple[Callable[[], list[str]], ...] = (
        lambda: _unreadable(parts),
        slack.attention,
        lambda: _closed(parts, people=True),
    )
    return [sentence for look in looks for sentence in _told(look)]


def _unreadable(parts: Common) -> list[str]:
    kinds = Counter(kind_of(what) for what in parts.ledger.members(keys.UNREADABLE, limit=KEPT_MAX))
    return [f"{count} × {kind} cannot be read: see the log" for kind, count in sorted(kinds.items())]


def _policy_problems(parts: Common) -> list[str]:
    try:
        policy = parts.policy.current()
    except PolicyUnavailable as problem:
        return [str(problem)]
    invalid = (
        ["the policy folder has changed and is not valid; the active policy stays"] if parts.policy.problems else []
    )
    try:
        active = parts.ledger.read(keys.ACTIVE_POLICY).readable(keys.ACTIVE_POLICY, ActivePolicy)
    except LedgerUnreachable:
        return invalid
    if active is None:
        return [*invalid, "no policy is active yet"]
    if active.hash != policy.hash:
        return [*invalid, "this process has another copy of the policy than the active one"]
    return invalid


class SlackCheck:
    """Whether Slack takes the bot token, and what it may do: asked twice a minute at most while it does."""

    EVERY_S = 30.0
    # Whoever puts something right wants to see it.
    EVERY_S_IN_TROUBLE = 2.0

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._asked_at_s: float | None = None
        self._problems: list[str] = []
        self._attention: list[str] = []

    def problems(self) -> list[str]:
        self._look()
        return self._problems

    def attention(self) -> list[str]:
        self._look()
        return self._attention

    def _look(self) -> None:
        every_s = self.EVERY_S_IN_TROUBLE if self._problems else self.EVERY_S
        if self._asked_at_s is None or monotonic_s() - self._asked_at_s > every_s:
            self._problems, self._attention = self._ask()
            self._asked_at_s = monotonic_s()

    def _ask(self) -> tuple[list[str], list[str]]:
        try:
            scopes = self._scopes()
        except Exception as problem:
            return [slack_words("SLACK_BOT_TOKEN", BOT_TOKEN, problem)], []
        # A token of a kind for which Slack lists none is judged by what it can do.
        return ([], []) if scopes is None else (left_out(scopes, NEEDED), left_out(scopes, BETTER))

    def _scopes(self) -> frozenset[str] | None:
        return granted(self._client.auth_test().headers)
