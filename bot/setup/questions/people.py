"""Groups of people: typed, kept in a chat, or kept in Identity Center. Whoever decides is never one person alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.setup.answers import SLACK, TEAMS
from bot.setup.questions.asker import Asker, Question, Slip, ask, yes
from bot.setup.questions.draft import IDENTITY_CENTER, Draft
from bot.setup.questions.parsers import called, unused, value, words
from workflows.core.identity import address_of, domain_of
from workflows.policy_file.problem import nearest, quote
from workflows.policy_file.values import Address, GroupName

_ENTRA = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SLACK_GROUP = re.compile(r"S[A-Z0-9]{6,}")
_NOBODY = "-"
# No name that a group can have: of one that is looked at, and has none yet.
_NEW = "?"
Names = list[str]


def ask_group(
    asker: Asker,
    draft: Draft,
    question: Question,
    suggested: str,
    *,
    decides: bool,
    check: Callable[[Names], None],
    optional: bool = False,
) -> Names:
    """The names of one or more groups, each known by now; none for a dash where it is `optional`.

    `check` raises Slip where these will not do. `decides`: their word counts, so nobody is alone, or can let themselves in.
    """
    text = f"{question.why}\n{_ways(draft)}"
    full = Question(question.words, text, question.example, question.default)

    def read(typed: str) -> Names:
        if optional and typed == _NOBODY:
            return []
        names = _known(draft, typed)
        if not names:
            source = _source(asker, draft, words(typed), decides=decides)
            names = [name for name, group in draft.groups.items() if group == source][:1]
            draft.groups.update({} if names else {_NEW: source})
        for name in names or [_NEW]:
            _may_decide(draft, name, typed, decides=decides)
        check(names or [_NEW])
        return names or [_named(asker, draft, suggested)]

    return ask(asker, full, lambda typed: _undone(draft, lambda: read(typed)), remind=True)


def _undone(draft: Draft, read: Callable[[], Names]) -> Names:
    """What was added for an answer that will not do is taken out again."""
    before = dict(draft.groups)
    try:
        return read()
    except Slip:
        draft.data["groups"] = before
        raise


def _ways(draft: Draft) -> str:
    ways = ["addresses with commas between"]
    if SLACK in draft.chats:
        ways.append("the id of a Slack user group (S...)")
    if TEAMS in draft.chats:
        ways.append("the object id of an Entra group")
    if draft.aws == IDENTITY_CENTER:
        ways.append("the name of a group in Identity Center")
    known = f"\nNamed already: {', '.join(draft.groups)}." if draft.groups else ""
    return f"Write {', or '.join(ways)}.{known}"


def _known(draft: Draft, typed: str) -> Names:
    """Groups that were named before; none where these are something new. A mixture is a slip."""
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    known = [part for part in parts if part in draft.groups]
    if known and len(known) < len(parts):
        other = next(part for part in parts if part not in draft.groups)
        help_ = nearest(other, draft.groups)
        raise Slip(
            f"{quote(other)} is no group that was named before; {help_ or 'write groups alone, or people alone'}."
        )
    return list(dict.fromkeys(known))


def _named(asker: Asker, draft: Draft, suggested: str) -> str:
    """What was new has a name from now on."""
    group = draft.groups.pop(_NEW)
    short = called(str(group.get("identity_center_group", "")))
    name = _name(asker, draft, unused(short, suggested, draft.groups, GroupName))
    draft.groups[name] = group
    return name


def _second(asker: Asker, draft: Draft, alone: str) -> str:
    """Nobody decides alone."""

    def other(text: str) -> str:
        (found,) = _addresses(draft, [text])
        if address_of(found) == address_of(alone):
            raise Slip("That is the same person.")
        return found

    question = Question(
        f"Who is the second one, beside {alone}?",
        "While one person is away nobody could decide, and nobody decides about their own access.",
    )
    return ask(asker, question, other)


def _name(asker: Asker, draft: Draft, default: str) -> str:
    read = value(GroupName)

    def free(text: str) -> str:
        name = read(text)
        if name in draft.groups:
            raise Slip(f"{quote(name)} is the name of another group already.")
        return name

    return ask(asker, Question("What shall this group be called in the policy?", default=default), free)


def _source(asker: Asker, draft: Draft, typed: str, *, decides: bool) -> dict[str, Any]:
    if "@" in typed:
        return {"members": _members(asker, draft, typed, decides=decides)}
    if _ENTRA.fullmatch(typed) and TEAMS in draft.chats:
        return {"entra_group": typed, **_trusted(asker, "Entra")}
    if _SLACK_GROUP.fullmatch(typed) and SLACK in draft.chats:
        return {"slack_usergroup": typed, **_trusted(asker, "Slack")}
    if draft.aws == IDENTITY_CENTER:
        return {"identity_center_group": _directory_group(draft, typed)}
    raise Slip(f"{quote(typed)} is neither an address nor a group that was named before.")


def _members(asker: Asker, draft: Draft, typed: str, *, decides: bool) -> list[str]:
    found = _addresses(draft, [part.strip() for part in typed.split(",") if part.strip()])
    return [*found, _second(asker, draft, found[0])] if decides and len(found) == 1 else found


def _addresses(draft: Draft, parts: Sequence[str]) -> list[str]:
    read = value(Address)
    found: dict[str, str] = {}
    for part in parts:
        address = address_of(read(part))
        if address is None or domain_of(address) not in draft.data["email_domains"]:
            raise Slip(f"{quote(part)} is outside of {', '.join(draft.data['email_domains'])}.")
        found[address] = address
    return list(found)


def _trusted(asker: Asker, where: str) -> dict[str, bool]:
    question = Question(
        f"Do administrators alone decide who is in it, in {where}?",
        "Where members may edit groups, anybody could let themselves in; then it decides nothing in production.",
        default="n",
    )
    return {"trusted": True} if yes(asker, question) else {}


def _directory_group(draft: Draft, typed: str) -> str:
    """By its whole name, or by a part that only one has. Where groups could not be read it is taken as it was typed."""
    listed = draft.seen.groups
    if not listed.known:
        return typed
    like = [name for name in listed.names if typed.casefold() in name.casefold()]
    exact = [name for name in like if name.casefold() == typed.casefold()]
    if len(exact) == 1 or len(like) == 1:
        return (exact or like)[0]
    if not like:
        raise Slip(f"Identity Center has no group like {quote(typed)}, and it is no address.")
    shown = ", ".join(like[:8])
    more = f" and {len(like) - 8} more" if len(like) > 8 else ""
    raise Slip(f"{len(like)} groups have that in their name: {shown}{more}. Type more of it.")


def _may_decide(draft: Draft, name: str, typed: str, *, decides: bool) -> None:
    group, said = draft.groups[name], quote(typed if name == _NEW else name)
    if "entra_group" in group and not group.get("trusted"):
        raise Slip(f"Anybody may be able to join {said}, so it is not used. Name people, or another group.")
    if decides and not draft.may_decide(name):
        raise Slip(f"Whoever may edit {said} could join it, so it decides nothing. Name people, or another group.")
    if decides and len(draft.people([name]) or (0, 0)) == 1:
        raise Slip(f"{said} is one person, and nobody decides alone. Name two people, or another group.")
