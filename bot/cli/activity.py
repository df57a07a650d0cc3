"""`prodaccess activity`: what was done with a grant, as far as a worker may look."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, AsJson, add, end, say, told

if TYPE_CHECKING:
    from bot.chat.wording.activity import Deeds
    from bot.cli.activity_query import Question
    from bot.wiring import Common
    from workflows.core.activity import Deed
    from workflows.core.records.activity import ActivityLook, PlaceSeen
    from workflows.core.records.grant import Grant

# Beside those that every command has.
NOT_KNOWN = 3
_LOOK_EVERY_S = 0.2
# While a session may be open there is more to come: an answer older than this is not taken for the newest.
_YOUNG = timedelta(minutes=5)


def register(app: typer.Typer) -> None:
    add(app, activity)


@told(
    examples={
        "prodaccess activity PA-1042": "Have a worker look, unless what it saw before is all there will be.",
        "prodaccess activity PA-1042 --again": "Look anew in any case.",
        "prodaccess activity PA-1042 --json": "",
    },
    needs=LEDGER,
    uses=POLICY,
    codes={
        PROBLEMS: "there is no such request, or nothing was given; or it could not be done",
        NOT_KNOWN: "it is not known, or not all of it, or not yet: a sentence says why",
    },
)
def activity(
    id_: Annotated[str, typer.Argument(metavar="ID", help="PA-1042.")],
    again: Annotated[bool, typer.Option("--again", help="Look anew.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", metavar="SECONDS", help="For a worker to look.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """What was done with a grant, by the target's own log. The question itself is in `prodaccess show`."""
    with opened("activity") as parts:
        grant, question = _asked_about(parts, id_.strip().upper())
        _not_before(parts, grant, question)
        found, late = _seen(parts, question, wait_s, time.sleep, again=again)
        now = parts.ledger.now()
    if late:
        print(late, file=sys.stderr)
    if found is None:
        raise typer.Exit(NOT_KNOWN)
    if as_json:
        say(json.dumps(_as_json(grant.id, found, question), indent=2, ensure_ascii=False))
    else:
        for line in lines_of(found, question, now):
            say(line)
    raise typer.Exit(0 if found.whole and not late else NOT_KNOWN)


def _asked_about(parts: Common, id_: str) -> tuple[Grant, Question]:
    """Ends the command where there is nothing to look for."""
    from bot.cli.activity_query import question_of
    from bot.cli.look import seen_in

    grant = seen_in(parts, id_).grant
    if grant is None:
        end(f"{id_} was never given, so that nothing was done with it.")
    question = question_of(grant, parts.context.policy.current())
    if question is None:
        end(f"Nobody here knows of a log in which {grant.terms.target.kind} is seen.")
    return grant, question


def _not_before(parts: Common, grant: Grant, question: Question) -> None:
    """Ends the command while the log cannot have it."""
    from workflows.core.rules.activity import first_look

    ready = first_look(question.window, question.trail)
    minutes = int(question.trail.delay / timedelta(minutes=1))
    if ready is None:
        end(f"{grant.id} is not over. {question.trail.log} can be asked {minutes} minutes after its end.", NOT_KNOWN)
    if parts.ledger.now() < ready:
        end(
            f"Not known yet: {question.trail.log} has everything about {minutes} minutes later. Ask after {_at(ready)}.",
            NOT_KNOWN,
        )


def _seen(
    parts: Common, question: Question, wait_s: float, pause: Callable[[float], None], *, again: bool
) -> tuple[ActivityLook | None, str]:
    """The newest answer, and why it is not the one that was asked for; empty where it is."""
    from bot.monotonic import monotonic_s
    from workflows.usecases.oversight.activity import ask_for_look, seen_of

    id_ = question.grant.id
    kept = seen_of(parts.context, id_).found
    if kept is not None and not again and _will_do(kept, question, parts.ledger.now()):
        return kept, ""
    number, until_s = ask_for_look(parts.context, id_), monotonic_s() + wait_s
    while monotonic_s() < until_s:
        stands = seen_of(parts.context, id_)
        if stands.done >= number:
            return stands.found, ""
        pause(_LOOK_EVERY_S)
    late = f"No worker has finished looking within {wait_s:g} seconds"
    return kept, f"{late}: this is what was seen before." if kept else f"{late}: what was done is not known."


def _will_do(kept: ActivityLook, question: Question, now: datetime) -> bool:
    """Whether a new look would show the same: all was there by then, or it is some minutes old."""
    from workflows.core.rules.activity import last_look

    at = kept.ended_at
    return kept.whole and at is not None and (at >= last_look(question.window, question.trail) or now - at < _YOUNG)


# ---------------------------------------------------------------- what it says


def lines_of(found: ActivityLook, question: Question, now: datetime) -> Iterator[str]:
    """The figures first, and how old they are; then the newest changes; then what else is to be known."""
    from bot.chat.wording.activity import deeds_words
    from workflows.core.rules.activity import last_look

    at = found.ended_at or found.started_at
    words = deeds_words(deeds_of(found))
    yield f"{words[0].upper()}{words[1:]}."
    yield f"By {found.log}, as of {_at(at)}{_ago(now - at)}: {question.trail.who}, {question.time()}."
    for place in found.known:
        yield from (f"{_at(one.at)} · {place.place} · {_deed(one)}" for one in place.changes)
        if place.stopped and place.oldest is not None:
            yield f"What was done before {_at(place.oldest)} in {place.place} was not looked at: there is too much of it."
    yield from question.trail.notes
    final = last_look(question.window, question.trail)
    if at < final:
        yield f"A session that was open then may have gone on: look again after {_at(final)}."


def deeds_of(found: ActivityLook) -> Deeds:
    from bot.chat.wording.activity import Deeds

    why = found.problem or " ".join(dict.fromkeys(one.problem for one in found.unknown))
    return Deeds(
        found.count("deeds"),
        found.count("changing"),
        found.count("refused"),
        found.count("unsaid"),
        found.things,
        found.lacks,
        [one.place for one in found.known],
        [one.place for one in found.unknown],
        [one.place for one in found.places if one.stopped],
        why,
    )


def _deed(one: Deed) -> str:
    return f"{one.name}{' (refused)' if one.refused else ''}"


def _ago(age: timedelta) -> str:
    from workflows.core.durations import format_duration

    minutes = age // timedelta(minutes=1)
    return f", {format_duration(timedelta(minutes=minutes))} ago" if minutes else ""


def _as_json(id_: str, found: ActivityLook, question: Question) -> dict[str, Any]:
    """Times are ISO 8601. A figure is null where nothing of it is known. `known`: whether nothing is left out."""
    figures = {name: found.count(name) if found.known else None for name in ("deeds", "changing", "refused", "unsaid")}
    return {
        "id": id_,
        "log": found.log,
        "as_of": found.ended_at.isoformat() if found.ended_at else None,
        "known": found.whole,
        **figures,
        "counts": found.things,
        "lacks": found.lacks,
        "who": question.trail.who,
        "from": found.window.since.isoformat(),
        "until": found.window.until.isoformat(),
        "not_known": found.problem or None,
        "places": [_place(one) for one in found.places],
        "notes": [*question.trail.notes],
    }


def _place(one: PlaceSeen) -> Mapping[str, Any]:
    known = not one.problem
    return {
        "place": one.place,
        **{name: getattr(one, name) if known else None for name in ("deeds", "changing", "refused", "unsaid")},
        "not_known": one.problem or None,
        "stopped_before": one.oldest.isoformat() if one.stopped and one.oldest else None,
        "changes": [{"at": deed.at.isoformat(), "what": deed.name, "refused": deed.refused} for deed in one.changes],
    }


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
