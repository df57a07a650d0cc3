"""What it means that a call to Slack does not work, in one sentence for the person who runs the bot."""

from __future__ import annotations

import socket
from urllib.error import URLError

from slack_sdk.errors import SlackApiError

from bot.chat.surface import Means
from bot.slack.answers import MEANS

# These calls name no channel and nobody: what closes a place elsewhere is said of the token here.
_OF_THE_TOKEN = frozenset({Means.ALL, Means.PLACE})


def slack_words(token: str, needs: str, problem: Exception) -> str:
    """`token`: the variable that holds it; `needs`: what should stand there. Slack's own word is always told."""
    word = error_word(problem)
    if MEANS.get(word) in _OF_THE_TOKEN:
        return f"Slack refuses {token} ({word}): set it to {needs}, and start again."
    if word:
        return f"Slack answers with an error ({word}). It is tried again automatically."
    return f"Slack cannot be reached ({_why(problem)}): is there a way out to the internet? It is tried again automatically."


def error_word(problem: Exception) -> str:
    """Slack's word for what is wrong; empty where it has said nothing that can be understood."""
    if not isinstance(problem, SlackApiError):
        return ""
    answer = problem.response
    try:
        return str(answer["error"])
    except (KeyError, TypeError, ValueError):
        return f"status {getattr(answer, 'status_code', 'unknown')}"


def _why(problem: Exception) -> str:
    """Never an address: one for a WebSocket carries a ticket."""
    reason = problem.reason if isinstance(problem, URLError) else problem
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, socket.gaierror):
        return "its name is not found"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return type(reason).__name__
