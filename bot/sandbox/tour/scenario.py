"""One short life of a request, scene by scene: what people do, and what each of them sees."""

from __future__ import annotations

import time

from bot.sandbox.installation.installation import Installation, InstallationError
from bot.sandbox.installation.people import DANA, MAX, NIA, OLU, PRODUCTION, RECEIPTS, STAGING, Player
from bot.sandbox.slack import Message
from bot.sandbox.tour.actions import COMMAND, Actions
from bot.sandbox.tour.terminal import Terminal
from workflows.core.policy import Policy
from workflows.usecases.oversight.policy_activation import digest_due, digest_key

REASON = "ORD-17 checkout errors since the deploy"
LATE_S_MAX = 20.0
HEADS = ("who", "permission set", "account")
NOBODY = "Nobody has access to anything."


class Scenario:
    """The scenes, in order. Each leaves the world as the next one finds it."""

    def __init__(self, installation: Installation, terminal: Terminal, policy: Policy, *, seconds: int) -> None:
        self.installation = installation
        self.actions = Actions(installation)
        self.terminal = terminal
        self._policy = policy
        self.seconds = seconds
        self.card: Message
        self._given_s = 0.0

    def run(self) -> None:
        for scene in (
            self.who_is_who,
            self.dana_asks,
            self.others_press,
            self.olu_approves,
            self.dana_is_told,
            self.time_runs,
            self.receipts,
            self.staging_by_rule,
            self.digest,
        ):
            scene()

    # ------------------------------------------------------------ scenes

    def who_is_who(self) -> None:
        self.terminal.scene("A small mail-order shop, and its service “orders”")
        self.terminal.facts([(player.name.split()[0], player.part) for player in (DANA, OLU, NIA, MAX)])
        self.aws("AWS at the start")

    def dana_asks(self) -> None:
        self.terminal.scene("Dana has to look into production")
        self.terminal.sees("Only Dana sees the answer", self.types(DANA, self.ask))
        self.card = self.actions.card("Needs approval", "Approve")
        self.terminal.sees("The owners get a card in #orders-ops", self.card)

    def others_press(self) -> None:
        self.terminal.scene("Not everybody may press Approve")
        for player, who in ((MAX, "Max"), (DANA, "Dana herself")):
            told = self.actions.presses_in_vain(player, self.card)
            self.terminal.sees(f"{who} presses it, and is told in private", told)

    def olu_approves(self) -> None:
        self.terminal.scene("Olu, an owner, presses Approve")
        took_s = self.approve()
        self.card = self.actions.card("Active")
        self.terminal.sees(f"The access is there {took_s:.1f} s later. The same card", self.card)
        self.aws("AWS now")

    def dana_is_told(self) -> None:
        self.terminal.scene("Dana is told how to get in")
        self.terminal.sees("A direct message", self.actions.direct(DANA, "You have"))

    def time_runs(self) -> None:
        self.terminal.scene(f"{self.seconds} seconds pass, and nobody does anything")
        held_s = self.wait_for_the_end()
        self.card = self.actions.card("Ended")
        self.aws(f"AWS, {held_s:.1f} s after it was given")
        self.terminal.sees("The card, once more", self.card)

    def receipts(self) -> None:
        self.terminal.scene("Every step has left a receipt in #access-log")
        thread = self.actions.receipts("Dana", "Ended")
        self.terminal.sees("A thread for each request, with number and digest of each audit entry", *thread)

    def staging_by_rule(self) -> None:
        self.terminal.scene("Staging is not production: here a rule may approve")
        self.types(NIA, f"{STAGING} read-only 1h trying the fix for ORD-17")
        self.terminal.sees("Nobody had to be asked. #access-log", self.actions.find(RECEIPTS, "Nia", "Active"))

    def digest(self) -> None:
        """A digest comes by the clock; this one is called early."""
        self.terminal.scene("Each weekday morning #access-log gets a digest")
        plan = next(plan for plan in self._policy.digests if RECEIPTS in plan.channels)
        self.installation.bring_forward(digest_due(digest_key(plan)))
        self.terminal.sees(
            "Who has access just now, and what needs a hand", self.actions.find(RECEIPTS, "Active access")
        )

    # ------------------------------------------------------------ steps of a scene

    @property
    def ask(self) -> str:
        return f"{PRODUCTION} read-only {self.seconds}s {REASON}"

    def types(self, player: Player, text: str) -> Message:
        self.terminal.types(player.name.split()[0], "orders-dev", f"{COMMAND} {text}")
        return self.actions.types(player, text)

    def approve(self) -> float:
        took_s = self.actions.approves(OLU, self.card, self._has_access)
        self._given_s = time.monotonic()
        return took_s

    def wait_for_the_end(self) -> float:
        """Returns for how many seconds AWS held the access."""
        left_s = max(0.0, self.seconds - (time.monotonic() - self._given_s))
        what = "until the access ends"
        if not self.terminal.count_down(left_s, what, lambda: not self._has_access(), left_s + LATE_S_MAX):
            raise InstallationError(f"Dana still had access {LATE_S_MAX:g} s after its end.")
        return time.monotonic() - self._given_s

    def aws(self, title: str) -> None:
        self.terminal.table(title, HEADS, self.actions.holdings(), NOBODY)

    def _has_access(self) -> bool:
        return self.actions.has_access(DANA, PRODUCTION)


SECONDS = 20
