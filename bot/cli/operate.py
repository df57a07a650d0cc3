"""What the people who run it do by hand: activate a policy, confirm a person, check the record."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.audit import AuditEntry

PROBLEMS, USAGE = 1, 2
PAGE = 1000


def register(app: typer.Typer) -> None:
    """Mount the commands on the program's own. All of them want REDIS_URL."""
    policy = typer.Typer(help="The policy in force.", no_args_is_help=True)
    policy.command("apply")(apply)
    app.add_typer(policy, name="policy")
    app.command()(explain)
    person = typer.Typer(help="People and their accounts.", no_args_is_help=True)
    person.command("confirm")(confirm)
    person.command("user")(user)
    app.add_typer(person, name="person")
    audit = typer.Typer(help="The audit log.", no_args_is_help=True)
    audit.command("verify")(verify)
    audit.command("export")(export)
    app.add_typer(audit, name="audit")


def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The policy folder.")],
    commit: Annotated[str, typer.Option(metavar="SHA", help="The commit it comes from, for the record.")] = "",
) -> None:
    """Make a folder the policy in force. Processes with another copy decide nothing until they have it, too."""
    from workflows.core.refusal import Refused
    from workflows.policy_file import difference, read_policy, summary
    from workflows.policy_file.cron import next_slot
    from workflows.usecases.oversight.policy_activation import activate

    reading = read_policy(folder)
    if reading.policy is None:
        for problem in reading.problems:
            print(problem, file=sys.stderr)
        raise typer.Exit(PROBLEMS)
    with opened("policy apply") as parts:
        done = activate(
            parts.context,
            reading.policy,
            summary=summary,
            difference=difference,
            next_slot=next_slot,
            commit_sha=commit or None,
        )
    if isinstance(done, Refused):
        _refuse("The ledger did not take it: try again in a moment.")
    words = {"in_force": "is in force already", "activated": "is in force now"}
    print(f"Policy {reading.policy.hash[:12]} {words[done.outcome]}.")


def explain(
    environment: Annotated[str, typer.Argument(metavar="ENV")],
    role: Annotated[str, typer.Argument(metavar="ROLE")],
    address: Annotated[str, typer.Option("--as", metavar="EMAIL", help="Whom it is explained for.")],
) -> None:
    """Who could approve a role, under which rules, and why a person may or may not ask for it."""
    from dataclasses import replace

    from bot.chat.actions.queries import Queries
    from bot.chat.messages.lists import explain as explained
    from bot.chat.plain_text import as_text
    from bot.chat.wording.refusals import refusal
    from workflows.core.identity import address_of
    from workflows.core.refusal import Refused
    from workflows.core.rules.eligibility import find_entitlement
    from workflows.ports import PolicyUnavailable

    with opened("explain") as parts:
        command = parts.settings.command
        try:
            policy = parts.context.policy.current()
        except PolicyUnavailable as problem:
            _refuse(f"Nothing can be explained: {problem}.")
        found = find_entitlement(policy, environment, role)
        if isinstance(found, Refused):
            _refuse(refusal(found, command=command))
        known = address_of(address, policy.former_domains)
        person = parts.context.directory.by_address(known, policy.former_domains) if known is not None else None
        if person is None:
            _refuse(f"Nothing is known of {address} yet: the bot learns of people when they first use it in chat.")
        explanation = Queries(parts.context, command).explanations.explanation(policy, found, person, itself=False)
        if isinstance(explanation, Refused):
            params = {**explanation.params, "then": "not_here"}
            _refuse(refusal(replace(explanation, params=params), command=command))
        print(as_text(explained(explanation)))


def confirm(
    address: Annotated[
        str, typer.Argument(help="An address of the account that is on hold, or of whom it claims to be.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so, for the record.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="How that is known, for the record.")],
    *,
    another: Annotated[
        bool, typer.Option("--another", help="It is another person: the one who had the address is closed.")
    ] = False,
    account: Annotated[str, typer.Option(metavar="ID", help="Which account, where several are on hold.")] = "",
) -> None:
    """Say whose an account is that is on hold: the same person's as before, or another person's."""
    from workflows.core.identity import address_of
    from workflows.core.refusal import Refused
    from workflows.usecases.identity.confirm_account import Saying, confirm_by_hand, holds_about
    from workflows.usecases.shared.adopt_accounts import adopt

    with opened("person confirm") as parts:
        adopt(parts.context)
        former = _former_domains(parts)
        asked = address_of(address, former)
        about = holds_about(parts.context, None, asked, former) if asked else ()
        found = [one for one in about if account in ("", one.account.account)]
        if not found:
            _refuse(f"No account of {address} is on hold.")
        if len(found) > 1:
            ids = ", ".join(one.account.account for one in found)
            _refuse(f"Several accounts are on hold there: {ids}. Say which with --account.")
        held = found[0]
        saying = Saying(held.account.account, not another, reason, held.hash)
        answer = confirm_by_hand(parts.context, saying, by, f"cli:{parts.context.chance.hex(12)}")
        if isinstance(answer, Refused):
            from bot.chat.wording.refusals import refusal

            _refuse(refusal(answer, command=parts.settings.command))
    said = "another person" if another else "the same person"
    print(f"{held.account.name} ({held.account.account}) is {said}, and may act again.")


def user(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The user's own id in the target, as the refusal says it.")],
    address: Annotated[str, typer.Argument(help="An address of the person whose user it is from now on.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so, for the record.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="How that is known, for the record.")],
) -> None:
    """Say whose a user in a target is: one that was somebody else's, and was given to another person."""
    from bot.chat.wording.refusals import refusal
    from workflows.core.identity import address_of
    from workflows.core.provider import NAME, spoken
    from workflows.core.refusal import Code, Refused
    from workflows.usecases.shared.target_users import move_by_hand, users_called

    with opened("person user") as parts:
        command, former = parts.settings.command, parts.context.policy.current().former_domains
        found = users_called(parts.context, id_)
        if len(found) > 1:
            _refuse(f"Several users are called so: {', '.join(one.id for one in found)}. Say which of them.")
        if not found:
            _refuse(refusal(Refused(Code.TARGET_USER_UNKNOWN, {"user": id_}), command=command))
        asked = address_of(address, former)
        if asked is None:
            _refuse(f"{address} is no address.")
        to = parts.context.directory.owner_of(asked, former)
        answer = move_by_hand(parts.context, found[0].id, to, by, reason, f"cli:{parts.context.chance.hex(12)}")
        if isinstance(answer, Refused):
            unknown = answer.code is Code.PERSON_UNKNOWN
            words = f"Nothing is known of {address} yet: the bot learns of people when they first use it in chat."
            _refuse(words if unknown else refusal(answer, command=command))
    print(f"The {spoken(NAME, found[0].id)} user {id_} is {asked}'s from now on.")


def _former_domains(parts: Common) -> Mapping[str, str]:
    """As the policy says; a hold is lifted also where no policy can be read."""
    from workflows.core.identity import NO_DOMAINS
    from workflows.ports import PolicyUnavailable

    try:
        return parts.context.policy.current().former_domains
    except PolicyUnavailable:
        return NO_DOMAINS


def accept_clock(
    by: Annotated[str, typer.Option(help="Your name, for the record.")],
    reason: Annotated[str, typer.Option(help="Why Redis's clock is right now, for the record.")],
) -> None:
    """Redis's clock has jumped and is right now: let access be given again."""
    from bot.chat.wording.refusals import refusal
    from workflows.core.refusal import Refused
    from workflows.usecases.upkeep.timekeeping import accept

    with opened("clock accept") as parts:
        answer = accept(parts.context, by, reason)
        command = parts.settings.command
    if isinstance(answer, Refused):
        _refuse(refusal(answer, command=command))
    words = {
        "accepted": "Redis's clock is accepted as right. Access is given again.",
        "trusted": "Nobody doubts Redis's clock: there is nothing to accept.",
        "catching_up": "What is open is still being brought forward. Try again in a moment.",
    }
    print(words[answer.outcome])


def verify() -> None:
    """Check every entry of the audit log: its digest, its words, its link to the one before it; and that none is missing."""
    from workflows.core.audit_check import AuditCheck
    from workflows.usecases.upkeep.verify_audit import faults

    found = 0
    with opened("audit verify") as parts:
        state = parts.ledger.audit_state()
        check = AuditCheck(state)
        for fault in faults(parts.ledger, check, state.upto):
            print(fault)
            found += 1
    if not check.count and not found:
        print("The audit log is empty.")
        return
    erased = f" The words of {check.erased} were erased." if check.erased else ""
    print(f"{check.count} entries, {found} faults.{erased}")
    if not found:
        print("Compare some numbers and digests with the receipts in the chat: those stand outside of this record.")
    raise typer.Exit(PROBLEMS if found else 0)


def export(after: Annotated[int, typer.Option(help="Only entries with a higher number.")] = 0) -> None:
    """Print the audit log as JSON lines, with the words that have not been erased."""
    from workflows.ledger.codec import audit_entry
    from workflows.ports import CorruptRecord

    last, unreadable = after, 0
    with opened("audit export") as parts:
        while page := parts.ledger.stored_entries(after=last, limit=PAGE):
            for stored in page:
                try:
                    _print_entry(audit_entry(stored))
                except CorruptRecord as problem:
                    print(f"{problem}, and is left out.", file=sys.stderr)
                    unreadable += 1
            last = page[-1].number
    raise typer.Exit(PROBLEMS if unreadable else 0)


def _print_entry(entry: AuditEntry) -> None:
    words = {"words": dict(entry.private)}
    line = {"number": entry.number, "digest": entry.digest, **json.loads(entry.body), **words}
    print(json.dumps(line, ensure_ascii=False))


def opened(command: str = "this command") -> _Opened:
    """`command`: as it is typed, for the sentence that says what it needs."""
    return _Opened(command)


class _Opened:
    """The ledger as the environment names it; trouble with it, now or later, is one sentence."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __enter__(self) -> Common:
        from bot import settings
        from bot.wiring import build_clock
        from workflows.ledger.redis_ledger import UnfitServer
        from workflows.ports import LedgerUnreachable

        found = settings.for_command(self._command, settings.process_environ())
        if isinstance(found, tuple):
            for sentence in found:
                print(sentence, file=sys.stderr)
            raise typer.Exit(USAGE)
        try:
            self._parts = build_clock(found, patient=False)
        except (UnfitServer, LedgerUnreachable) as problem:
            _refuse(str(problem))
        return self._parts

    def __exit__(self, _kind: object, problem: BaseException | None, _where: object) -> None:
        from workflows.ports import LedgerUnreachable, PolicyUnavailable

        self._parts.close()
        if isinstance(problem, LedgerUnreachable | PolicyUnavailable):
            _refuse(str(problem))


def _refuse(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(PROBLEMS)
