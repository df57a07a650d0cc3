"""The environments: what is protected, who owns it, who may ask, who is on call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.setup.answers import ANY_TICKET
from bot.setup.questions.asker import Asker, Question, Slip, ask, choose, yes
from bot.setup.questions.chat import ask_approvals
from bot.setup.questions.draft import IDENTITY_CENTER, Draft
from bot.setup.questions.parsers import one_of, several, ticket, value
from bot.setup.questions.people import ask_group
from bot.setup.questions.picking import pick
from workflows.policy_file.problem import quote
from workflows.policy_file.values import Account, EnvironmentName, Text

PRODUCTION, STAGING, DEVELOPMENT = "production", "staging", "development"
_TIERS = (
    (PRODUCTION, "production: an owner agrees to each ask, two people where the role is an admin's"),
    (STAGING, "staging: an hour without asking anybody, longer with an owner"),
    (DEVELOPMENT, "development: whoever may ask gets it"),
)
_GUESSES = ((PRODUCTION, r"prod|live|prd"), (STAGING, r"stag|test|qa|uat|pre"), (DEVELOPMENT, r"dev|sandbox|play"))


def ask_environments(asker: Asker, draft: Draft) -> None:
    """One at least. What was answered for one is offered for the next."""
    last: dict[str, Any] = {}
    while True:
        last = _one(asker, draft, last)
        if not yes(asker, Question("Another environment?", default="n")):
            return


def _one(asker: Asker, draft: Draft, last: dict[str, Any]) -> dict[str, Any]:
    name = ask(asker, _name_question(draft), _new_name(draft))
    found: dict[str, Any] = {}
    found["title"] = ask(
        asker, Question("How do people call it?", "Cards and lists say this.", default=_title(name)), value(Text)
    )
    tier = next((str(place) for place, (tier, like) in enumerate(_GUESSES, 1) if re.search(like, name)), "1")
    found["tier"] = choose(asker, Question("What kind of environment is it?", default=tier), _TIERS)
    if account := _account(asker, draft):
        found["account"] = account
    found["owners"] = _owners(asker, draft, last)
    found["requesters"] = _requesters(asker, draft, found, last)
    if on_call := _on_call(asker, draft, found, last):
        found["on_call"] = on_call
    if channels := ask_approvals(asker, draft, ", ".join(last.get("approvals_channel", ()))):
        found["approvals_channel"] = channels
    if len(draft.data["roles"]) > 1:
        found["roles"] = _roles(asker, draft)
    draft.data["environments"][name] = found
    return found


def _name_question(draft: Draft) -> Question:
    first = not draft.data["environments"]
    return Question(
        "What is the first environment to protect called?" if first else "What is it called?",
        "An environment is what people get into: a product in production, say. This is the word that they type.",
        "orders-prod",
    )


def _new_name(draft: Draft) -> Callable[[str], str]:
    read = value(EnvironmentName)

    def new(text: str) -> str:
        name = read(text)
        if name in draft.data["environments"]:
            raise Slip(f"{quote(name)} is there already.")
        return name

    return new


def _title(name: str) -> str:
    """`orders-prod` -> `Orders`: the tier is said beside it anyway."""
    kept = [
        part for part in name.split("-") if not any(re.fullmatch(f"(?:{like})[a-z]*", part) for _, like in _GUESSES)
    ]
    return " ".join(kept or [name]).capitalize()


def _account(asker: Asker, draft: Draft) -> str:
    """Of Identity Center each assignment is in an account; IAM asks the account of the worker's credentials."""
    if draft.aws != IDENTITY_CENTER:
        return ""
    found = pick(
        asker,
        Question("In which AWS account is it?", "", "111122223333"),
        draft.seen.accounts,
        value(Account, help_="it has 12 digits"),
    )
    return found.split(" ")[0]


def _owners(asker: Asker, draft: Draft, last: dict[str, Any]) -> list[str]:
    def check(names: list[str]) -> None:
        people = draft.people(names)
        if people is not None and len(people) < 2:
            raise Slip("Two people at least: while one is away nobody could approve, and nobody approves their own.")

    question = Question(
        "Who owns it?",
        "Owners approve what others ask for, never what they asked for themselves. Two people at least.",
        "olu@example.com, pat@example.com",
        ", ".join(last.get("owners", ())),
    )
    return ask_group(asker, draft, question, "platform", decides=True, check=check)


def _requesters(asker: Asker, draft: Draft, found: dict[str, Any], last: dict[str, Any]) -> list[str]:
    def check(names: list[str]) -> None:
        if found["tier"] == PRODUCTION and _only_owners(draft, names, found["owners"]):
            raise Slip("Only owners would ask here, and approve each other for ever. Name somebody else, too.")

    question = Question(
        "Who may ask?",
        "Name owners as well if they are to ask, too: others approve it then.",
        "dana@example.com, nia@example.com",
        ", ".join(last.get("requesters", ())),
    )
    return ask_group(asker, draft, question, "developers", decides=False, check=check)


def _only_owners(draft: Draft, names: list[str], owners: list[str]) -> bool:
    """As `policy_file.lint` has it."""
    people, owning = draft.people(names), draft.people(owners)
    if people is None or owning is None:
        return set(names) <= set(owners)
    return people <= owning


def _on_call(asker: Asker, draft: Draft, found: dict[str, Any], last: dict[str, Any]) -> list[str]:
    """Break-glass, for production; elsewhere nobody has to wait long."""
    if found["tier"] != PRODUCTION:
        return []
    question = Question(
        "Who is on call?",
        "In an emergency they get in at once, for half an hour, seen by everybody, reviewed by the owners afterwards."
        " A dash means: nobody.",
        "cal@example.com, or a group that your rota keeps",
        ", ".join(last.get("on_call", ())) or "-",
    )
    return ask_group(asker, draft, question, "oncall", decides=False, check=_trusted_only(draft), optional=True)


def _trusted_only(draft: Draft) -> Callable[[list[str]], None]:
    def check(names: list[str]) -> None:
        for name in names:
            if not draft.may_decide(name):
                raise Slip(
                    "Whoever may edit that group could join it, so it lets nobody in. Name people, or another group."
                )

    return check


def _roles(asker: Asker, draft: Draft) -> list[str]:
    names = list(draft.data["roles"])
    return ask(
        asker,
        Question("Which roles can be had there?", f"There are: {', '.join(names)}.", default=", ".join(names)),
        several(one_of(names, "role")),
    )


def ask_security(asker: Asker, draft: Draft) -> None:
    production = [each for each in draft.data["environments"].values() if each["tier"] == PRODUCTION]
    owners = (production or list(draft.data["environments"].values()))[0]["owners"][0]
    question = Question(
        "Who looks after security?",
        "They can end all access of a person or of an environment at once, lift suspensions of accounts, and in production"
        " one of them must agree to admin roles, beside an owner. Where that is the owners, two of them must agree.",
        "sid@example.com, sue@example.com",
        owners,
    )

    def check(names: list[str]) -> None:
        if len(names) > 1:
            raise Slip("Name one group.")

    (draft.data["security"],) = ask_group(asker, draft, question, "security", decides=True, check=check)


def ask_tickets(asker: Asker, draft: Draft) -> None:
    """Only where a ticket will be asked for: what changes production."""
    tiers = {each["tier"] for each in draft.data["environments"].values()}
    risks = {each["risk"] for each in draft.data["roles"].values()}
    if PRODUCTION not in tiers or risks == {"read"}:
        return
    draft.data["ticket"] = ask(
        asker,
        Question(
            "What do your tickets look like?",
            "Who changes production names a ticket, so that afterwards it is known what it was for. Write one or more"
            " examples; other numbers are taken, too. Just Enter: any like ABC-123.",
            "INC-42, OPS-7",
            default="ABC-123",
        ),
        lambda text: ANY_TICKET if text == "ABC-123" else ticket(text),
    )
