"""What an act will surely read, as far as that can be told before anything is read of it: so that it is read at one go.

A guess that is wrong costs bytes, and what is missing costs another look. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.chat.commands.model import Ask, Command, Envs, Explain, History, List, Mine, Pending, Show, Who
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import read_value
from workflows.core import keys
from workflows.core.identity import Account, PersonId
from workflows.core.policy import Policy
from workflows.core.records.request import slot_id
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import find_entitlement
from workflows.core.rules.groups import groups_needed
from workflows.ports import PolicyUnavailable, about_groups, about_person
from workflows.usecases.shared.actor import Actor, expect
from workflows.usecases.shared.context import Context

# More people than this are not kept in mind.
PEOPLE_MAX = 10_000
_LOOKS = (Envs, Explain, History, List, Mine, Pending, Show, Who)


class Expected:
    """In the process that must answer at once. Shared between threads."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._people: dict[Account, PersonId] = {}

    def met(self, who: Account, person: PersonId) -> None:
        """Whose the account was the last time: the keys of their records are made of it."""
        if len(self._people) >= PEOPLE_MAX:
            self._people = {}
        self._people[who] = person

    def act(self, act: Interaction) -> None:
        """Whatever it is; a press that is about one request takes its records."""
        policy = self._policy()
        if policy is None:
            return
        expect(self._ctx, policy, act.who, ())
        self._ctx.ahead.expect_records(keys.ACTIVE_POLICY, *self._own(act.who), commit_id=act.id)
        found = read_value(act.value) if act.kind == PRESS else None
        if found is not None:
            self._ctx.ahead.expect_records(keys.request(found[0]), keys.grant(found[0]), keys.chat(found[0]))

    @contextmanager
    def typed(self, act: Interaction, command: Command) -> Iterator[None]:
        """A command. One that only looks reads what it read the last time, and what it read for this person."""
        policy = self._policy()
        if isinstance(command, Ask) and policy is not None:
            self._asked(act, policy, command)
        if not isinstance(command, _LOOKS):
            yield
            return
        ahead, words = self._ctx.ahead, " ".join(act.text.lower().split())
        with ahead.question(("look", words)), ahead.question(("look", words, act.who)):
            yield

    @contextmanager
    def told(self, act: Interaction, actor: Actor) -> Iterator[None]:
        """What is said of what was just decided: on these groups, which are not looked at again."""
        ahead, about = self._ctx.ahead, about_groups(actor.policy, actor.groups.by_name)
        ahead.answered(about)
        ahead.expect(about_person(act.who))
        with ahead.question(("told", about)):
            yield

    def _asked(self, act: Interaction, policy: Policy, command: Ask) -> None:
        found = find_entitlement(policy, command.environment, command.role)
        if isinstance(found, Refused):
            return
        expect(self._ctx, policy, act.who, groups_needed(policy, policy.environments[found.environment]))
        person = self._people.get(act.who)
        if person is not None:
            slot = slot_id(person, found.environment, found.role)
            self._ctx.ahead.expect_records(keys.slot(slot), newest_of=keys.last_of(slot))

    def _own(self, who: Account) -> tuple[str, ...]:
        person = self._people.get(who)
        return (keys.person(person), keys.identity(person)) if person is not None else ()

    def _policy(self) -> Policy | None:
        try:
            return self._ctx.policy.current()
        except PolicyUnavailable:
            return None
