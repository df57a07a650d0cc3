"""AWS: where, what was read of it, and what can be asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.setup.aws import Listed, Seen, connect, look, profiles
from bot.setup.questions.asker import Asker, Question, Slip, ask, choose, yes
from bot.setup.questions.draft import IAM, IDENTITY_CENTER, Draft
from bot.setup.questions.parsers import called, unused, value, words
from bot.setup.questions.picking import pick_several
from workflows.core.policy import Risk
from workflows.policy_file.values import Https, Name, Text

CONNECTION = "main"
READ_ONLY_TEMPLATE = "policies/read-logs.json"
LOCAL_PART = "{local_part}"
_RISKS = (
    (Risk.READ, "read: looks, and changes nothing"),
    (Risk.CHANGE, "change: changes things"),
    (Risk.ADMIN, "admin: can do harm that nobody can undo; in production two people agree"),
)
_ALLOWS = {
    Risk.READ: "See logs, metrics and settings",
    Risk.CHANGE: "Change what is running",
    Risk.ADMIN: "Change anything in the account",
}


def ask_aws(asker: Asker, draft: Draft) -> None:
    draft.aws = choose(
        asker,
        Question("How do people get into AWS?", "This is what the worker will give and take away.", default="1"),
        (
            (IDENTITY_CENTER, "IAM Identity Center: permission sets in accounts"),
            (IAM, "IAM users: groups and inline policies"),
        ),
    )
    region = ask(asker, _region_question(draft), _region)
    draft.data["connections"] = {CONNECTION: {"kind": "aws", "region": region}}
    _read_aws(asker, draft, region)
    if draft.aws == IDENTITY_CENTER:
        _portal(asker, draft)


def _region_question(draft: Draft) -> Question:
    why = "IAM is the same in all regions." if draft.aws == IAM else "The one in which Identity Center was switched on."
    return Question("In which region?", why, "eu-central-1")


def _region(text: str) -> str:
    """As the policy's own connection takes it."""
    words(text)
    kinds = re.compile(r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]+")
    if not kinds.fullmatch(text):
        raise Slip(f"{text!r} is no AWS region; write it like eu-central-1.")
    return text


def _read_aws(asker: Asker, draft: Draft, region: str) -> None:
    """By a read-only profile, as often as somebody wants to try; or not at all."""
    known = profiles()
    shown = f" Profiles here: {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}." if known else ""
    question = Question(
        "Shall I read accounts, permission sets and groups? With which AWS profile?",
        "Then you choose from lists. It only reads; prodaccess init --aws-policy prints all rights that it can use."
        " The profile is not kept. A dot means the credentials that are here already (variables, the machine's role),"
        f" a dash that you type the names by hand.{shown}",
        default="-",
    )

    def read(text: str) -> Seen:
        if text == "-":
            return Seen()
        asker.say("  Reading AWS; of a large organisation it can take half a minute ...")
        seen = look(connect("" if text == "." else words(text), region), identity_center=draft.aws == IDENTITY_CENTER)
        if seen.why:
            raise Slip(f"{seen.why} Try again, type another profile, or a dash to type names by hand.")
        asker.say(told(seen, draft.aws))
        return seen

    draft.seen = ask(asker, question, read)


def told(seen: Seen, kind: str) -> str:
    """What was read, one line each; what was not, and why."""
    lists = [("account", seen.accounts)]
    if kind == IDENTITY_CENTER:
        lists += [("permission set", seen.permission_sets), ("group", seen.groups)]
    else:
        lists += [("IAM group", seen.iam_groups)]
    return "\n".join(f"  {_counted(what, listed)}" for what, listed in lists)


def _counted(what: str, listed: Listed) -> str:
    if not listed.known:
        return f"{what if what.startswith('IAM') else what.capitalize()}s are not known. {listed.why}"
    number = len(listed.names)
    return f"{number}{'' if listed.whole else ' or more'} {what}{'' if number == 1 else 's'}"


def _portal(asker: Asker, draft: Draft) -> None:
    found = ask(
        asker,
        Question(
            "What is the address of the AWS access portal?",
            "The holder gets a button that opens it. A dash means: no button.",
            "https://acme.awsapps.com/start",
            draft.seen.portal or "-",
        ),
        lambda text: "" if text == "-" else value(Https)(text),
    )
    if found:
        draft.data["connections"][CONNECTION]["portal"] = found


# ---------------------------------------------------------------- roles


def ask_roles(asker: Asker, draft: Draft) -> None:
    if draft.aws == IDENTITY_CENTER:
        _permission_sets(asker, draft)
    else:
        _of_iam(asker, draft)


def _permission_sets(asker: Asker, draft: Draft) -> None:
    names = pick_several(
        asker,
        Question(
            "Which permission sets may be asked for?",
            "Each becomes a role. Begin with few; more can be added to roles.yaml later.",
            "ReadOnlyAccess, AdministratorAccess",
            default=_first_choice(draft.seen.permission_sets),
        ),
        draft.seen.permission_sets,
        value(Text),
    )
    for name in names:
        _role(asker, draft, name, {"kind": "aws-identity-center", "permission_set": name})


def _first_choice(listed: Listed) -> str:
    """What only looks, and of that what says so most plainly."""
    like = [name for name in listed.names if _guess(name) is Risk.READ]
    plain = [name for name in like if "readonly" in name.casefold().replace("-", "").replace("_", "")]
    return next(iter(plain or like), "" if listed.known and listed.names else "ReadOnlyAccess")


def _of_iam(asker: Asker, draft: Draft) -> None:
    user = ask(
        asker,
        Question(
            "How are IAM users named?",
            f"{LOCAL_PART} is what stands before the @ of a person's address. Each user also needs the tag"
            " prodaccess:person with the whole address.",
            default=LOCAL_PART,
        ),
        _with_placeholders,
    )
    if yes(
        asker, Question("A role that reads logs and metrics, by an inline policy that ends by itself?", default="y")
    ):
        target = {"kind": "aws-iam-policy", "user": user, "policy": READ_ONLY_TEMPLATE}
        _add(draft, "read-logs", {"risk": "read", "allows": "Read logs and metrics", "target": target})
        draft.data["templates"] = {READ_ONLY_TEMPLATE: _read_logs()}
    for name in _iam_groups(asker, draft):
        _role(asker, draft, name, {"kind": "aws-iam-group", "user": user, "group": name})


def _iam_groups(asker: Asker, draft: Draft) -> list[str]:
    none = "-" if draft.data["roles"] else ""
    question = Question(
        "Which IAM groups may be asked for?",
        "Whoever gets such a role is put into the group, and taken out at the end."
        + (" A dash means: none." if none else ""),
        "deployers, or {environment}-deployers where each environment has its own",
        none,
    )
    found = pick_several(
        asker, question, draft.seen.iam_groups, lambda text: text if text == none else _with_placeholders(text)
    )
    return [name for name in found if name != none or not none]


def _with_placeholders(text: str) -> str:
    known = ("environment", "account", "region", "partition", "local_part")
    rest = words(text)
    for name in known:
        rest = rest.replace(f"{{{name}}}", "")
    if re.search(r"[{}]", rest):
        raise Slip(f"Braces hold one of {', '.join(known)}, like {LOCAL_PART}.")
    return value(Text)(text)


def _read_logs() -> str:
    statement = {
        "Sid": "ReadLogsAndMetrics",
        "Effect": "Allow",
        "Action": [
            "logs:Describe*",
            "logs:Get*",
            "logs:FilterLogEvents",
            "cloudwatch:Describe*",
            "cloudwatch:Get*",
            "cloudwatch:List*",
        ],
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2) + "\n"


def _role(asker: Asker, draft: Draft, name: str, target: dict[str, str]) -> None:
    guess = _guess(name)
    place = next(number for number, (risk, _) in enumerate(_RISKS, start=1) if risk is guess)
    question = Question(
        f"{name}: how much can it do?", "This decides who must agree, and for how long.", default=str(place)
    )
    risk = Risk(choose(asker, question, [(each.value, words_) for each, words_ in _RISKS]))
    why = "One line for the form and the card, so that people ask for the least that will do."
    allows = ask(
        asker, Question(f"{name}: what does it allow, in plain words?", why, default=_ALLOWS[risk]), value(Text)
    )
    role: dict[str, Any] = {"risk": risk.value, "allows": allows, "target": target}
    if risk is Risk.ADMIN:
        why = "Shown on the form and the card; Approve asks once more."
        role["danger"] = ask(
            asker, Question(f"{name}: what is the danger?", why, default="can delete data for good"), value(Text)
        )
    _add(draft, called(name), role)


def _add(draft: Draft, name: str, role: dict[str, Any]) -> None:
    draft.data["roles"][unused(name, "role", draft.data["roles"], Name)] = role


def _guess(name: str) -> Risk:
    if re.search(r"read|view|audit|billing", name, re.IGNORECASE):
        return Risk.READ
    return Risk.ADMIN if re.search(r"admin|full|root|owner", name, re.IGNORECASE) else Risk.CHANGE
