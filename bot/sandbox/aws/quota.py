"""Identity Center's quotas: about 20 calls a second for all callers, 10 operations outstanding.

Source: "Throttle limits" in the IAM Identity Center user guide (quotas). Off unless a test or a bench asks for them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.aws.answers import Answer, named
from bot.sandbox.aws.calls import SSO_ADMIN, Call

STARTS_OPERATION = frozenset({"CreateAccountAssignment", "DeleteAccountAssignment"})


@dataclass
class Quota:
    """A token bucket for calls and a ceiling for operations; None switches either off."""

    calls_per_second: float | None = None
    outstanding_max: int | None = None
    services: tuple[str, ...] = (SSO_ADMIN,)
    # A test stops it, so that what is refused does not depend on how busy the machine is.
    monotonic_s: Callable[[], float] = time.monotonic
    _tokens: float = field(default=0.0, init=False)
    _filled_at: float = field(default=0.0, init=False)

    def set(self, *, calls_per_second: float | None = 20, outstanding_max: int | None = 10) -> None:
        """Switches the quotas on with these figures; the bucket starts full and holds one second's worth."""
        self.calls_per_second, self.outstanding_max = calls_per_second, outstanding_max
        self._tokens, self._filled_at = calls_per_second or 0.0, self.monotonic_s()

    def off(self) -> None:
        """Switches both quotas off, and counts by the real clock from now on."""
        self.calls_per_second = self.outstanding_max = None
        self.monotonic_s = time.monotonic

    def refuse(self, call: Call, outstanding: int) -> Answer | None:
        """The throttling answer where a quota is used up."""
        if call.service not in self.services:
            return None
        if self.calls_per_second is not None:
            now = self.monotonic_s()
            grown = self._tokens + (now - self._filled_at) * self.calls_per_second
            self._tokens, self._filled_at = min(self.calls_per_second, grown), now
            if self._tokens < 1:
                return named(call, "throttled")
            self._tokens -= 1
        ceiling = self.outstanding_max
        if ceiling is not None and call.action in STARTS_OPERATION and outstanding >= ceiling:
            return named(call, "throttled", "Too many outstanding account assignment operations")
        return None
