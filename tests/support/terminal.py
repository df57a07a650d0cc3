"""People at a terminal, with AWS's signatures really made and checked; all else in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from bot.gate.client import Answer
from bot.runtime.operations import app_of
from bot.sandbox.aws.sts import Key, StsServer
from bot.settings import Secret, Settings
from bot.terminal_access.client import Signer, Terminal
from bot.terminal_access.decide import TerminalActs
from bot.terminal_access.door import TerminalDoor
from bot.terminal_access.sts import who_signed
from tests.support import build
from tests.support.gate_door import Client
from tests.support.world import World, account
from workflows.core.identity import address_of
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Policy
from workflows.core.terminal.caller import Caller
from workflows.ports import NotVouched, VouchedFor

AUDIENCE = "https://prodaccess.example.com"
ACCOUNT, REGION = "444455556666", "eu-central-1"


@dataclass
class Vouches:
    """A `ports.Vouching`. `tags`: IAM user's id -> address. `down`: asked whether there is no chat. `down_since_s`: when it first
    was found.
    """

    monotonic_s: Callable[[], float]
    tags: dict[str, str] = field(default_factory=dict)
    down: Callable[[], bool] = lambda: False
    down_since_s: float | None = None
    asked: int = 0

    def chat_down_for_s(self) -> float | None:
        if not self.down():
            self.down_since_s = None
            return None
        self.down_since_s = self.monotonic_s() if self.down_since_s is None else self.down_since_s
        return self.monotonic_s() - self.down_since_s

    def look_up(self, policy: Policy, caller: Caller) -> VouchedFor | NotVouched:
        self.asked += 1
        if caller.account not in policy.identity_accounts:
            return NotVouched(f"Account {caller.account} vouches for nobody.")
        address = address_of(self.tags.get(caller.id, ""))
        return VouchedFor(address, f"iam:{caller.account}:{caller.id}") if address else NotVouched("There is no tag.")


def vouching_policy(**changes: Any) -> Policy:
    """dana asks, olu and pat agree; nia may break the glass while chat is down, with what only looks."""
    glass = BreakGlass(("oncall",), ("read-only", "admin"), build.HOUR, when_chat_is_down=("read-only",))
    roles = (build.entitlement(), build.entitlement("admin"))
    place = build.environment(*roles, break_glass=glass)
    return build.policy(place, **{"identity_accounts": (ACCOUNT,), **changes})


class Terminals(World):
    """Close it: it listens on a port as STS."""

    def __init__(self, policy: Policy | None = None, secret: Secret | None = None) -> None:
        super().__init__(policy or vouching_policy())
        self.vouches = Vouches(self.clock.monotonic)
        self.ctx = replace(self.ctx, vouching=self.vouches)
        self.sts = StsServer().__enter__()
        self.environ = {"AWS_ENDPOINT_URL_STS": self.sts.url}
        self.acts = TerminalActs(
            self.ctx, "/prodaccess", lambda act, proof: who_signed(act, proof, self.environ), secret
        )
        self.door = TerminalDoor(
            Settings(url=AUDIENCE), self.ctx, lambda: bool(self.policy.current().identity_accounts)
        )
        self.web = Client(app_of(self.door.routes(), None))
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.knows(build.DANA, build.OLU, build.PAT, build.NIA)

    def close(self) -> None:
        self.web.__exit__()
        self.door.close()
        self.sts.__exit__()

    def run(self, item: str) -> None:
        if item.startswith("terminal:"):
            self.acts.decide(item.partition(":")[2])
        else:
            super().run(item)

    def chat_goes_down(self) -> None:
        """For hours already: what was known of people is old."""
        self.jump(3 * 3600)
        self.chat.unreachable = True
        self.vouches.down = lambda: self.chat.unreachable

    def at_terminal(self, who: PersonId, base: str = AUDIENCE, **changed: Any) -> Terminal:
        """Their terminal, with the key of an IAM user of theirs. `changed`: what AWS says of it."""
        name, user_id = who.partition("@")[0], f"AIDA{who.partition('@')[0].upper():X<16}"
        key = Key(
            secrets.token_hex(20),
            **{"account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "user_id": user_id, **changed},
        )
        access_key = f"AKIA{secrets.token_hex(8).upper()}"
        self.sts.keys[access_key] = key
        self.vouches.tags.setdefault(user_id, who)
        signer = Signer(ReadOnlyCredentials(access_key, key.secret, key.token or None), REGION, self.environ)
        return Terminal(base, signer, self._ask, self._wait, self.clock.monotonic)

    def _wait(self, seconds: float) -> None:
        self.work()
        self.clock.advance(seconds)
        self.work()

    def _ask(self, method: str, url: str, _: str, body: dict[str, Any], timeout_s: float) -> Answer:
        path = "/" + url.split("/", 3)[3]
        self.sent.append((path, body))
        found = self.web.post(path, json=body)
        return Answer(found.status_code, found.json())

    def posted(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        found = self.web.post(f"/terminal/v1/{path}", json=body)
        return found.status_code, found.json()


__all__ = ["ACCOUNT", "AUDIENCE", "REGION", "Terminals", "Vouches", "account", "vouching_policy"]
