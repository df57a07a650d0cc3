"""What Teams' error words mean for a message that was to be sent: the one table, for every call that we make.

The words are those of "Status codes from bot conversational APIs" and of "Understand who blocked, muted, or uninstalled a bot"
(learn.microsoft.com/microsoftteams/platform/bots). Where Teams gives none, the status of its answer is the word: `http_502`.
A word that is not in the table is tried again, and final for its place after some tries. See docs/adr/0022.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bot.chat.surface import NO_ANSWER, Means, NotDone

# Our own words: nobody's personal chat with us is there; where a message would be sent is not on the list of addresses; no
# messages stand under a message here; the message above is gone; Teams took it and did not say what it is called.
NOT_INSTALLED = "not_installed"
ADDRESS_NOT_LISTED = "address_not_listed"
NO_THREADS = "no_threads_here"
ROOT_GONE = "thread_gone"
NO_ID = "no_id"
# Whoever asks for more patience than this is asked again all the same.
PATIENCE_S_MAX = 3600.0
GONE = "ActivityNotFoundInConversation"

_WORDS: dict[Means, str] = {
    Means.FORM: "MessageSizeTooBig BadSyntax BadArgument http_400 http_413",
    Means.THREAD: f"{NO_THREADS} {ROOT_GONE}",
    Means.MESSAGE: f"{GONE} MessageNotFound",
    Means.PLACE: f"""
        ConversationBlockedByUser MessageWritesBlocked BotNotInConversationRoster ConversationNotFound
        ForbiddenOperationException Forbidden NotEnoughPermissions MemberNotFoundInConversation UserNotFound
        {NOT_INSTALLED} {ADDRESS_NOT_LISTED} http_403 http_404 http_405 http_410
    """,
    Means.ALL: """
        BotNotRegistered BotDisabledByAdmin AuthorizationRequestDenied Unauthorized http_401
        invalid_client unauthorized_client invalid_request invalid_scope invalid_grant access_denied
    """,
    Means.LATER: f"""
        Throttled TooManyRequests RateLimit PreconditionFailed ServiceError ServiceUnavailable InternalServerError
        BadGateway GatewayTimeout Timeout temporarily_unavailable server_error
        http_408 http_412 http_429 http_500 http_502 http_503 http_504 {NO_ID} {NO_ANSWER}
    """,
}
MEANS: dict[str, Means] = {word: means for means, words in _WORDS.items() for word in words.split()}
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
# A message from within Teams holds its own word as JSON in the message of the answer.
_INNER = re.compile(r'"subCode"\s*:\s*"([A-Za-z][A-Za-z0-9_]{0,79})"')
_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.TOO_MANY_REQUESTS})
# Nobody knows then whether it was carried out.
_PERHAPS_DONE = frozenset({HTTPStatus.REQUEST_TIMEOUT, *(status for status in HTTPStatus if status >= 500)})


def not_done(word: str, after_s: float = 0.0, *, perhaps_done: bool = False) -> NotDone:
    means = MEANS.get(word, Means.UNKNOWN)
    return NotDone(word, means, after_s, perhaps_done=perhaps_done or word in (NO_ANSWER, NO_ID))


def refusal(status: int, body: bytes, headers: Mapping[str, str]) -> NotDone:
    """Of an answer that is an error. The status says whether it passes, whatever word stands beside it."""
    word = _word(body) or f"http_{status}"
    after_s = _seconds(headers)
    if status in _AGAIN or status >= 500:
        return NotDone(word, Means.LATER, after_s, perhaps_done=status in _PERHAPS_DONE)
    if status == HTTPStatus.UNAUTHORIZED:
        return NotDone(word, Means.ALL)
    # What a word means that is not in the table, its status may say.
    known = word if word in MEANS else f"http_{status}"
    return not_done(known if known in MEANS else word, after_s)


def _word(body: bytes) -> str:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    inside = found.get("error")
    error: Mapping[str, Any] = inside if isinstance(inside, dict) else found
    inner = _INNER.search(str(error.get("message") or ""))
    word = inner[1] if inner else str(error.get("code") or "")
    return word if _WORD.fullmatch(word) else ""


def _seconds(headers: Mapping[str, str]) -> float:
    """What Teams asks for, an hour at most. Where it does not say, pauses grow as for anything that passes."""
    found = str(headers.get("Retry-After") or "")
    return min(float(found), PATIENCE_S_MAX) if re.fullmatch(r"[0-9]{1,9}", found, re.ASCII) else 0.0
