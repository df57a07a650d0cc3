"""Logging: one line an event, JSON or for a console, ours and the libraries' alike, with no secret in it."""

from __future__ import annotations

import hashlib
import logging
import sys
import threading
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.types import EventDict, Processor

from bot.monotonic import monotonic_s
from bot.observability.redaction import Redactor

_redactor = Redactor()

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are misread and misheard."""

_HEAD = ("timestamp", "level", "process", "event")

# These write whole requests and answers at debug level, with credentials in forms that nobody has listed.
_NEVER_BELOW_INFO = (
    "botocore",
    "boto3",
    "urllib3",
    "s3transfer",
    "slack_sdk",
    "slack_bolt",
    "websocket",
    "asyncio",
    "msal",
)
# A line a job and a line a request say what our own lines say better.
_WARNINGS_ONLY = ("rq", "uvicorn.access", "uvicorn.error", "botocore.configprovider")
# What it writes when a call fails it raises, too, and whoever called says what that means.
_NOTHING = ("slack_sdk.web.base_client",)


def configure(
    process: str,
    *,
    level: str = "info",
    format_: str = "json",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Sends everything that is logged in this process to `stream` (standard output) in one form.

    `secrets` are values to hide wherever they appear. May be called again; the last call counts.
    """
    global _redactor  # noqa: PLW0603 - one log a process
    stream = sys.stdout if stream is None else stream
    _redactor = Redactor(secrets)
    number = logging.getLevelNamesMapping()[level.upper()]
    shared = _shared_processors(process)
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_last_processors(_redactor, format_, stream)
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(handler, number)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def hide(secrets: Iterable[str]) -> None:
    """These values, too, from now on: a secret was changed while we run."""
    _redactor.hide(secrets)


def warn(sentence: str) -> None:
    """For those who know no logger of their own."""
    structlog.get_logger().warning(sentence)


def error_number(error: BaseException) -> str:
    """A short name for a failure, to be said to a person and found in the log: `E-7F3K2`.

    What fails in the same way at the same place has the same number in every process, so that what is told of it stays.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = [f"{frame.filename.rpartition('/')[2]}:{frame.name}:{frame.lineno}" for frame in frames[-PLACES:]]
    bits = int.from_bytes(hashlib.sha256("|".join((type(error).__qualname__, *place)).encode()).digest()[:4])
    return "E-" + "".join(_ALPHABET[bits >> 5 * digit & 31] for digit in range(5))


def log_failure(event: str, error: BaseException, **facts: object) -> str:
    """Logs an unexpected exception, and returns the number to show to the person: `E-7F3K2`.

    The traceback is logged once in ten minutes; what fails again meanwhile is a line with the same number.
    """
    number = error_number(error)
    where = None if _was_told(number) else error
    structlog.get_logger().error(event, exc_info=where, error=number, raised=type(error).__name__, **facts)
    return number


# As many of the innermost calls make the number of a failure.
PLACES = 3
TRACEBACK_EVERY_S = 600.0
_told: dict[str, float] = {}
_telling = threading.Lock()


def _was_told(number: str) -> bool:
    """Whether the traceback under this number stands in the log already, not long ago."""
    with _telling:
        now_s = monotonic_s()
        for old in [old for old, at_s in _told.items() if now_s - at_s > TRACEBACK_EVERY_S]:
            del _told[old]
        told = number in _told
        _told.setdefault(number, now_s)
        return told


def _shared_processors(process: str) -> list[Processor]:
    def add_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        add_process,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _last_processors(redactor: Redactor, format_: str, stream: TextIO) -> list[Processor]:
    def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
        clean: dict[str, Any] = redactor.value(event)
        return {**{name: clean.pop(name) for name in _HEAD if name in clean}, **clean}

    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        # A traceback becomes text before secrets are looked for. Local variables are never part of it.
        structlog.processors.format_exc_info,
        redact,
        _renderer(format_, stream),
    ]


def _renderer(format_: str, stream: TextIO) -> Processor:
    if format_ == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """The standard one prints the arguments to standard error, secrets and all."""
        line = f'{{"level": "error", "event": "a log line could not be written", "logger": "{record.name}"}}'
        try:
            self.stream.write(line + self.terminator)
            self.flush()
        except (OSError, ValueError):
            return  # nowhere left to say it


def _route_standard_logging(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for logger in [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]:
        logger.handlers.clear()
        logger.propagate = True
    for name in _NEVER_BELOW_INFO:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    for name in _WARNINGS_ONLY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in _NOTHING:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.captureWarnings(capture=True)


def _uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log_failure("the process ends by an exception that nobody caught", error.with_traceback(where))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "unknown"
        log_failure("a thread ended by an exception that nobody caught", args.exc_value, thread=name)
