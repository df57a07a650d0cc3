"""Slack as a chat: see `bot.chat.surface`."""

from __future__ import annotations

from bot.slack.messenger import Messenger
from bot.slack.modals import Modals
from bot.slack.telling import Teller


class Slack(Messenger, Teller, Modals):
    """A `bot.chat.surface.Surface`, by one client with the bot's token."""
