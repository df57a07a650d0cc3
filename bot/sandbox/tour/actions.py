"""What the people do, and how one looks at what came of it. Nothing is said here."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.sandbox.installation.installation import Installation, InstallationError
from bot.sandbox.installation.people import ACCOUNTS, OLU, OWNERS_ROOM, RECEIPTS, TEAM_ROOM, Player
from bot.sandbox.slack import Message, words

COMMAND = "/prodaccess"


class Actions:
    """Each waits until what it is about has happened. Raise InstallationError where it does not come to that."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    # ------------------------------------------------------------ doing

    def types(self, player: Player, text: str) -> Message:
        """In the team's channel. Returns what the player alone is answered."""
        person = self.installation.person(player)
        return self._told(player, TEAM_ROOM, lambda: person.command(COMMAND, text, channel=TEAM_ROOM))

    def presses_in_vain(self, player: Player, card: Message) -> Message:
        """Approve, on the owners' card. Returns why not."""
        person = self.installation.person(player)
        return self._told(player, OWNERS_ROOM, lambda: person.press(card, "approve", channel=OWNERS_ROOM))

    def approves(self, player: Player, card: Message, given: Callable[[], bool]) -> float:
        """Returns how many seconds later the access was there."""
        began_s = time.monotonic()
        outcome = self.installation.person(player).press(card, "approve", channel=OWNERS_ROOM)
        if not outcome.ok:
            raise InstallationError(f"The press on Approve was not taken: {outcome.error}.")
        self.installation.until(given, "AWS has the access")
        return time.monotonic() - began_s

    # ------------------------------------------------------------ looking

    def has_access(self, player: Player, environment: str) -> bool:
        """By what AWS holds, not by what the bot says."""
        return player.email in self.installation.aws.world.who_has("ReadOnlyAccess", ACCOUNTS[environment])

    def holdings(self) -> list[tuple[str, str, str]]:
        """Everything that people have in AWS: who, permission set, account."""
        places = {account: name for name, account in ACCOUNTS.items()}
        held = [each for each in sorted(self.installation.aws.world.assignments()) if "@" in each.principal]
        return [(each.principal, each.permission_set, f"{each.account} ({places[each.account]})") for each in held]

    def card(self, *parts: str) -> Message:
        """The newest card in the owners' channel that has all these words."""
        return self.find(OWNERS_ROOM, *parts)

    def find(self, channel: str, *parts: str) -> Message:
        def look() -> Message | None:
            found = self.installation.person(OLU).messages(channel)
            fitting = [m for m in found if not m.ephemeral_to and all(part in words(m) for part in parts)]
            return fitting[-1] if fitting else None

        return self.installation.until(look, f"a message with {' and '.join(map(repr, parts))}")

    def direct(self, player: Player, part: str) -> Message:
        """The newest direct message to the player that has these words."""
        person = self.installation.person(player)

        def look() -> list[Message]:
            return [message for message in person.dms() if part in words(message)]

        return self.installation.until(look, f"{player.name} is told {part!r}")[-1]

    def receipts(self, *parts: str) -> list[Message]:
        """The whole thread about somebody's access that has ended: its root and the replies."""
        root = self.find(RECEIPTS, *parts)

        def look() -> list[Message] | None:
            found = self.installation.person(OLU).thread(RECEIPTS, root.ts)
            return [root, *found] if any("ended" in words(message) for message in found) else None

        return self.installation.until(look, "the receipts are complete")

    def _told(self, player: Player, channel: str, act: Callable[[], object]) -> Message:
        person = self.installation.person(player)
        before = {message.ts for message in person.ephemerals(channel)}
        act()

        def news() -> Message | None:
            found = [message for message in person.ephemerals(channel) if message.ts not in before]
            return next((message for message in reversed(found) if "One moment" not in words(message)), None)

        return self.installation.until(news, f"{player.name} is answered")
