"""`prodaccess list`, `show` and `status`: what the record says now, in the words of the chat. For operators: it shows all."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.complete import environments
from bot.cli.ledger import opened
from bot.cli.past import ARCHIVE
from bot.cli.program import LEDGER, POLICY, PROBLEMS, AsJson, add, end, say, told

if TYPE_CHECKING:
    from bot.chat.message import Message
    from bot.chat.views.read_model import Seen
    from bot.chat.views.request_view import RequestView
    from bot.cli.activity_query import Question
    from bot.cli.standing import Standing
    from bot.wiring import Common
    from workflows.core.audit import AuditEntry
    from workflows.core.gates.ask import GateAsk
    from workflows.core.policy import Policy


def register(app: typer.Typer) -> None:
    add(app, list_, "list")
    add(app, show)
    add(app, sessions)
    add(app, status)


# ---------------------------------------------------------------- list


@told(
    examples={
        "prodaccess list": "Who has access now, and whose begins later.",
        "prodaccess list orders-prod --json": "",
        "prodaccess list --pending": "What waits for an answer.",
    },
    needs=LEDGER,
    uses=POLICY,
    codes={PROBLEMS: "there is no such environment, or it could not be done"},
)
def list_(
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="One alone.")] = "",
    pending: Annotated[bool, typer.Option("--pending", help="Requests that wait for an answer instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who has access now, and until when. Shows hidden environments, too."""
    from bot.chat.messages import lists
    from bot.chat.views.read_model import Reader

    with opened("list") as parts:
        policy, reader = parts.context.policy.current(), Reader(parts.context)
        places = _places(policy, environment)
        found = reader.pending(policy, places) if pending else reader.live(policy, places)
        later = reader.agreed(policy, places)
        now = parts.ledger.now()
    if as_json:
        name = "pending" if pending else "active"
        told_ = {"now": now.isoformat(), name: [*map(request_as_json, found.views)]}
        rest = {"begin_later": [*map(request_as_json, later.views)], "more": found.more, "unreadable": found.unread}
        _print_json({**told_, **rest})
    elif pending:
        _print(lists.pending(found.views, found.more, "prodaccess", later.views))
    else:
        _print(lists.active_list(found.views, environment or None, found.more, later.views, found.unread))


def _places(policy: Policy, environment: str) -> tuple[str, ...] | None:
    if environment and environment not in policy.environments:
        end(f"There is no environment '{environment}': the policy has {', '.join(policy.environments)}.")
    return (environment,) if environment else None


# ---------------------------------------------------------------- show


@told(
    examples={
        "prodaccess show PA-1042": "With the ready question to the target's own log, what was done with it.",
        "prodaccess show PA-1042 --html PA-1042.html": "All that is on the record of it, as one file for an auditor.",
    },
    needs=LEDGER,
    uses={**POLICY, **ARCHIVE},
    codes={PROBLEMS: "there is no such request, or it could not be done"},
)
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="PA-1042.")],
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="A page of evidence.")] = None,
) -> None:
    """One request with everything that is on the record of it."""
    from bot.cli.past import whole

    with opened("show") as own:
        parts = whole(own, to_tell=False)
        seen = seen_in(parts, id_.strip().upper())
        entries = parts.ledger.entries_of(seen.request.id)
        if html:
            _write_evidence(parts, seen, html)
        elif as_json:
            asked = _question(parts, seen)
            found = {**request_as_json(seen.view), "reason": seen.request.reason}
            done = {"activity_query": asked.as_json() if asked else None}
            _print_json({**found, **done, "entries": [*map(entry_as_json, entries)]})
        else:
            asked = _question(parts, seen)
            _print(_shown(parts, seen, entries))
            for line in asked.lines() if asked else ():
                say(line)


def _question(parts: Common, seen: Seen) -> Question | None:
    from bot.cli.activity_query import question_of
    from workflows.ports import PolicyUnavailable

    try:
        return question_of(seen.grant, parts.context.policy.current())
    except PolicyUnavailable:
        return question_of(seen.grant, None)


def _write_evidence(parts: Common, seen: Seen, file: Path) -> None:
    from bot.cli.pages.evidence import evidence_of
    from bot.cli.pages.write import write_page

    write_page(file, evidence_of(parts.context, seen).parts())


def seen_in(parts: Common, id_: str) -> Seen:
    """One request as it is shown, whatever becomes of the policy."""
    from bot.chat.actions.queries import Queries

    seen = Queries(parts.context, parts.settings.command).seen(id_)
    if seen is None:
        from bot.cli.past import away, left

        stands = left(parts)
        end(
            f"There is no request {id_}."
            if stands is None
            else f"There is no request {id_} in the record. {away(stands)}"
        )
    return seen


def _shown(parts: Common, seen: Seen, entries: Sequence[AuditEntry]) -> Message:
    from bot.chat.actions.queries import Queries
    from bot.chat.messages import lists
    from bot.chat.views.deciders import NOBODY
    from bot.chat.wording.labels import Stage

    request = seen.request
    names = {request.holder: request.holder_name, request.requester: request.requester_name}
    people = Queries(parts.context, parts.settings.command).people
    deciders = people.deciders(seen) if seen.view.stage is Stage.WAITING else NOBODY
    return lists.show(seen.view, entries, names, deciders)


# ---------------------------------------------------------------- sessions that are open


@told(
    examples={
        "prodaccess sessions PA-1042": "",
        "prodaccess sessions PA-1042 > end-sessions.json": "The policy alone; what is said about it comes on standard error.",
    },
    needs=LEDGER,
    uses=POLICY,
    codes={
        PROBLEMS: "there is no such request, no session of it can be open, or nobody can end one; or it could not be done"
    },
)
def sessions(id_: Annotated[str, typer.Argument(metavar="ID", help="PA-1042.")]) -> None:
    """How sessions that are still open after an end are ended: the policy to attach, and who can. Attaches nothing."""
    from bot.cli.open_sessions import found_for

    with opened("sessions") as parts:
        found = found_for(parts, seen_in(parts, id_.strip().upper()))
    print(found.about, file=sys.stderr)
    say(found.policy)


# ---------------------------------------------------------------- status


@told(
    examples={"prodaccess status": "", "prodaccess status --json": "", "prodaccess status > /dev/null || page": ""},
    needs=LEDGER,
    uses=POLICY,
    codes={PROBLEMS: "something is missing, as /readyz has it; access is past its end, or could not be removed"},
)
def status(as_json: AsJson = False) -> None:
    """What runs, which policy is in force, what is open, and what needs a hand."""
    from bot.cli.standing import standing

    with opened("status") as parts:
        found = standing(parts)
    if as_json:
        _print_json({"ready": found.good, **asdict(found)})
    else:
        for line in _status_lines(found):
            say(line)
    raise typer.Exit(0 if found.good else PROBLEMS)


def _status_lines(found: Standing) -> Sequence[str]:
    runs = [kind for kind, alive in found.running.items() if alive]
    absent = [kind for kind, alive in found.running.items() if not alive]
    since = f"{datetime.fromisoformat(found.policy_since):%Y-%m-%d %H:%M} UTC" if found.policy_since else ""
    policy = f"{found.policy[:12]} since {since}" if found.policy else "none is in force"
    rows = {
        "Running": (", ".join(runs) or "nothing") + (f"; not running: {', '.join(absent)}" if absent else ""),
        "Policy": policy,
        "Active": f"{found.active}; {found.overdue} past their end; {len(found.stuck)} that could not be removed",
        "Waiting": f"{found.pending} for an answer; {found.begin_later} approved that begin later",
        "Reviews": f"{found.reviews_owed} open; {found.reviews_overdue} overdue",
        "Audit": _audit(found),
    }
    lines = [f"{name:<9} {words}" for name, words in rows.items()]
    for title, sentences in (("Needs a hand", found.problems), ("Look at", found.attention)):
        lines += ["", f"{title}:", *(f"- {sentence}" for sentence in sentences)] if sentences else []
    return lines


def _audit(found: Standing) -> str:
    if not found.audit_head:
        return "empty"
    sealed = f"sealed up to #{found.sealed_size}, head {found.sealed_head}" if found.sealed_head else "not sealed"
    archived = f"; archived up to #{found.archived_size}" if found.archived_size else ""
    return f"#{found.audit_head}; {sealed}{archived}"


# ---------------------------------------------------------------- for programs


def request_as_json(view: RequestView) -> Mapping[str, Any]:
    """One request with its grant. Times are ISO 8601; stretches of time are seconds. None: that has not come, or is not."""
    return {
        "id": view.id,
        "state": view.stage.value,
        "environment": view.environment,
        "role": view.role,
        "tier": view.tier.value,
        "risk": view.risk.value,
        "holder": {"id": view.holder_id, "name": view.holder},
        "requester": {"id": view.requester_id, "name": view.requester},
        "reason": view.reason,
        "ticket": view.ticket,
        "break_glass": view.break_glass,
        "duration_s": int(view.duration.total_seconds()),
        "asked_at": view.created_at.isoformat(),
        "expires_at": view.expires_at.isoformat(),
        "starts_at": _time(view.start_at),
        "approved_at": _time(view.decided_at),
        "approval": view.approved_by or None,
        "given_at": _time(view.activated_at),
        "until": _time(view.deadline),
        "ended_at": _time(view.closed_at),
        "ended_by": view.ended_by,
        "review": view.review.value if view.review else None,
        "review_due_at": _time(view.review_due),
        "error": view.error,
        **({"gate": _gate(view.gate)} if view.gate is not None else {}),
        **({"gives": view.gives.resource.title} if view.gives is not None and view.gives.resource is not None else {}),
    }


def _gate(gate: GateAsk) -> Mapping[str, Any]:
    """Which run of which pipeline asks, by proved claims."""
    run = gate.run
    return {
        "name": gate.gate,
        "repository": run.repository,
        "repository_id": run.repository_id,
        "commit": run.commit,
        "run": run.run,
        "attempt": run.attempt,
        "job": run.job,
        "begun_by": [{"did": one.part.value, "name": one.name, "person": one.person} for one in gate.starters],
        "used_at": _time(gate.redeemed_at),
        **({"let_on_at": _time(gate.let_on_at), "not_let_on": gate.not_taken or None} if gate.rule else {}),
    }


def entry_as_json(entry: AuditEntry) -> Mapping[str, Any]:
    """One audit entry: what is chained, and the words beside it that have not been erased."""
    return {"number": entry.number, "digest": entry.digest, **json.loads(entry.body), "words": dict(entry.private)}


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None


def _print(message: Message) -> None:
    from bot.chat.plain_text import as_text

    say(as_text(message))


def _print_json(found: Mapping[str, Any]) -> None:
    say(json.dumps(found, indent=2, ensure_ascii=False))
