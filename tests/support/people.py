"""What happens to people's accounts, for a `World`: addresses change, accounts are made anew, workspaces join organisations."""

from __future__ import annotations

from dataclasses import replace

from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import AccountRecord, Address, Identity
from workflows.core.people import Account, PersonFacts, PersonId
from workflows.usecases.identity.confirm_account import held_account
from workflows.usecases.identity.second_chat import Answer, answer
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.context import Outcome

TENANT = "0b5d1f0e-1111-4222-8333-444455556666"


def gets_address(world: World, who: PersonId, address: str) -> None:
    """The chat says that somebody's account has another address from now on. Nobody has looked yet."""
    facts = world.chat.people[account(who)]
    world.chat.people[account(who)] = replace(facts, address=Address(address))


def new_account(
    world: World, user: str, address: str, name: str = "Somebody", team: str = "T1", **rest: object
) -> Account:
    """An account that the chat has from now on. It has not acted."""
    slack = Account("slack", team, user)
    facts = PersonFacts(PersonId(""), name, slack, world.clock.now(), address=Address(address))
    world.chat.people[slack] = replace(facts, **rest)
    return slack


def in_teams(world: World, user: str, address: str, name: str = "Somebody", **rest: object) -> Account:
    """The same in another chat."""
    there = Account("teams", TENANT, user)
    facts = PersonFacts(PersonId(""), name, there, world.clock.now(), address=Address(address))
    world.chat.people[there] = replace(facts, **rest)
    return there


def joins_teams(world: World, who: PersonId) -> Account:
    """They have an account in Teams, too, and have said in Slack that it is theirs."""
    name = who.partition("@")[0]
    there = in_teams(world, f"{name}-aad", str(who), name.title())
    acts(world, there)
    held = held_account(world.ctx, there.id)
    assert held is not None
    assert isinstance(answer(world.ctx, Answer(there.id, True, held.hash), account(who), world.press_id()), Outcome)
    acts(world, there)
    return there


def acts(world: World, who: Account) -> PersonFacts:
    """Facts are fresh, and the account is identified, as at a press."""
    policy = world.policy.policy
    return whose(world.ctx, policy, world.chat.refresh_person(who, policy))


def account_record(world: World, who: Account) -> AccountRecord:
    item = keys.account(world.chat.people[who].account)
    found = world.ledger.read(item).get(item, AccountRecord)
    assert found is not None
    return found


def identity(world: World, who: PersonId) -> Identity:
    item = keys.identity(who)
    found = world.ledger.read(item).get(item, Identity)
    assert found is not None
    return found
