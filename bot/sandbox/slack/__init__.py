"""A Slack workspace on this machine, strict where Slack is strict: for tests, the demo, and one person playing everybody.

    with SlackServer({"users": [...], "channels": [...]}) as slack:
        bot = App(client=WebClient(slack.app.bot_token, base_url=slack.api_url), ...)
        outcome = slack.person("U0DANA").command("/prodaccess", "help", channel="C0OPS")

It knows nothing of the bot it plays against.
"""

from bot.sandbox.slack.errors import ApiError, CannotDo
from bot.sandbox.slack.events.courier import Ack, Delivery, Tampering
from bot.sandbox.slack.faults import Call, Fault
from bot.sandbox.slack.model import Channel, Group, Message, Notice, User, View
from bot.sandbox.slack.people.client import Delivered
from bot.sandbox.slack.people.forms import Form, Home
from bot.sandbox.slack.people.person import Person
from bot.sandbox.slack.people.reading import buttons, elements, words
from bot.sandbox.slack.server import SlackServer
from bot.sandbox.slack.settings import AppSettings

__all__ = [
    "Ack",
    "ApiError",
    "AppSettings",
    "Call",
    "CannotDo",
    "Channel",
    "Delivered",
    "Delivery",
    "Fault",
    "Form",
    "Group",
    "Home",
    "Message",
    "Notice",
    "Person",
    "SlackServer",
    "Tampering",
    "User",
    "View",
    "buttons",
    "elements",
    "words",
]
