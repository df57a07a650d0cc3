"""What became of each request, entry by entry, as far as it may have left access behind. Keeps what is open alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows.core.audit import AuditEntry, Event
from workflows.core.records.request import ID_PATTERN

_RESOLVED = frozenset({"holding", "kind"})
DECIDED = frozenset(
    {Event.REQUEST_APPROVED, Event.REQUEST_AUTO_APPROVED, Event.BREAK_GLASS_USED, Event.REQUEST_STARTED}
)
GRANT_OVER = frozenset({Event.GRANT_ENDED, Event.GRANT_REVOKED, Event.GRANT_ACTIVATION_FAILED})
_BROKEN = frozenset({Event.BREAK_GLASS_USED, Event.GATE_BROKEN})
REVIEWED = frozenset({Event.REVIEW_ACKNOWLEDGED, Event.REVIEW_FLAGGED})
REQUEST_OVER = frozenset(
    {
        Event.REQUEST_DENIED,
        Event.REQUEST_WITHDRAWN,
        Event.REQUEST_DECLINED,
        Event.REQUEST_EXPIRED,
        Event.GATE_DENIED,
        Event.GATE_WITHDRAWN,
        Event.GATE_EXPIRED,
        Event.GATE_REDEEMED,
    }
)
# A pipeline's ask leaves no access behind, and must not be taken a second time.
_ASKED = frozenset({Event.REQUEST_MADE, Event.GATE_ASKED})


@dataclass(frozen=True, slots=True)
class Story:
    """One request. `decided_at`: since when access may have been given, and `decided_by`: by what; None: it was not.

    `resource`: the facts of the entry that resolved it, empty where none did.
    """

    id: str
    made_at: datetime
    asked: Mapping[str, str]
    resource: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    decided_at: datetime | None = None
    decided_by: Event | None = None
    # Of a gate that somebody opened in an emergency: when, and the words of that entry.
    opened_at: datetime | None = None
    opened: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        return self.asked.get("environment", "")

    @property
    def role(self) -> str:
        return self.asked.get("role", "")

    @property
    def begins_later(self) -> bool:
        return "start_at" in self.asked

    @property
    def may_be_open(self) -> bool:
        """An ask for more time gives nothing of its own."""
        return self.decided_at is not None and "extends" not in self.asked


@dataclass(frozen=True, slots=True)
class Over:
    """How a request or its grant ended."""

    event: Event
    at: datetime
    made_at: datetime


class Stories:
    """Takes all entries in their order. `over`: what ended by entries that the ledger lacks."""

    def __init__(self) -> None:
        self._open: dict[str, Story] = {}
        self.over: dict[str, Over] = {}
        self.highest_id = 0
        # Break-glass that nobody has looked at afterwards, and how those ended that are over.
        self._glass: dict[str, tuple[Story, Over | None]] = {}
        # Whether entries are taken that the ledger does not have.
        self.beyond = False

    def take(self, entry: AuditEntry) -> None:
        subject, event = entry.subject, entry.event
        if not ID_PATTERN.fullmatch(subject):
            return
        self.highest_id = max(self.highest_id, int(subject.removeprefix("PA-")))
        if event in _ASKED:
            self._open[subject] = Story(subject, entry.at, entry.facts, words=entry.private)
        elif event in GRANT_OVER or event in REQUEST_OVER:
            self._ends(entry)
        elif event in REVIEWED:
            self._glass.pop(subject, None)
        elif (story := self._open.get(subject)) is not None:
            self._open[subject] = told = _told(story, entry)
            if event in _BROKEN:
                self._glass[subject] = told, None

    def _ends(self, entry: AuditEntry) -> None:
        subject = entry.subject
        story = self._open.pop(subject, None)
        if story is None:
            return
        over = Over(entry.event, entry.at, story.made_at)
        if self.beyond:
            self.over[subject] = over
        if subject in self._glass:
            self._glass[subject] = story, over

    def open(self) -> tuple[Story, ...]:
        """Those by which somebody may have access, in the order in which they were asked."""
        return tuple(story for story in self._open.values() if story.may_be_open)

    def owes_review(self, id_: str) -> bool:
        """Whether it was break-glass that nobody has looked at afterwards."""
        return id_ in self._glass

    def over_without_review(self) -> tuple[tuple[Story, Over], ...]:
        """Break-glass that is over, and that nobody has looked at, in the order in which the glass was broken. What waited at a
        gate is over with the record: a run asks anew.
        """
        return tuple(
            (story, over or Over(Event.GATE_BROKEN, story.opened_at or story.made_at, story.made_at))
            for story, over in self._glass.values()
            if over is not None or story.opened_at is not None
        )


def _told(story: Story, entry: AuditEntry) -> Story:
    if entry.facts.keys() >= _RESOLVED:
        story = replace(story, resource=entry.facts)
    if entry.event is Event.GATE_BROKEN:
        return replace(story, opened_at=entry.at, opened=entry.private)
    started = entry.event is Event.REQUEST_STARTED
    if entry.event not in DECIDED or (_waits_for_its_start(story, entry.at) and not started):
        return story
    return replace(story, decided_at=entry.at, decided_by=entry.event)


def _waits_for_its_start(story: Story, at: datetime) -> bool:
    return story.begins_later and at < datetime.fromisoformat(story.asked["start_at"])
