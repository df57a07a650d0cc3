"""The clock: one leader finds what is due, five times a second, and wakes workers. Any number may run; the others wait."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from bot.monotonic import host
from bot.observability.log import log_failure
from bot.observability.tally import EVERY_S as TALLY_EVERY_S
from bot.observability.tally import Tally
from bot.queues import SPREAD, TOGETHER_BUSY, UnknownKind, in_jobs, reads_like_several
from bot.runtime.heartbeat import beat_while_running
from bot.runtime.life_sign import LifeSign
from bot.runtime.periodic import TELL_EVERY_S, keep_doing, keep_watching_the_record
from bot.runtime.stopping import patiently, stop_when_asked
from bot.settings import Settings
from bot.wiring import ClockParts, build_clock
from workflows.core import keys
from workflows.ports import LedgerUnreachable, PolicyUnavailable
from workflows.usecases.drift.standing import schedule
from workflows.usecases.identity.holders import ask_for_a_look
from workflows.usecases.shared.due_items import declare_durability, take_off
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.troubles import Failure, attempt, note
from workflows.usecases.upkeep.timekeeping import LOOK_EVERY_S as TIMEKEEPER_EVERY_S
from workflows.usecases.upkeep.timekeeping import Timekeeper

log = structlog.get_logger()

LOOK_EVERY_S = 0.2
# After a look that has found something: more is due soon, by and large, and what waits for a target's quota waits for moments.
# Not while the workers have more than they can do: then what comes has to wait for them, and is cheaper done together.
LOOK_AGAIN_S = 0.05
POLICY_EVERY_S = 2.0
# A folder that has not changed is compared with the policy in force this often: somebody may have applied another one.
COMPARE_EVERY_S = 10.0
# Whether anybody holds access, who is to be looked at now and then.
HOLDERS_EVERY_S = 60.0
# The first look after a clock has begun to lead: others who start at the same time go first.
RETAIN_AFTER_S = 60.0
# A claimed item is due again after 5 s, and is sent again then, or after 5 s more while wake-ups wait in the queues. A holding
# that is due again about then was not seen to: an operation is asked after sooner, and the later looks come later. An end is due
# until it is done, however late it comes back.
COMES_BACK_S_MIN, COMES_BACK_S, END_COMES_BACK_S = 4.5, 14.0, 300.0
# So much of an unknown item's name is said.
_NAMED = 80
# A clock that does not lead asks this often whether it may.
ASK_EVERY_S = 1.0
# One look that lasts longer will not end: calls to a Redis that does not answer are given up sooner.
STUCK_S = 180.0


def run(settings: Settings) -> None:
    """Tick until SIGTERM or SIGINT."""
    life, stop = LifeSign("clock"), stop_when_asked()
    parts = build_clock(settings, wait=patiently(stop))
    ticker = Ticker(parts)
    life.stuck = ticker.stuck
    beat_while_running(parts.beats, "clock", stop, ticker.healthy, parts.beside_older)
    timekeeper = Timekeeper(parts.context, host(), parts.monotonic_s)
    keep_doing(parts.context, "timekeeper", timekeeper.look, TIMEKEEPER_EVERY_S, stop)
    keep_watching_the_record(parts.context, stop)
    keep_doing(parts.context, "unreadable", parts.tell_unreadable, TELL_EVERY_S, stop)
    keep_doing(parts.context, "tally", Tally(parts.context, parts.redis).advance, TALLY_EVERY_S, stop)
    log.info("clock is ready")
    while not stop.wait(ticker.tick()):
        pass
    ticker.hand_over()
    life.close()
    parts.close()


class Ticker:
    """One look: lead or ask to; claim what is due; wake. Once in a while: the policy folder."""

    def __init__(self, parts: ClockParts, spread: int = SPREAD) -> None:
        self._parts, self._spread = parts, spread
        self._leads = False
        self._policy_at_s = 0.0
        self._holders_at_s = parts.monotonic_s()
        self._compared: tuple[str, float] = ("", 0.0)
        # What went into a job with others lately, and when.
        self._together_at_s: dict[str, float] = {}
        # Said already: the folder is looked at every two seconds.
        self._policy_problem = ""
        self._worked_at_s = self._looked_at_s = parts.monotonic_s()
        self._again_soon = False

    def tick(self) -> float:
        """Returns how long to wait before the next one, in seconds."""
        self._looked_at_s = self._parts.monotonic_s()
        try:
            return self._tick()
        except LedgerUnreachable as problem:
            log.warning("the ledger does not answer", error=str(problem))
        except Exception as problem:
            log_failure("a look at the clock failed", problem)
        self._leads = False
        return ASK_EVERY_S

    def hand_over(self) -> None:
        """Another clock need not wait until this one's lead has run out."""
        try:
            self._parts.due.resign(self._parts.token)
        except LedgerUnreachable as problem:
            log.warning("the lead was not handed over; it runs out by itself", error=str(problem))

    def healthy(self) -> bool:
        """A clock that waits for another one to fall is healthy, too; one that cannot reach the ledger is not."""
        return self._parts.monotonic_s() - self._worked_at_s < 2 * ASK_EVERY_S + 1

    def stuck(self) -> str:
        """Whether one look lasts for minutes; empty: it does not. One at a Redis that is away is over sooner."""
        at_it_s = self._parts.monotonic_s() - self._looked_at_s
        return f"it has been at one look for {at_it_s:.0f} seconds" if at_it_s > STUCK_S else ""

    def _tick(self) -> float:
        parts = self._parts
        led, self._leads = self._leads, parts.due.lead(parts.token)
        if not self._leads:
            self._worked_at_s = parts.monotonic_s()
            return ASK_EVERY_S
        if not led:
            log.info("this clock leads now")
            self._try("drift", lambda: schedule(parts.context))
            self._try("retention", self._retain)
            self._try("durability", lambda: declare_durability(parts.context, parts.settings.redis_durability))
        if parts.monotonic_s() - self._policy_at_s >= POLICY_EVERY_S:
            self._policy_at_s = parts.monotonic_s()
            self._try("policy", self._look_at_policy)
        if parts.monotonic_s() - self._holders_at_s >= HOLDERS_EVERY_S:
            self._holders_at_s = parts.monotonic_s()
            self._try("holders", lambda: ask_for_a_look(parts.context))
        self._again_soon = False
        if self._try("look", self._wake_what_is_due):
            self._worked_at_s = parts.monotonic_s()
        return LOOK_AGAIN_S if self._again_soon else LOOK_EVERY_S

    def _try(self, name: str, what: Callable[[], None]) -> bool:
        """Whatever is wrong with one part of a look, ends must still be found. Raises LedgerUnreachable."""
        return attempt(self._parts.context, f"process:clock {name}", what)

    def _wake_what_is_due(self) -> None:
        found = self._parts.due.claim(self._parts.token)
        busy = len(found) > 1 and self._workers_are_busy()
        for items in in_jobs(found, self._came_back, self._spread, least=TOGETHER_BUSY if busy else 1):
            if reads_like_several(items[0]):
                self._drop(items[0])
            else:
                self._send(items)
        self._again_soon = bool(found) and not busy

    def _workers_are_busy(self) -> bool:
        try:
            return self._parts.wake.waiting() >= SPREAD
        except RedisError:
            return False  # what is wrong with the queue is said of the wake-ups

    def _drop(self, item: str) -> None:
        """It names nothing of ours, and would be due for ever."""
        self._parts.context.unreadable(
            f"item:{item[:_NAMED]}", f"{item[:_NAMED]!r} is due, and names nothing; it was taken off"
        )
        attempt(self._parts.context, "process:clock look", lambda: take_off(self._parts.context, item))

    def _came_back(self, item: str) -> bool:
        """Whether its last wake-up, which it shared with others, came to nothing: it was lost, or a worker of an older version
        took it, which knows jobs of one thing alone. Then it goes by itself.
        """
        sent_s = self._together_at_s.pop(item, None)
        until_s = END_COMES_BACK_S if item.startswith(keys.end_due("")) else COMES_BACK_S
        return sent_s is not None and COMES_BACK_S_MIN <= self._parts.monotonic_s() - sent_s < until_s

    def _send(self, items: tuple[str, ...]) -> None:
        now_s, item = self._parts.monotonic_s(), items[0]
        if len(items) > 1:
            self._together_at_s = {
                name: at_s for name, at_s in self._together_at_s.items() if now_s - at_s < END_COMES_BACK_S
            } | dict.fromkeys(items, now_s)
        try:
            self._parts.wake.send(*items)
        except RedisError as problem:
            # Full memory, say. It is due again in 5 s, and workers look for overdue ends by themselves.
            log.error("a wake-up was not sent", item=item, error=type(problem).__name__)
        except UnknownKind:
            # Left where it is, for a version that knows it. Nothing of ours fails, and wake-ups are sent.
            self._parts.context.unreadable(
                f"item:{item[:_NAMED]}", f"{item[:_NAMED]!r} is due, and this version has no job for it"
            )
        except Exception as problem:
            # The others must not wait for it.
            number = self._parts.context.fault("a wake-up was not sent", problem, item=item)
            note(self._parts.context, "process:clock wake-ups", Failure(went_wrong(number)))

    def _retain(self) -> None:
        """What the policy does not keep for ever is looked at, and whether owners are to be asked; a policy that cannot be read
        says so elsewhere.
        """
        with suppress(PolicyUnavailable):
            if self._parts.policy.current().retention is not None:
                self._parts.ledger.remind(keys.RETAINED, RETAIN_AFTER_S)
            if self._parts.policy.current().certify is not None:
                self._parts.ledger.remind(keys.CERTIFY_NEXT, RETAIN_AFTER_S)

    def _look_at_policy(self) -> None:
        try:
            hash_, now_s = self._parts.policy.current().hash, self._parts.monotonic_s()
            if hash_ == self._compared[0] and now_s - self._compared[1] < COMPARE_EVERY_S:
                return
            self._parts.activate_policy()
            self._compared = (hash_, now_s)
            self._policy_problem = ""
        except PolicyUnavailable as problem:
            # Said by `/readyz` in full, and here when it is news.
            if str(problem) != self._policy_problem:
                log.warning("the policy folder is not valid; the active policy stays", problem=str(problem))
            self._policy_problem = str(problem)
