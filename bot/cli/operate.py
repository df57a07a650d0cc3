"""What the people who run it do by hand: activate a policy, confirm a person, accept a clock."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import erase, policy_cases, policy_diff, raise_ids
from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, add, end, program, told

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.audit import AuditEntry


def register(app: typer.Typer) -> None:
    """Mount the commands on the program's own. All of them want REDIS_URL."""
    policy = program("The policy in force.")
    add(policy, apply)
    policy_cases.register(policy)
    policy_diff.register(policy)
    app.add_typer(policy, name="policy")
    person = program("People and their accounts.")
    add(person, confirm)
    add(person, user)
    erase.register(person)
    app.add_typer(person, name="person")
    raise_ids.register(app)


@told(
    examples={"prodaccess policy apply config --commit 4f2a9c1": "Where PRODACCESS_POLICY=manual."},
    needs=LEDGER,
    uses=POLICY,
)
def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The policy folder.")],
    commit: Annotated[str, typer.Option(metavar="SHA", help="The commit it comes from, for the record.")] = "",
) -> None:
    """Make a folder the policy in force. Processes with another copy decide nothing until they have it, too."""
    from bot.runtime.policy_written import written
    from workflows.core.refusal import Refused
    from workflows.policy_file import difference, summary
    from workflows.policy_file.cron import next_slot
    from workflows.policy_file.folder import read_folder
    from workflows.policy_file.load import understand
    from workflows.usecases.oversight.policy_activation import activate, subject_of

    snapshot = read_folder(folder)
    reading, files = understand(snapshot), snapshot.files
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
            written=written(files),
        )
        entries = parts.ledger.entries_of(subject_of(reading.policy.hash))
    if isinstance(done, Refused):
        end("The ledger did not take it: try again in a moment.")
    words = {
        "in_force": "is in force already",
        "activated": "is in force now",
        "waiting": "makes production looser, and waits for people to agree: its card is in chat",
        "denied": "was denied: the policy in force stays until the folder changes again",
        "not_known": "is not put in force: the policy before it is not on record, and has people asked about what is looser. "
        "Apply that one once more, then this one",
    }
    print(f"Policy {reading.policy.hash[:12]} {words[done.outcome]}.")
    if done.outcome == "activated" and entries:
        _say_what_is_looser(entries[-1])
    if done.outcome in ("denied", "not_known"):
        raise typer.Exit(1)


def _say_what_is_looser(entry: AuditEntry) -> None:
    from workflows.usecases.oversight.policy_activation import NOT_KNOWN

    if entry.facts.get("looser") == NOT_KNOWN:
        print("Whether production is looser now is not known: the policy before this one is not on record.")
    elif lines := entry.private.get("looser", "").splitlines():
        print("Production is looser now:", *lines, sep="\n  ")


@told(
    examples={
        'prodaccess person confirm dana@example.com --by "Ada Admin" --reason "she showed her badge"': (
            "The same person as before."
        ),
        'prodaccess person confirm dana@example.com --another --by "Ada Admin" --reason "a new colleague"': "",
    },
    needs=LEDGER,
    uses=POLICY,
)
def confirm(
    address: Annotated[
        str,
        typer.Argument(metavar="EMAIL", help="An address of the account that is on hold, or of whom it claims to be."),
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
            end(f"No account of {address} is on hold.")
        if len(found) > 1:
            ids = ", ".join(one.account.account for one in found)
            end(f"Several accounts are on hold there: {ids}. Say which with --account.")
        held = found[0]
        saying = Saying(held.account.account, not another, reason, held.hash)
        answer = confirm_by_hand(parts.context, saying, by, f"cli:{parts.context.chance.hex(12)}")
        if isinstance(answer, Refused):
            from bot.chat.wording.refusals import refusal

            end(refusal(answer, command=parts.settings.command))
    said = "another person" if another else "the same person"
    print(f"{held.account.name} ({held.account.account}) is {said}, and may act again.")


@told(
    examples={'prodaccess person user 9067-1 nia@example.com --by "Ada Admin" --reason "handed over, IT-812"': ""},
    needs=LEDGER,
    uses=POLICY,
)
def user(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The user's own id in the target, as the refusal says it.")],
    address: Annotated[
        str, typer.Argument(metavar="EMAIL", help="An address of the person whose user it is from now on.")
    ],
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
            end(f"Several users are called so: {', '.join(one.id for one in found)}. Say which of them.")
        if not found:
            end(refusal(Refused(Code.TARGET_USER_UNKNOWN, {"user": id_}), command=command))
        asked = address_of(address, former)
        if asked is None:
            end(f"{address} is no address.")
        to = parts.context.directory.owner_of(asked, former)
        answer = move_by_hand(parts.context, found[0].id, to, by, reason, f"cli:{parts.context.chance.hex(12)}")
        if isinstance(answer, Refused):
            unknown = answer.code is Code.PERSON_UNKNOWN
            words = f"Nothing is known of {address} yet: the bot learns of people when they first use it in chat."
            end(words if unknown else refusal(answer, command=command))
    print(f"The {spoken(NAME, found[0].id)} user {id_} is {asked}'s from now on.")


def _former_domains(parts: Common) -> Mapping[str, str]:
    """As the policy says; a hold is lifted also where no policy can be read."""
    from workflows.core.identity import NO_DOMAINS
    from workflows.ports import PolicyUnavailable

    try:
        return parts.context.policy.current().former_domains
    except PolicyUnavailable:
        return NO_DOMAINS


@told(
    examples={'prodaccess clock accept --by "Rosa Ops" --reason "NTP is right again"': ""},
    needs=LEDGER,
    uses=POLICY,
)
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
        end(refusal(answer, command=command))
    words = {
        "accepted": "Redis's clock is accepted as right. Access is given again.",
        "trusted": "Nobody doubts Redis's clock: there is nothing to accept.",
        "catching_up": "What is open is still being brought forward. Try again in a moment.",
    }
    print(words[answer.outcome])
