"""What an operator should know of what is said and done in chat: what fails again and again, where nothing is taken."""

from __future__ import annotations

from collections.abc import Callable

from bot.chat.chats import NOT_SET_UP, Chats
from bot.chat.messages.closed_places import closed_words
from bot.chat.outbox.outages import channels_of, subject_of, word_in
from bot.chat.surface import Traits
from bot.chat.wording.troubles import what_fails
from workflows.core import keys
from workflows.core.destination import is_person
from workflows.core.records.chat import ChatRecord
from workflows.ports import Ledger, PolicySource, PolicyUnavailable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.troubles import ALARM_AT, standing

# More sentences of this kind than this are counted.
TROUBLES_MAX = 10


# So many places are named.
PLACES_MAX = 20


def troubles(context: Context) -> list[str]:
    """What has failed again and again, whoever else was alarmed: somebody has to look."""
    found = [trouble for trouble in standing(context) if trouble.failures >= ALARM_AT]
    said = [f"{what_fails(trouble)}: {trouble.words}; tried {trouble.failures} times" for trouble in found]
    return said[:TROUBLES_MAX] + (
        [f"and {len(said) - TROUBLES_MAX} more that fail"] if len(said) > TROUBLES_MAX else []
    )


def not_set_up(policy: PolicySource, chats: Chats) -> list[str]:
    """Chats in which the policy names channels, and which this installation does not have."""
    try:
        named = channels_of(policy.current())
    except PolicyUnavailable:
        return []
    absent = (chats.of(place) for place in named if not chats.has(place))
    titles = sorted(
        {f"{chat.traits.title}, which is not set up here. {chat.traits.remedy(NOT_SET_UP)}" for chat in absent}
    )
    return [f"the policy names channels in {title}" for title in titles]


def closed_places(ledger: Ledger, traits: Callable[[str], Traits], *, people: bool) -> list[str]:
    """Where chat takes no messages: channels that the policy names, or people. `traits`: of the chat in which a place is."""
    places = [place for place in ledger.members(keys.CLOSED_PLACES) if is_person(place) is people]
    snapshot = ledger.read(*(keys.chat(subject_of(place)) for place in places[:PLACES_MAX]))
    found = [(place, snapshot.readable(keys.chat(subject_of(place)), ChatRecord)) for place in places[:PLACES_MAX]]
    more = [f"the same is so for {len(places) - PLACES_MAX} more"] if len(places) > PLACES_MAX else []
    return [closed_words(place, word_in(record) or "", traits(place)) for place, record in found] + more
