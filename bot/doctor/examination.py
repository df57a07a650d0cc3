"""All subjects side by side, each with its own deadline. What goes wrong in one is a line of it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from redis.exceptions import RedisError

from bot.cloud_credentials import cloud_secrets
from bot.doctor.context import Context, words_of
from bot.monotonic import monotonic_s
from bot.observability.log import error_number
from bot.observability.redaction import Redactor
from bot.providers import PROVIDERS
from bot.settings import SECRETS, Process, variable
from workflows.core.finding import Finding, State, unknown
from workflows.policy_file.problem import printable
from workflows.ports import LedgerUnreachable

ANYBODY: tuple[Process, ...] = ("web", "worker", "clock")
WITHIN_S = 25.0
# Of one part of a line. The longest that we make ourselves has some hundreds.
_CHARS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Subject:
    """`name` is the first part of its checks' names; `bot.doctor.NAME` looks at it. `of`: whose business it is."""

    name: str
    title: str
    of: tuple[Process, ...] = ANYBODY


# In the order in which things rest on one another: what is first is mended first.
SUBJECTS: tuple[Subject, ...] = (
    Subject("variables", "Variables"),
    Subject("policy", "Policy"),
    Subject("redis", "Redis"),
    Subject("slack", "Slack", ("web", "worker")),
    Subject("teams", "Teams", ("web", "worker")),
    Subject("groups", "Groups kept elsewhere", ("worker",)),
    Subject("people", "People", ("web", "worker")),
    Subject("targets", " and ".join(provider.name for provider in PROVIDERS)),
    Subject("tickets", "Ticket systems", ("worker",)),
    Subject("forges", "GitHub", ("web", "worker")),
    Subject("webhooks", "Webhooks", ("worker",)),
    Subject("pipelines", "Pipelines", ("web",)),
    Subject("audit", "Audit log"),
    Subject("processes", "Processes"),
    Subject("record", "The record"),
)

Look = Callable[[Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Examined:
    """One subject with what was found of it."""

    subject: Subject
    findings: tuple[Finding, ...]


@dataclass
class _Running:
    subject: Subject
    found: list[Finding] = field(default_factory=list)
    over: bool = False


def subjects_for(context: Context) -> tuple[Subject, ...]:
    """Those that are the business of whom the look is for."""
    return tuple(one for one in SUBJECTS if context.whom in (None, "up") or context.whom in one.of)


def examine(
    context: Context,
    subjects: Sequence[Subject],
    told: Callable[[Sequence[str]], None] = lambda _: None,
    within_s: float = WITHIN_S,
) -> tuple[Examined, ...]:
    """Look at all of them. `told` hears the titles of those that are still looked at, whenever one is done.

    Takes `within_s` seconds at most: what is not done by then says so, with what was found before. Closes `context`.
    """
    running = [_Running(subject) for subject in subjects]
    done: SimpleQueue[None] = SimpleQueue()
    for one in running:
        threading.Thread(
            target=_look, args=(context, one, done), name=f"doctor-{one.subject.name}", daemon=True
        ).start()
    until_s = monotonic_s() + within_s
    told([one.subject.title for one in running])
    while not all(one.over for one in running) and (left_s := until_s - monotonic_s()) > 0:
        try:
            done.get(timeout=left_s)
        except Empty:
            break
        told([one.subject.title for one in running if not one.over])
    context.close()
    hide = redactor(context)
    return tuple(Examined(one.subject, tuple(hide(each) for each in _found(one, within_s))) for one in running)


def look_of(name: str) -> Look:
    """What looks at the subject of this name; imported when it does."""
    look: Look = importlib.import_module(f"bot.doctor.{name}").look
    return look


def _look(context: Context, one: _Running, done: SimpleQueue[None]) -> None:
    try:
        for finding in look_of(one.subject.name)(context):
            one.found.append(finding)
    except LedgerUnreachable as problem:
        one.found.append(_failed(one.subject, str(problem)))
    except RedisError as problem:
        one.found.append(_failed(one.subject, f"Redis was asked, and {words_of(problem)}"))
    except Exception as problem:
        words = f"it could not be looked at ({type(problem).__name__}, {error_number(problem)})"
        one.found.append(_failed(one.subject, words))
    finally:
        one.over = True
        done.put(None)


def _found(one: _Running, within_s: float) -> list[Finding]:
    found, over = list(one.found), one.over
    return (
        found
        if over
        else [*found, _failed(one.subject, f"not all of it was looked at: no answer within {within_s:g} s")]
    )


def _failed(subject: Subject, words: str) -> Finding:
    return unknown(f"{subject.name}.look", subject.title, words, "run it again; LOG_LEVEL=debug shows more")


def redactor(context: Context) -> Callable[[Finding], Finding]:
    """The last line of defence: no word that is written holds a secret of this machine's, and none is anything but text on one
    line. Names and words of other systems are theirs: they may hold what moves a terminal's cursor, or have no end.
    """
    named = [name for field_ in SECRETS for name in (variable(field_),)]
    values = [context.environ[name] for name in named if context.environ.get(name)]
    hide = Redactor((*context.settings.secret_values(), *cloud_secrets(context.environ), *values)).text

    def told(text: str) -> str:
        text = printable(" ".join(hide(text).split()))
        return text if len(text) <= _CHARS_MAX else f"{text[:_CHARS_MAX]}…"

    return lambda found: replace(found, what=told(found.what), words=told(found.words), mend=told(found.mend))


def worst(examined: Sequence[Examined]) -> State:
    """Of all that was found: broken, attention, unknown, or ok. What was not looked at is no worse than ok."""
    states = {finding.state for one in examined for finding in one.findings}
    return next((state for state in (State.BROKEN, State.ATTENTION, State.UNKNOWN) if state in states), State.OK)
