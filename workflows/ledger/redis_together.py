"""Many questions to the ledger in one round trip. Each is a script of its own, as atomic as it is by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from workflows.core.calls import Call, timed
from workflows.ledger.durability import DurabilityProbe
from workflows.ledger.scripts import Prepared, Server
from workflows.ports import (
    Acquiring,
    Ask,
    Committing,
    Ledger,
    LedgerUnreachable,
    Lost,
    MakingDurable,
    Reading,
    Releasing,
    Renewing,
)

Scripted = Reading | Committing | Acquiring | Renewing | Releasing
# By place among the questions. What went wrong with one of them alone is its answer.
Answers = dict[int, object]


def ask_together(
    ledger: Ledger,
    asks: Sequence[Ask],
    server: Server,
    prepare: Callable[[Scripted], Prepared[Any]],
    probe: DurabilityProbe,
) -> Sequence[object]:
    """What is to be made durable comes last, and costs one more: it covers the commits of the same round, too."""
    answers: Answers = {}
    _run(asks, server, prepare, answers)
    for place, ask in enumerate(asks):
        answer = answers.get(place)
        if isinstance(ask, Committing) and isinstance(answer, Lost) and answer.why == "durability":
            # As a commit by itself does: it looks at the server, and tries once more.
            answers[place] = _or_why_not(partial(ledger.commit, ask.change))
    wanted = {place: ask.commit_id for place, ask in enumerate(asks) if isinstance(ask, MakingDurable)}
    if wanted:
        answers.update(_made_durable(wanted, probe))
    return [answers[place] for place in range(len(asks))]


def _made_durable(wanted: dict[int, str], probe: DurabilityProbe) -> Answers:
    """By then it is known what became of the others."""
    with timed("ledger", "make durable"):
        found = _or_why_not(partial(probe.wait_for, list(wanted.values())))
    if not isinstance(found, list):
        return dict.fromkeys(wanted, found)
    return dict(zip(wanted, found, strict=True))


def _run(asks: Sequence[Ask], server: Server, prepare: Callable[[Scripted], Prepared[Any]], answers: Answers) -> None:
    calls: dict[int, Call] = {}
    prepared: dict[int, Prepared[Any]] = {}
    with ExitStack() as counted:
        for place, ask in enumerate(asks):
            if isinstance(ask, MakingDurable):
                continue
            if isinstance(ask, Committing):
                calls[place] = counted.enter_context(timed("ledger", "commit"))
                calls[place].about = " ".join(entry.event.value for entry in ask.change.audit)
            found = _or_why_not(partial(prepare, ask))
            if isinstance(found, LedgerUnreachable):
                # Nothing was sent yet, and whoever asks the next one may wait as long for nothing.
                raise found
            if isinstance(found, Prepared):
                prepared[place] = found
            else:
                answers[place] = found
        replies = server.run_together(list(prepared.values()))
        for (place, one), reply in zip(prepared.items(), replies, strict=True):
            answers[place] = reply if isinstance(reply, Exception) else _or_why_not(partial(one.parse, reply))
        for place, call in calls.items():
            answer = answers[place]
            call.error = answer.why if isinstance(answer, Lost) else ""


def _or_why_not(do: Callable[[], object]) -> object:
    try:
        return do()
    except Exception as problem:
        return problem
