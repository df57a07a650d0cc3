"""Work on many things at once, in rounds: each runs until it has a question for the ledger, and all questions of a round are
asked together. What is done to one of them is written as if it were alone.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from workflows.ports import (
    Acquiring,
    Ask,
    Change,
    Committed,
    Committing,
    Lease,
    LedgerUnreachable,
    Lost,
    MakingDurable,
    Reading,
    Releasing,
    Snapshot,
    ask_one,
)
from workflows.usecases.shared.context import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waking:
    """Wake-ups, sent with those of the others at the end of the round."""

    items: tuple[str, ...]


# Something that is done with the ledger, and gives T in the end.
Doing = Generator[Ask | Waking, object, T]


def reading(*keys: str) -> Doing[Snapshot]:
    found = yield Reading(keys)
    return _a(found, Snapshot)


def committing(change: Change) -> Doing[Committed | Lost]:
    found = yield Committing(change)
    return found if isinstance(found, Lost) else _a(found, Committed)


def acquiring(name: str) -> Doing[Lease | None]:
    found = yield Acquiring(name)
    return None if found is None else _a(found, Lease)


def releasing(lease: Lease) -> Doing[None]:
    yield Releasing(lease)


def making_durable(commit_id: str) -> Doing[bool]:
    found = yield MakingDurable(commit_id)
    return found is True


def waking(*items: str) -> Doing[None]:
    yield Waking(items)


def _a(found: object, kind: type[T]) -> T:
    if not isinstance(found, kind):
        raise TypeError(f"a {type(found).__name__} came back in place of a {kind.__name__}")
    return found


def alone(ctx: Context, doing: Doing[T]) -> T:
    """One thing by itself, question by question. Raises what it raises."""
    outcome = together(ctx, {"": doing})[""]
    if isinstance(outcome, Failed):
        raise outcome.why
    return outcome


@dataclass(frozen=True, slots=True)
class Failed:
    """What one of them has raised."""

    why: Exception


def together(ctx: Context, many: Mapping[str, Doing[T]]) -> Mapping[str, T | Failed]:
    """What each comes to, or what it has raised: none of them keeps the others from their end."""
    done: dict[str, T | Failed] = {}
    try:
        _in_rounds(ctx, many, done)
    finally:
        # Where all of them were stopped, none keeps what it holds: a lease that is kept alive for nobody keeps out everybody.
        for doing in many.values():
            doing.close()
    return done


def _in_rounds(ctx: Context, many: Mapping[str, Doing[T]], done: dict[str, T | Failed]) -> None:
    answers: dict[str, object] = dict.fromkeys(many)
    while answers:
        asked: dict[str, Ask] = {}
        woken: dict[str, None] = {}
        for name in list(answers):
            try:
                following = _next_question(many[name], answers.pop(name), woken)
            except StopIteration as over:
                done[name] = over.value
            except Exception as problem:
                done[name] = Failed(problem)
            else:
                asked[name] = following
        if woken:
            ctx.wake(*woken)
        answers = dict(zip(asked, _answers(ctx, list(asked.values())), strict=True))


def _next_question(doing: Doing[T], answer: object, woken: dict[str, None]) -> Ask:
    while True:
        following = doing.throw(answer.why) if isinstance(answer, Failed) else doing.send(answer)
        if not isinstance(following, Waking):
            return following
        woken.update(dict.fromkeys(following.items))
        answer = None


def _answers(ctx: Context, asks: Sequence[Ask]) -> Sequence[object]:
    try:
        if len(asks) > 1:
            return [Failed(answer) if isinstance(answer, Exception) else answer for answer in ctx.ledger.together(asks)]
        return [ask_one(ctx.ledger, ask) for ask in asks]
    except LedgerUnreachable as problem:
        # Nobody knows what became of any of them.
        return [Failed(problem)] * len(asks)
    except Exception as problem:
        if len(asks) > 1:
            raise
        return [Failed(problem)]
