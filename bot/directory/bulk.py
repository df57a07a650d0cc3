"""What a chat said of many accounts at once, beside what is known of them: only what is news there is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from workflows.core.identity import Account
from workflows.core.people import PersonFacts, is_fresh, which_stands
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryStore, DirectoryUnreachable

OVERTAKEN = "An answer was overtaken by younger news"


def what_stands(
    surface: str, looked: Looked, store: DirectoryStore, put: Callable[[PersonFacts], PersonFacts], now: datetime
) -> Looked:
    """An answer that was overtaken by younger news says nothing: the news do, where they are of this moment, and else of that
    account nothing is known, as where the chat is silent: it may be gone as well. `put`: keeps one, and raises
    DirectoryUnreachable where it does not stand. What is too old for a decision by now is handed on, and not kept."""
    known = store.people(looked.facts) if looked.facts else {}
    standing: dict[Account, PersonFacts] = {}
    for who, facts in looked.facts.items():
        before = known.get(who)
        if before is not None and which_stands(before, facts) is before:
            if is_fresh(before.as_of, now) and (before.heard_at is None or before.heard_at <= before.as_of):
                standing[who] = before
            continue
        is_news = before is None or not _alike(before, facts)
        try:
            standing[who] = put(facts) if is_news and is_fresh(facts.as_of, now) else facts
        except DirectoryUnreachable:
            continue
    lacks = {} if len(standing) == len(looked.facts) else {surface: OVERTAKEN}
    return replace(looked, facts=standing, silent={**lacks, **looked.silent})


def _alike(before: PersonFacts, facts: PersonFacts) -> bool:
    return all(
        getattr(before, name) == getattr(facts, name) for name in ("standing_problem", "address", "name", "updated")
    )
