"""People who are in Slack begin to use Teams as anybody does: by a message there, and a Yes in Slack."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bot.sandbox.installation.installation import Installation
from bot.sandbox.installation.people import Player
from bot.sandbox.slack import Message, buttons, elements

_QUESTION = "Is this you in Teams?"
_YES = "Yes"
# All accounts of a person hear of what became of the question.
_NEWS = "You said in Slack that"


def known_in_slack(installation: Installation, players: Iterable[Player]) -> None:
    """Each has looked at what is theirs: from then on the bot knows who they are."""
    command = installation.slack.app.commands[0]
    for player in players:
        person = installation.person(player)
        person.command(command, "mine", channel=person.dm())


def confirmed_in_teams(installation: Installation, players: Iterable[Player]) -> None:
    """Each writes to the bot in Teams, is asked in Slack, says Yes, and has heard in both what became of it.

    Raise InstallationError where nobody is asked, or told.
    """
    everybody = tuple(players)
    with ThreadPoolExecutor(len(everybody)) as pool:
        for done in [pool.submit(_confirmed, installation, player) for player in everybody]:
            done.result()


def _confirmed(installation: Installation, player: Player) -> None:
    if installation.teams is None:
        return
    teams = installation.teams.client
    teams.type(player.in_teams, "mine")
    question = installation.until(lambda: _asked(installation, player), f"{player.name} is asked in Slack")
    yes = next(each for each in elements(question) if each.get("text", {}).get("text") == _YES)
    installation.person(player).press(question, yes["action_id"], yes["value"])
    installation.until(lambda: _asked(installation, player) is None, f"{player.name} is known in Teams")

    def told() -> bool:
        in_slack = any(_NEWS in each.text for each in installation.person(player).dms())
        return in_slack and any(_NEWS in str((each.text, each.card)) for each in teams.sees(player.in_teams))

    installation.until(told, f"{player.name} is told so in both")


def _asked(installation: Installation, player: Player) -> Message | None:
    found = [one for one in installation.person(player).dms() if _QUESTION in one.text and _YES in buttons(one)]
    return found[-1] if found else None
