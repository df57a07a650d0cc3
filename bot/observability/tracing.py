"""One trace from a press to verified access, for whoever collects traces with OpenTelemetry. Off, it is a look at one name.

It is on where OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) is set and the extra `otel` is installed. A wake-up carries
the context of whoever sent it in RQ's own `meta`, which every version leaves alone. What the clock finds has no sender: a step
that follows within seconds (an operation is asked after) goes on in the same trace, anything later begins one that is linked.

Attributes are from closed lists, and ids of requests and holdings: never a person, a reason, an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Protocol
from urllib.parse import unquote

import structlog
from redis import Redis
from redis.exceptions import RedisError

from workflows.core.calls import listen
from workflows.core.records.request import ID_PATTERN

log = structlog.get_logger()

# W3C Trace Context, level 1: version, trace, parent, flags.
_CONTEXT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_META = "traceparent"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# What comes so soon after a traced step of the same thing is a part of it; a target's operation is asked after every 0.5 to 5 s.
GOES_ON_FOR_S = 10
# For so long a later step is linked to what began it: an end to its decision, say.
LINKED_FOR_S = 7 * 24 * 3600
_LETS_IN = re.compile("auth|key|token|secret|password|license", re.IGNORECASE)
_HOLDING = re.compile(r"H-[A-Za-z0-9]{1,64}")


class Recorder(Protocol):
    """`bot.observability.otel.Otel`."""

    def span(
        self, name: str, attributes: Mapping[str, str], parent: str | None = None, link: str | None = None
    ) -> AbstractContextManager[None]: ...
    def carried(self) -> str | None: ...
    def heard(self, call: Any) -> None: ...
    def close(self) -> None: ...


_recorders: list[Recorder] = []


def turn_on(process: str, environ: Mapping[str, str]) -> None:
    """Where it is wanted and can be done; one sentence in the log where it cannot."""
    off = (
        environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    )
    variable = next((name for name in _ENDPOINTS if environ.get(name)), None)
    if variable is None or off:
        return
    try:
        from bot.observability.otel import Otel  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        log.warning(
            f"{variable} is set, and the packages for it are not installed: nothing is traced. "
            "Install prodaccess[otel], or take the variable away."
        )
        return
    record_with(Otel(process))


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What no log may show: credentials for whoever collects, in headers (`name=value,...`, percent-encoded)."""
    headers = (value for name, value in environ.items() if re.fullmatch(r"OTEL_EXPORTER_OTLP_(\w+_)?HEADERS", name))
    pairs = (one.partition("=") for given in headers for one in given.split(","))
    values = [value.strip() for name, _, value in pairs if _LETS_IN.search(name)]
    return tuple({form for value in values if value for form in (value, unquote(value))})


def record_with(recorder: Recorder) -> None:
    """From now on, and every call to another system is a part of it."""
    _recorders[:] = [recorder]
    listen(recorder.heard)


def turn_off() -> None:
    """Send what is left, within a second."""
    while _recorders:
        _recorders.pop().close()


def span(name: str, **attributes: str) -> AbstractContextManager[None]:
    """A step of what this thread is doing."""
    return _recorders[0].span(name, attributes) if _recorders else nullcontext()


def meta() -> dict[str, str]:
    """What a wake-up carries: nothing where this thread is in no trace."""
    context = _recorders[0].carried() if _recorders else None
    return {_META: context} if context else {}


def job(name: str, item: str, redis: Redis) -> AbstractContextManager[None]:
    """Round the job of a due item: in the trace of whoever woke it, or one of its own."""
    return _job(_recorders[0], name, item, redis) if _recorders else nullcontext()


@contextmanager
def _job(recorder: Recorder, name: str, item: str, redis: Redis) -> Iterator[None]:
    kind, _, id_ = item.partition(":")
    # Names of other things may hold people's.
    own = id_ if ID_PATTERN.fullmatch(id_) or _HOLDING.fullmatch(id_) else ""
    attributes = {"prodaccess.item": kind, **({"prodaccess.id": own} if own else {})}
    parent, link = _sent(), None
    if parent is None and own:
        parent, link = _remembered(redis, item, own)
    with recorder.span(name, attributes, parent, link):
        try:
            yield
        finally:
            if own:
                _remember(redis, item, own, recorder.carried())


def _sent() -> str | None:
    """By whoever sent this wake-up. Whoever can write to Redis can write there, so it is believed in one form only."""
    from rq import get_current_job  # noqa: PLC0415 - web has no jobs

    job = get_current_job()
    found = job.meta.get(_META) if job is not None and isinstance(job.meta, dict) else None
    return _readable(found)


def _readable(found: object) -> str | None:
    text = found.decode("ascii", "replace") if isinstance(found, bytes) else found
    return text if isinstance(text, str) and _CONTEXT.fullmatch(text) else None


def _remembered(redis: Redis, item: str, own: str) -> tuple[str | None, str | None]:
    """What it goes on with, and else what it is linked to. That it is not known is no reason to do less."""
    with suppress(RedisError):
        found: Any = redis.mget(_going_on(item), _about(own))
        goes_on, about = map(_readable, found)
        return goes_on, None if goes_on else about
    return None, None


def _remember(redis: Redis, item: str, own: str, context: str | None) -> None:
    with suppress(RedisError), redis.pipeline(transaction=False) as pipe:
        pipe.set(_going_on(item), context or "", ex=GOES_ON_FOR_S)
        pipe.set(_about(own), context or "", ex=LINKED_FOR_S)
        pipe.execute(raise_on_error=False)


def _going_on(item: str) -> str:
    return f"prodaccess:trace:on:{item}"


def _about(own: str) -> str:
    return f"prodaccess:trace:of:{own}"
