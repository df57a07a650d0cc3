"""The ready question to a target's own log, what was done with access, as it is shown: on the terminal, as JSON, on a page, in a
table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.core.activity import Trail, Window
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant
from workflows.core.rules.activity import trail_of, window_of

COLUMNS = ("id", "environment", "role", "holder", "log", "who", "from", "until", "tool", "query", "notes")
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Question:
    """`since`, `until` of the window are times at which the access can have been used, not only those at which it stood."""

    grant: Grant
    trail: Trail
    window: Window

    def lines(self) -> Iterator[str]:
        """For a terminal; what is to be pasted stands on lines of its own."""
        yield f"What was done with it is in {self.trail.log}: {self.trail.who}, {self.time()}."
        yield from self.trail.notes
        for query in self.trail.queries:
            yield f"For {query.tool}:"
            yield from (f"{_INDENT}{line}" for line in query.text.splitlines())
        yield f"It tells {self.trail.things}; {self.trail.lacks}."

    def time(self) -> str:
        span = f"from {_at(self.window.since)} to {_at(self.window.until)}"
        return f"{span} ({self._why()})"

    def _why(self) -> str:
        """How that is the end."""
        grant, minutes = self.grant, (self.grant.resource.session_s or 0) // 60
        session = f"; a session that is open then lasts {minutes} min at most" if minutes else ""
        if grant.closed_at is None:
            return f"it is not over: its end is arranged{session}"
        if grant.covered_by:
            return f"it was over then, and the same access went on under {grant.covered_by}"
        return (
            f"its absence was read back at {_at(grant.closed_at)}{session}" if session else "its absence was read back"
        )

    def as_json(self) -> Mapping[str, Any]:
        """Times are ISO 8601."""
        trail = self.trail
        return {
            "log": trail.log,
            "who": trail.who,
            "from": self.window.since.isoformat(),
            "until": self.window.until.isoformat(),
            "queries": [{"tool": query.tool, "text": query.text} for query in trail.queries],
            "notes": [*trail.notes],
            "tells": trail.things,
            "lacks": trail.lacks,
        }

    def cells(self) -> Iterator[list[object]]:
        """As `COLUMNS` has them, a line for each tool."""
        grant, trail = self.grant, self.trail
        own = (grant.id, grant.terms.environment, grant.terms.role, grant.holder, trail.log, trail.who)
        span = (self.window.since.isoformat(), self.window.until.isoformat())
        for query in trail.queries:
            yield [*own, *span, query.tool, query.text, " ".join(trail.notes)]


def question_of(grant: Grant | None, policy: Policy | None) -> Question | None:
    """None where nothing was given, or where the target has no log that anybody here knows of."""
    trail = trail_of(grant, policy) if grant is not None else None
    return Question(grant, trail, window_of(grant)) if grant is not None and trail is not None else None


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
