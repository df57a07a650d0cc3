"""Which chats, whose addresses, which time zone."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from zoneinfo import available_timezones

from bot.setup.answers import SLACK, TEAMS
from bot.setup.questions.asker import Asker, Question, ask, choose
from bot.setup.questions.draft import Draft
from bot.setup.questions.parsers import channel, several, value
from workflows.policy_file.values import Domain, TimeZone

_ZONES = "/zoneinfo/"


def ask_chats(asker: Asker, draft: Draft) -> None:
    found = choose(
        asker,
        Question("Where will your people ask for access?", default="1"),
        ((SLACK, "Slack"), (TEAMS, "Microsoft Teams"), ("both", "both")),
    )
    draft.data["chats"] = [SLACK, TEAMS] if found == "both" else [found]
    if SLACK in draft.chats:
        draft.data["slack"] = choose(
            asker,
            Question("How does Slack reach the bot?", default="1"),
            (
                (
                    "socket-mode",
                    "Socket Mode: the bot calls Slack. No address of yours has to be public; right for most",
                ),
                ("http", "HTTP: Slack calls an https address of yours"),
            ),
        )


def ask_people_of_ours(asker: Asker, draft: Draft) -> None:
    draft.data["email_domains"] = ask(
        asker,
        Question(
            "What stands behind the @ in your people's addresses?",
            "A person is known by one address in these domains; anybody else can do nothing.",
            "example.com, or several with commas between",
        ),
        several(lambda text: value(Domain)(text.lower().removeprefix("@"))),
    )
    draft.data["timezone"] = ask(
        asker,
        Question(
            "In which time zone are opening hours and schedules?",
            "Each reader sees times by their own clock, whatever stands here.",
            "Europe/Vienna",
            local_zone(),
        ),
        zone,
    )


def zone(text: str) -> str:
    """A time zone by its name, or by its city alone."""
    zones = available_timezones()
    like = [each for each in zones if each.rpartition("/")[2].casefold() == text.replace(" ", "_").casefold()]
    if text not in zones and len(like) == 1:
        return like[0]
    near = get_close_matches(text, zones, n=2, cutoff=0.6)
    return value(TimeZone, help_=f"did you mean {' or '.join(near)}?" if near else "write it like Europe/Vienna")(text)


def ask_receipts(asker: Asker, draft: Draft) -> None:
    draft.data["receipts_channel"] = ask(
        asker,
        Question(
            "Which channel holds the receipts?",
            "Every ask, decision, start and end is a line there, with the number of its entry in the audit log."
            " Make a channel that many can read. Its id does not change when it is renamed.",
            _channel_example(draft),
        ),
        several(channel(draft.chats)),
    )


def ask_approvals(asker: Asker, draft: Draft, default: str) -> list[str]:
    """The channels of one environment; none: the owners get direct messages."""
    read = several(channel(draft.chats))
    return ask(
        asker,
        Question(
            "In which channel do approval cards stand?",
            "Owners see each other's decisions there. A dash means: no channel, the owners get direct messages.",
            _channel_example(draft),
            default or "-",
        ),
        lambda text: [] if text == "-" else read(text),
    )


def _channel_example(draft: Draft) -> str:
    slack = "C0123456789, or the channel's link"
    teams = "the link that Get link to channel gives in Teams"
    if len(draft.chats) == 1:
        return slack if SLACK in draft.chats else teams
    return f"{slack}; {teams}; both with a comma between"


def local_zone(link: Path = Path("/etc/localtime")) -> str:
    """The zone of this machine, where it says so; else UTC."""
    try:
        name = str(link.resolve()).partition(_ZONES)[2]
    except OSError:
        return "UTC"
    return name if name and not name.startswith(("posix/", "right/")) else "UTC"
