"""Whether a ticket exists and is open, by the https address that the policy names. Only workers ask.

What is answered: 200 with `{"open": true}` or `{"open": false}`, or 404 where there is no such ticket. Everything else is not
known, and says neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from bot.directory.http_json import NotFetched, fetch_json
from bot.directory.token import NoToken, bearer, no_other, with_token
from workflows.core.policy import TicketCheck
from workflows.core.rules.ticket_check import TicketSeen, TicketState

TIMEOUT_S = 3.0
BYTES_MAX = 64 * 1024
# What was learnt is taken again for so long: a commit that is tried again, and whoever asks while the system is slow.
REMEMBERED_S = 5.0
_REMEMBERED_MAX = 1000
_NOT_FOUND = 404
_NAME = "the ticket system"

_Seen = tuple[float, TicketSeen]


class HttpTickets:
    """`ports.Tickets`. `secret`: the value behind a name that the policy gives. `refused`: is told that it was refused, and says
    whether there is another one now.
    """

    def __init__(
        self,
        secret: Callable[[str], str | None],
        monotonic_s: Callable[[], float],
        refused: Callable[[str], bool] = no_other,
    ) -> None:
        self._refused = refused
        self._secret = secret
        self._monotonic_s = monotonic_s
        self._seen: dict[tuple[TicketCheck, str], _Seen] = {}
        # Host -> when it may be asked again, because it wanted to be left alone.
        self._not_before_s: dict[str, float] = {}

    def look(self, check: TicketCheck, ticket: str) -> TicketSeen:
        found = self._seen.get((check, ticket))
        if found is not None and self._monotonic_s() < found[0]:
            return found[1]
        seen = self._asked(check, ticket)
        if len(self._seen) >= _REMEMBERED_MAX:
            self._seen.clear()
        self._seen[(check, ticket)] = (self._monotonic_s() + REMEMBERED_S, seen)
        return seen

    def _asked(self, check: TicketCheck, ticket: str) -> TicketSeen:
        if not ticket.strip(".") or not ticket.isprintable():
            # A path of dots is another address, and half a character is none.
            return TicketSeen(TicketState.ABSENT)
        if self._monotonic_s() < self._not_before_s.get(check.host, 0.0):
            return _unknown(f"{_NAME} asked to be left alone for a while")
        url = check.https.replace("{ticket}", quote(ticket, safe=""))
        try:
            answer = with_token(check.token_env, self._secret, self._refused, partial(_answer, url))
        except NoToken as problem:
            return _unknown(f"{_NAME} cannot be asked: {problem}")
        except NotFetched as problem:
            return self._not_fetched(check, problem)
        is_open = answer.get("open") if isinstance(answer, Mapping) else None
        if not isinstance(is_open, bool):
            return _unknown(f"{_NAME} answered something else than whether it is open")
        return TicketSeen(TicketState.OPEN if is_open else TicketState.CLOSED)

    def _not_fetched(self, check: TicketCheck, problem: NotFetched) -> TicketSeen:
        if problem.status == _NOT_FOUND:
            return TicketSeen(TicketState.ABSENT)
        if problem.after_s:
            self._not_before_s[check.host] = self._monotonic_s() + problem.after_s
        return _unknown(f"{_NAME} {problem}")


def _answer(url: str, token: str | None) -> Any:
    return fetch_json(url, bearer(token), timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX, called=("https", "ticket"))


def _unknown(why: str) -> TicketSeen:
    return TicketSeen(TicketState.UNKNOWN, why)
