"""The proxy: between the caller and moto, it plays faults, keeps the record, and refuses what AWS would refuse."""

import io
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.sandbox.aws import unsupported, validation
from bot.sandbox.aws.answers import ERRORS, Answer, error, named
from bot.sandbox.aws.calls import IDENTITY_STORE, SSO_ADMIN, Call, Environ, parse
from bot.sandbox.aws.faults import Effect, Fault, FaultBook
from bot.sandbox.aws.history import History
from bot.sandbox.aws.log import CallLog, Record
from bot.sandbox.aws.operations import Operations
from bot.sandbox.aws.pages import Pages
from bot.sandbox.aws.quota import Quota
from bot.sandbox.aws.spec import WorldSpec
from bot.sandbox.aws.state import State, wall_clock
from bot.sandbox.aws.trail import Trail

WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Dropped(ConnectionError):
    """The connection is to be reset without an answer; the server's handler takes it from here."""


class Proxy:
    """All that a test can turn: `faults`, `operations`, `quota`, `pages`, `trail`, `log`, and one method for each kind of fault.

    `lock` guards moto's state; faults wait outside it, so that one held call holds up no other.
    """

    def __init__(self, spec: WorldSpec, moto: WsgiApp) -> None:
        self.state = State(spec)
        self.history = History(self.state)
        self.operations = Operations(self.state, self.history)
        self.quota = Quota()
        self.pages = Pages()
        self.trail = Trail(wall_clock)
        self.faults = FaultBook()
        self.log = CallLog()
        self.lock = threading.RLock()
        self._moto = moto

    def calm(self) -> None:
        """Ends all faults, quotas and operations, and forgets the log."""
        self.faults.clear()
        with self.lock:
            self.quota.off()
            self.state.may_not.clear()
            self.operations.reset()
            self.history.clear()
            self.trail.calm()
        self.log.reset()

    # One method for each kind of fault. `action`, `where`, `times` and `skip` are those of `Fault`.

    def error(self, code: str, action: str = "*", *, applied: bool = False, **rest: Any) -> Fault:
        """Answers with an error: a name of `answers.ERRORS` (`throttled`, `denied`, `expired`, `server_error`,
        `unavailable`, `conflict`, `quota`) or a code with `status` and `message`; `applied`: though it took effect.
        """
        return self.faults.add(Fault("error", action, code=code, effect="before" if applied else "never", **rest))

    def throttle(self, action: str = "*", *, applied: bool = False, **rest: Any) -> Fault:
        """Answers "Rate exceeded"."""
        return self.error("throttled", action, applied=applied, **rest)

    def hang(self, action: str = "*", *, effect: Effect = "never", seconds: float = 60.0, **rest: Any) -> Fault:
        """Does not answer. `effect`: `never`; `before` (the answer is lost); `late` (it lands after `seconds`)."""
        return self.faults.add(Fault("hang", action, effect=effect, seconds=seconds, **rest))

    def reset_connection(self, action: str = "*", *, effect: Effect = "never", **rest: Any) -> Fault:
        """Resets the connection, `before` the call takes effect (`never`) or after it did (`before`)."""
        return self.faults.add(Fault("reset", action, effect=effect, **rest))

    def delay(self, seconds: float, action: str = "*", *, times: int | None = None, **rest: Any) -> Fault:
        """Makes calls slow, by default all that follow; they take effect at the end of the wait."""
        return self.faults.add(Fault("delay", action, seconds=seconds, times=times, **rest))

    def hold(self, action: str, *, effect: Effect = "late", **rest: Any) -> Fault:
        """Holds a call until `release()`: before it takes effect, or after (`effect="before"`) with the answer unsent.

        `wait_held(timeout)` on what this gives waits until the call is there.
        """
        return self.faults.add(Fault("hold", action, effect=effect, **rest))

    def stale(
        self,
        action: str = "reads",
        *,
        seconds: float | None = None,
        behind: int = 0,
        times: int | None = None,
        **rest: Any,
    ) -> Fault:
        """Answers reads from the past: as it was `seconds` ago, or before the last `behind` changes."""
        return self.faults.add(Fault("stale", action, seconds=seconds, behind=behind, times=times, **rest))

    def handle(self, environ: Environ, body: bytes) -> Answer:
        """Answers one request. Raises `Dropped` where the fault is to have no answer."""
        call = parse(environ, body)
        call = replace(call, account=self._account(call))
        record = self.log.begin(call)
        try:
            answer = self._decide(call, environ | {"proxy.body": body}, record)
        except Dropped:
            self.log.end(record, "dropped")
            raise
        self.log.end(record, answer.error or "ok")
        return answer

    def _decide(self, call: Call, environ: Environ, record: Record) -> Answer:
        with self.lock:
            self.operations.settle()
            refused = self.quota.refuse(call, self.operations.outstanding()) or self.trail.refuse(call)
        if refused is not None:
            record.fault = "quota"
            return refused

        def apply() -> Answer:
            return self._apply(call, environ, record)

        fault = self.faults.take(call)
        if fault is None:
            return apply()
        record.fault = fault.kind
        if fault.kind == "stale":
            return self._stale(fault, call, environ, record)
        return _play(fault, call, apply)

    def _apply(self, call: Call, environ: Environ, record: Record) -> Answer:
        """Lets the call through to the simulated AWS."""
        with self.lock:
            self.operations.settle()
            return self._through(call, environ, record)

    def _through(self, call: Call, environ: Environ, record: Record) -> Answer:
        refusal = validation.other_region(call, self.state) or validation.refuse(call, self.state)
        if refusal is not None:
            return refusal
        body: bytes = environ["proxy.body"]
        answer = self.pages.answer(call, body, lambda call, body: self._whole(call, environ | {"proxy.body": body}))
        if not answer.error:
            record.took_effect_at_s = time.monotonic()
        return answer

    def _whole(self, call: Call, environ: Environ) -> Answer:
        """The answer of the simulated AWS, ours or moto's."""
        answer = self.operations.answer(call) or self.trail.answer(call) or unsupported.answer(call, self.state)
        if answer is None:
            if call.changes:
                self.history.record()
            answer = self._forward(call.account, environ)
        return answer

    def _stale(self, fault: Fault, call: Call, environ: Environ, record: Record) -> Answer:
        with self.lock:
            self.operations.settle()
            past = self.history.find(seconds=fault.seconds, behind=fault.behind)
            if past is None or call.changes:
                return self._apply(call, environ, record)
            status = self.operations.answer(call, past.at_s)
            if status is not None:
                return status
            with self.history.rewound(past):  # nothing may settle meanwhile: it would be lost with the old world
                return self._through(call, environ, record)

    def _forward(self, account: str, environ: Environ) -> Answer:
        """Asks moto, in the caller's account, and gathers the whole answer."""
        body: bytes = environ["proxy.body"]
        inner = environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        inner["HTTP_X_MOTO_ACCOUNT_ID"] = account
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
            head[:] = [status, headers]

        parts = self._moto(inner, start_response)
        try:
            content = b"".join(parts)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        status = int(head[0].split()[0])
        return Answer(status, content, list(head[1]), _error_code(status, head[1], content))

    def _account(self, call: Call) -> str:
        """Whose account a call acts in: Identity Center is one for all, a key issued by STS has its own."""
        if call.service in (SSO_ADMIN, IDENTITY_STORE):
            return self.state.spec.home_account
        with self.lock:
            for account, backend in self.state.iam_accounts():
                if call.access_key in backend.access_keys:
                    return account
        return self.state.spec.home_account


def _play(fault: Fault, call: Call, apply: Callable[[], Answer]) -> Answer:
    """Plays any fault but a stale read."""
    answer = apply() if fault.effect == "before" else None
    if fault.kind == "error":
        return _error_of(fault, call)
    if fault.kind == "reset":
        raise Dropped
    goes_on = fault.gate.wait(fault.seconds)
    if not goes_on:
        raise Dropped
    if fault.kind == "hang":
        if fault.effect == "late":
            apply()
        raise Dropped
    return answer or apply()


def _error_of(fault: Fault, call: Call) -> Answer:
    if fault.code in ERRORS:
        return named(call, fault.code, fault.message)
    return error(call, fault.code, fault.message or fault.code, fault.status)


def _error_code(status: int, headers: Iterable[tuple[str, str]], content: bytes) -> str:
    """AWS's error code in an answer of moto's, for the log."""
    if status < 400:
        return ""
    by_name: Mapping[str, str] = {name.lower(): value for name, value in headers}
    if "x-amzn-errortype" in by_name:
        return by_name["x-amzn-errortype"]
    for before, after in ((b"<Code>", b"</Code>"), (b'"__type": "', b'"'), (b'"__type":"', b'"')):
        if before in content:
            return content.split(before, 1)[1].split(after, 1)[0].decode()
    return str(status)
