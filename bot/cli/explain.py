"""`prodaccess explain`: who could approve a role and why a person may ask for it, from the record or from the policy folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.complete import environments, roles
from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, USAGE, add, end, say, told

if TYPE_CHECKING:
    from bot.chat.actions.explanations import Explanations
    from workflows.core.people import PersonFacts
    from workflows.core.policy import Entitlement, Policy
    from workflows.core.refusal import Refused
    from workflows.usecases.shared.context import Context


def register(app: typer.Typer) -> None:
    add(app, explain)


@told(
    examples={
        "prodaccess explain orders-prod admin dana@example.com": "",
        "prodaccess explain orders-prod admin dana@example.com --offline": "From the policy folder alone.",
    },
    uses={**LEDGER, **POLICY},
    codes={PROBLEMS: "there is no such environment, role or person"},
)
def explain(
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="Where.")],
    role: Annotated[str, typer.Argument(metavar="ROLE", autocompletion=roles, help="Which role of it.")],
    who: Annotated[str, typer.Argument(metavar="WHO", help="An address: whom it is explained for.")] = "",
    *,
    address: Annotated[str, typer.Option("--as", metavar="EMAIL", help="The same as WHO.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Ask no record, also where REDIS_URL is set.")] = False,
) -> None:
    """Who could approve a role, under which rules, and why a person may or may not ask for it.

    Without REDIS_URL the policy folder alone is asked, and what it cannot know is said.
    """
    from bot.settings import process_environ

    whom = who or address
    if not whom:
        end(f"Say for whom: prodaccess explain {environment} {role} dana@example.com", USAGE)
    environ = process_environ()
    if offline or not (environ.get("REDIS_URL") or environ.get("REDIS_URL_FILE")):
        _from_the_folder(Path(environ.get("PRODACCESS_CONFIG") or "config"), environment, role, whom)
    else:
        _from_the_record(environment, role, whom)


# ---------------------------------------------------------------- with the record


def _from_the_record(environment: str, role: str, whom: str) -> None:
    from bot.chat.wording.refusals import refusal
    from workflows.core.identity import address_of
    from workflows.core.refusal import Refused
    from workflows.ports import PolicyUnavailable

    with opened("explain") as parts:
        command = parts.settings.command
        try:
            policy = parts.context.policy.current()
        except PolicyUnavailable as problem:
            end(f"Nothing can be explained: {problem}.")
        found = _entitlement(policy, environment, role, command)
        known = address_of(whom, policy.former_domains)
        person = parts.context.directory.by_address(known, policy.former_domains) if known is not None else None
        if person is None:
            end(f"Nothing is known of {whom} yet: the bot learns of people when they first use it in chat.")
        explanation = _explanations(parts.context, command).explanation(policy, found, person, itself=False)
        if isinstance(explanation, Refused):
            end(refusal(_for_a_terminal(explanation), command=command))
        _print(explanation)


def _explanations(ctx: Context, command: str) -> Explanations:
    from bot.chat.actions.queries import Queries

    return Queries(ctx, command).explanations


def _entitlement(policy: Policy, environment: str, role: str, command: str) -> Entitlement:
    from bot.chat.wording.refusals import refusal
    from workflows.core.refusal import Refused
    from workflows.core.rules.eligibility import find_entitlement

    found = find_entitlement(policy, environment, role)
    if isinstance(found, Refused):
        end(refusal(found, command=command))
    return found


def _for_a_terminal(refused: Refused) -> Refused:
    return replace(refused, params={**refused.params, "then": "not_here"})


def _print(explanation: object) -> None:
    from bot.chat.messages.lists import explain as explained
    from bot.chat.plain_text import as_text

    say(as_text(explained(explanation)))  # type: ignore[arg-type]  # imported when it is needed


# ---------------------------------------------------------------- from the policy folder alone


def _from_the_folder(folder: Path, environment: str, role: str, whom: str) -> None:
    from workflows.core.identity import address_of
    from workflows.core.rules.groups import groups_needed
    from workflows.policy_file import read_policy

    policy = read_policy(folder).policy
    if policy is None:
        end(f"Nothing can be explained: the policy folder {folder} has problems. See prodaccess check {folder}")
    found = _entitlement(policy, environment, role, "/prodaccess")
    address = address_of(whom, policy.former_domains)
    if address is None or address.partition("@")[2] not in policy.email_domains:
        end(f"{whom} is no address in {' or '.join(policy.email_domains)}.")
    # There is no ledger to ask; opening hours and freezes are those of this machine's clock.
    now = datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 - see above
    ctx, person = _without_a_ledger(policy, whom, now)
    _tell(policy, found, person, ctx)
    say(f"\nFrom the folder {folder} alone, at {now:%Y-%m-%d %H:%M} UTC. Not known here:")
    for line in _unknown(policy, groups_needed(policy, policy.environments[found.environment])):
        say(f"- {line}")


def _tell(policy: Policy, role: Entitlement, person: PersonFacts, ctx: Context) -> None:
    from bot.chat.messages.lists import explain as explained
    from bot.chat.plain_text import parts_as_text
    from bot.chat.views.overviews import explanation
    from bot.chat.wording.labels import TIER_WORDS
    from bot.chat.wording.refusals import refusal
    from workflows.core.refusal import Refused

    explanations = _explanations(ctx, "/prodaccess")
    found = explanations.explanation(policy, role, person, itself=False)
    if not isinstance(found, Refused):
        _print(found)
        return
    # Not known is neither yes nor no: the rules are told, and why there is no answer.
    place = policy.environments[role.environment]
    deciders = explanations.would_decide(policy, role, person)
    rules = explanation(place, role, found, who=person.name, deciders=deciders, policy_zone=policy.timezone)
    say(f"{role.role} in {place.title} · {TIER_WORDS[place.tier]}")
    say(f"❔ {refusal(_for_a_terminal(found))}")
    say(parts_as_text(explained(rules).parts[1:]))


def _unknown(policy: Policy, names: tuple[str, ...]) -> Iterator[str]:
    outside = [f"{name} ({source})" for name in names if (source := policy.groups[name].source)]
    if outside:
        yield f"who is in {', '.join(outside)}"
    yield "whether there is such an account in chat, and whether it is a guest's, closed or on hold"
    yield "who is away, and who decides in somebody's place"
    yield "what was asked for before: limits on uses and tickets, blocks, access that is there already"


@dataclass(frozen=True, slots=True)
class _Folder:
    policy: Policy

    def current(self) -> Policy:
        return self.policy


class _NoChance:
    def hex(self, digits: int) -> str:
        return "0" * digits


def _fault(what: str, problem: BaseException, **_facts: str) -> str:  # noqa: ARG001 - as the port has it
    return what


def _without_a_ledger(policy: Policy, whom: str, now: datetime) -> tuple[Context, PersonFacts]:
    """An empty record of now, in which this one person was seen a moment ago."""
    from bot.chat.views.deciders import name_from
    from workflows.core.identity import Account, address_of
    from workflows.core.people import learnt, person_id
    from workflows.ledger.memory import MemoryClock, MemoryDirectory, MemoryLedger
    from workflows.usecases.shared.context import Context

    clock = MemoryClock(now)
    ledger = MemoryLedger(clock)
    directory = MemoryDirectory(clock, ledger)
    address = address_of(whom, policy.former_domains)
    person = learnt(Account("policy", "folder", "WHO"), name_from(person_id(whom)), now, address)
    return Context(ledger, directory, _Folder(policy), lambda *_: None, _NoChance(), fault=_fault), person
