"""For `prodaccess sessions`: what ends sessions that are still open after an end, and whom to ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.cli.program import end

if TYPE_CHECKING:
    from bot.chat.views.read_model import Seen
    from bot.wiring import Common
    from workflows.core.records.grant import Grant


@dataclass(frozen=True, slots=True)
class Found:
    """`policy`: to be attached, as JSON. `about`: who can, what it does, and until when it is needed, for people."""

    policy: str
    about: str


def found_for(parts: Common, seen: Seen) -> Found:
    """Ends the command with one sentence where there is nothing to end."""
    grant, id_ = seen.grant, seen.request.id
    if grant is None or grant.activated_at is None:
        end(f"{id_} was never given, so that no session of it can be open.")
    if grant.closed_at is None:
        end(
            f"{id_} has not ended: `prodaccess show {id_}` says how it stands. Whoever may end it has to do that first."
        )
    by_hand = grant.terms.target.sessions_by_hand(grant.resource.ids, id_, grant.closed_at)
    if by_hand is None:
        end(
            f"Sessions of {grant.terms.target.kind} end with the access: {id_} leaves none that could do what it allowed."
        )
    over = grant.closed_at + timedelta(seconds=grant.resource.session_s or 0)
    if over <= parts.ledger.now():
        end(f"No session of {id_} can be open any more: the last one was over by {_at(over)}.")
    return Found(by_hand.text, f"Ask {by_hand.ask}. {_about(parts, grant, grant.closed_at, over)}")


def _about(parts: Common, grant: Grant, closed_at: datetime, over: datetime) -> str:
    group = parts.context.policy.current().panic_group
    security = f"Tell {group}, who press the panic switch. " if group else ""
    return (
        f"The worker never holds the right to do that. {security}"
        f"It denies what {grant.holder_name} opened before {_at(closed_at)}, and nobody else. "
        f"To be detached after {_at(over)}: no session of {grant.id} lives longer."
    )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
