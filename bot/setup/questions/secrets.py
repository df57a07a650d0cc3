"""Tokens and passwords: typed without being shown, for `.env` alone, and left out as one likes."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings import load_settings
from bot.setup.answers import SLACK, TEAMS
from bot.setup.questions.asker import Asker, Question, Slip, ask, ask_secret
from bot.setup.questions.draft import Draft
from bot.setup.questions.parsers import Read, value
from bot.setup.values import Guid

_LATER = "What you type is not shown. Just Enter: later, in .env."


def ask_secrets(asker: Asker, draft: Draft) -> None:
    asker.say("\nThese go into .env alone, which nobody else on this machine may read.")
    if TEAMS in draft.chats:
        _teams_ids(asker, draft)
    for name, words, why in _wanted(draft):
        given = ask_secret(asker, Question(f"{words} ({name})", "\n".join(filter(None, (why, _LATER)))), _secret(name))
        if given:
            draft.values[name] = given


def _wanted(draft: Draft) -> Iterator[tuple[str, str, str]]:
    if SLACK in draft.chats:
        yield "SLACK_BOT_TOKEN", "Slack's bot token", "On the app's page OAuth & Permissions; it starts with xoxb-."
        if draft.data["slack"] == "socket-mode":
            yield "SLACK_APP_TOKEN", "Slack's app-level token", "On Basic Information, with connections:write; xapp-."
        else:
            yield "SLACK_SIGNING_SECRET", "Slack's signing secret", "On the app's page Basic Information."
    if TEAMS in draft.chats:
        yield "TEAMS_APP_PASSWORD", "The client secret of the Azure Bot", "Its value, not its id."
    yield (
        "REDIS_URL",
        "The address of your Redis",
        "Like rediss://USER:PASSWORD@HOST:6379/0. prodaccess up starts a Valkey of its own without.",
    )


def _teams_ids(asker: Asker, draft: Draft) -> None:
    """No secrets; a dash leaves them for later."""
    read = value(Guid)
    for key, variable, words in (
        ("app_id", "TEAMS_APP_ID", "The Microsoft App ID of the Azure Bot"),
        ("tenant_id", "TEAMS_TENANT_ID", "Its App Tenant ID"),
    ):
        question = Question(f"{words} ({variable})", "A dash means: later, in .env.", default="-")
        if found := ask(asker, question, lambda text: "" if text == "-" else read(text)):
            draft.data.setdefault("teams", {})[key] = found


def _secret(name: str) -> Read:
    """As the processes will read it; what is wrong is said without it."""

    def read(text: str) -> str:
        if not text:
            return ""
        found = load_settings({name: text})
        wrong = [each for each in found if each.startswith(f"{name} ")] if isinstance(found, tuple) else []
        if wrong:
            raise Slip(wrong[0])
        return text

    return read
