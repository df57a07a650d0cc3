"""Whom a message calls, by the chat in which it stands. What is an id in one chat is nobody in another, or somebody else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bot.chat.places import direct_to, surface_of
from bot.chat.rich import Mention, Mentions, Named
from workflows.core.people import PersonFacts


@dataclass(frozen=True, slots=True)
class Calls:
    """In one chat. `mentions` by group; `reminded`: who can decide and has not; `called`: those of the policy's escalation."""

    mentions: Mentions = field(default_factory=dict)
    reminded: tuple[Mention, ...] = ()
    called: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class CallsByChat:
    by_chat: Mapping[str, Calls] = field(default_factory=dict)

    def at(self, place: str) -> Calls:
        """Whom a message calls in this place, by ids of its chat alone: any other id is left out, whoever put it there."""
        surface = surface_of(place)
        found = self.by_chat.get(surface, Calls())
        return Calls(
            {group: _of(surface, ids) for group, ids in found.mentions.items()},
            _of(surface, found.reminded),
            _of(surface, found.called),
        )


def _of(surface: str, ids: Iterable[Mention]) -> tuple[Mention, ...]:
    return tuple(one for one in ids if isinstance(one, Named) or surface_of(one) == surface)


def mention(facts: PersonFacts, surface: str, among: Collection[str]) -> Mention:
    """How somebody is called in this chat. Of the chats `among` which the message stands they are called in the one in which
    they were seen last, and elsewhere by name; by name, too, where they have no account.
    """
    account = facts.at(surface)
    elsewhere = facts.slack.surface != surface and facts.slack.surface in among
    return Named(facts.name) if account is None or elsewhere else direct_to(account)
