"""A job at the gate: asks, waits, takes its decision, and says a line now and then."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.gate.client import Answer, NoAnswer
from bot.gate.patience import APPROVED, DENIED, PAUSE_S, REFUSED, TIMED_OUT, Ended, Patience
from bot.gate.tokens import Call, NoToken, Tokens
from workflows.core.durations import format_duration

# The answer is there within that, or web has said that nobody has decided.
POLL_S = 20.0
POLL_TIMEOUT_S = POLL_S + 10.0
# A job that is cancelled is killed after some seconds: GitHub gives 7.5.
GOODBYE_S = 3.0


class Cancelled(BaseException):
    """Somebody ended the job. `signal`: its number. It comes at any moment, so that no `except Exception`, of whichever library,
    may take it for a fault of its own.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(str(signal))
        self.signal = signal


@dataclass(frozen=True, slots=True)
class Wanted:
    """As typed. `wait`: so long at most."""

    environment: str
    gate: str
    change: str
    commit: str
    url: str
    ticket: str
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Kept:
    """What gives back what the pipeline's role has by a gate. `url`: of the ask; `ticket`: its wait ticket, a secret."""

    url: str
    ticket: str


class Job:
    def __init__(
        self,
        url: str,
        wanted: Wanted,
        tokens: Tokens,
        call: Call,
        say: Callable[[str], object],
        pause: Callable[[float], object],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._asks = f"{url}/gate/v1/asks"
        self._wanted, self._tokens, self._call, self._say = wanted, tokens, call, say
        self._patience = Patience(wanted.wait, call, say, pause, monotonic_s)
        self._id = self._ticket = ""
        # None where the gate gives nothing.
        self.kept: Kept | None = None

    def run(self) -> Ended:
        """How it ended. Whatever ends it but a decision withdraws the ask."""
        try:
            self._ask()
            self._wait_for_decision()
        except Ended as ended:
            if ended.code == REFUSED:
                self._withdrawn()
            return ended
        except Cancelled as cancelled:
            gone = f" {self._id} is withdrawn." if self._withdrawn() else ""
            words = gone if self._id else " Nothing was asked for."
            return Ended(128 + cancelled.signal, f"The job was cancelled.{words}")
        raise AssertionError("a job ends by saying why")

    # ------------------------------------------------------------ asking

    def _ask(self) -> None:
        answer = self._asked(self._body(), self._token())
        self._id, self._ticket = answer.text("id"), answer.text("ticket")
        if not (self._id and self._ticket):
            raise Ended(REFUSED, "prodaccess answered something that is no ask: is PRODACCESS_URL right?")
        words = answer.text("card")
        until = _clock(answer.text("expires_at"))
        self._say(
            f"{self._id} asks for the gate {self._wanted.gate} of {self._wanted.environment}."
            f"{f' {words}' if words else ''}{f' It waits until {until} UTC.' if until else ''}"
        )

    def _asked(self, body: dict[str, Any], token: str) -> Answer:
        """The same ask until it is answered: sent twice it is one."""
        while True:
            answer = self._patience.answer("POST", self._asks, token, body)
            if answer.status == 201:
                return answer
            # A token lives for minutes; whoever was away for longer needs another one.
            if answer.text("error") != "expired" or not self._tokens.can_be_new:
                raise Ended(REFUSED, _sentence(answer))
            body, token = self._body(), self._token()

    def _token(self) -> str:
        while True:
            try:
                return self._tokens.token()
            except NoToken as problem:
                if not problem.passing:
                    raise Ended(REFUSED, str(problem)) from None
                self._patience.away(str(problem).rstrip("."))

    def _body(self) -> dict[str, Any]:
        typed = {"url": self._wanted.url, "commit": self._wanted.commit, "ticket": self._wanted.ticket}
        whole = {"environment": self._wanted.environment, "gate": self._wanted.gate, "change": self._wanted.change}
        return {**whole, **{name: text for name, text in typed.items() if text}, "nonce": secrets.token_urlsafe(32)}

    # ------------------------------------------------------------ waiting

    def _wait_for_decision(self) -> None:
        while True:
            left_s = self._patience.left_s()
            url = f"{self._asks}/{self._id}?wait_s={max(0.0, min(POLL_S, left_s)):.1f}"
            answer = self._patience.answer("GET", url, self._ticket, timeout_s=POLL_TIMEOUT_S)
            if answer.status != 200:
                raise Ended(REFUSED, _sentence(answer))
            if answer.text("state") == "approved":
                self._redeem(answer)
            elif answer.text("state") != "waiting":
                raise self._over(answer)
            if self._patience.left_s() <= 0:
                gone = f" {self._id} is withdrawn." if self._withdrawn() else ""
                raise Ended(TIMED_OUT, f"Nobody decided within {format_duration(self._wanted.wait)}.{gone}")
            self._patience.tell(self._id)

    def _redeem(self, approved: Answer) -> None:
        """Once for each approval that is seen: sent twice it is one."""
        body = {"nonce": secrets.token_urlsafe(32)}
        answer = self._patience.answer("POST", f"{self._asks}/{self._id}/redeem", self._ticket, body)
        # A page of whoever stands before web may be a good answer, too, and is no approval.
        if answer.status == 200 and answer.text("state") == "redeemed":
            by = approved.text("by")
            self._given(answer)
            raise Ended(APPROVED, f"{self._id} was approved{f' by {by}' if by else ''}: the job goes on.")
        if answer.text("error") not in ("looked_at_again", "not_approved"):
            raise Ended(REFUSED, _sentence(answer))
        self._patience.pause(PAUSE_S)

    def _given(self, answer: Answer) -> None:
        what, until = answer.text("what"), _clock(answer.text("until"))
        if what and until:
            self.kept = Kept(f"{self._asks}/{self._id}", self._ticket)
            self._say(f"Until {until} UTC there is the {what}.")

    def _over(self, answer: Answer) -> Ended:
        state, by, reason = answer.text("state"), answer.text("by"), answer.text("reason")
        because = f": {reason}" if reason else "."
        if state == "denied":
            return Ended(DENIED, f"{self._id} was denied{f' by {by}' if by else ''}{because}")
        if state == "expired":
            return Ended(TIMED_OUT, f"Nobody decided in time: {self._id} has expired.")
        if state == "used":
            return Ended(REFUSED, f"The decision of {self._id} was used already, and is good once.")
        if state == "withdrawn":
            return Ended(REFUSED, f"{self._id} was withdrawn{because}")
        return Ended(REFUSED, f"{self._id} was not let through{because}")

    def _withdrawn(self) -> bool:
        """Nobody shall decide what nobody waits for. If it cannot be said, the ask expires."""
        if not self._id:
            return False
        body, words = {"nonce": secrets.token_urlsafe(32)}, f"{self._id} could not be withdrawn, and will expire."
        try:
            answer = self._call("POST", f"{self._asks}/{self._id}/withdraw", f"Bearer {self._ticket}", body, GOODBYE_S)
        except NoAnswer:
            self._say(words)
            return False
        if answer.status == 200 and answer.text("state") == "withdrawn":
            return True
        if not is_over(answer):
            self._say(words)
        return False


def is_over(answer: Answer) -> bool:
    """Whether prodaccess itself says of an ask that there is nothing to take back any more."""
    return not answer.is_passing and answer.text("error") in ("refused", "unknown")


def _sentence(answer: Answer) -> str:
    return answer.text("sentence") or f"prodaccess answered with what is no answer of its own ({answer.status})."


def _clock(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%H:%M}"
    except ValueError:
        return ""
