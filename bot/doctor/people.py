"""People: whether each group that decides has somebody who is there and can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.chat.places import chat_name
from bot.directory.chats import ChatDirectories
from bot.doctor.context import Context, elsewhere, some_of
from bot.doctor.directories import WRONG, Directories, Members
from workflows.core.finding import Finding, State, attention, broken, ok, skipped, unknown
from workflows.core.identity import Account, Address
from workflows.core.people import PersonFacts
from workflows.core.policy import OWNERS, Policy
from workflows.core.rules.groups import groups_named
from workflows.ports import DirectoryUnreachable

NAMED_MAX, USES_MAX = 4, 2


@dataclass
class Use:
    """What a group is for. `decides`: somebody waits for it."""

    decides: bool = False
    words: dict[str, None] = field(default_factory=dict)


@dataclass
class Roll:
    """Of one group: how many are there, who is not and why, and of how many nobody could tell."""

    alive: int = 0
    wrong: list[str] = field(default_factory=list)
    untold: int = 0
    why: str = ""


def look(context: Context) -> Iterator[Finding]:
    policy = context.policy
    if policy is None:
        yield skipped("people.group", "people", "the policy folder is not valid")
        return
    directories = Directories.of(context, policy)
    if directories.chats is None:
        words = "no chat is set up here that knows them"
        yield skipped(
            "people.group", "people", words, "" if context.needs("web", "worker") else elsewhere("worker", "web")
        )
        return
    yield from _leavers(directories.chats)
    told = list(_groups(policy, directories))
    # One cause, one line: what to do about it stands with the chat.
    if told and {one.state for one in told} == {State.UNKNOWN}:
        yield unknown(
            "people.group", "people", f"of {len(told)} groups nobody could tell who is there: {told[0].words}"
        )
    else:
        yield from told


def _leavers(chats: ChatDirectories) -> Iterator[Finding]:
    """Whether each chat lets a worker see who has left: it looks at all who hold access, every five minutes."""
    for surface in chats.surfaces:
        title = chat_name(surface)
        try:
            chats.reads_people_of(surface)
        except DirectoryUnreachable as problem:
            words = f"nobody who leaves would be noticed: {problem}"
            yield unknown("people.leavers", title, words, f"see {title}: what its app may read")
        else:
            yield ok("people.leavers", title, "it tells who is there: whoever leaves loses access within minutes")


def _groups(policy: Policy, directories: Directories) -> Iterator[Finding]:
    uses = uses_of(policy)
    # Those first for whom somebody waits: one look asks about so many people.
    for name in sorted(uses, key=lambda one: not uses[one].decides):
        group = policy.groups.get(name)
        if group is not None:
            yield _group(name, uses[name], directories.members(group), directories)


def uses_of(policy: Policy) -> dict[str, Use]:
    """Groups that the policy uses, by name."""
    found: dict[str, Use] = {}

    def use(names: tuple[str, ...], words: str, *, decides: bool) -> None:
        for name in names:
            one = found.setdefault(name, Use())
            one.decides |= decides
            one.words[words] = None

    for environment in policy.environments.values():
        for entitlement in environment.decided:
            approving = groups_named(entitlement, tuple(word for word in entitlement.approve if word != OWNERS))
            use(entitlement.owners, f"owns {environment.name}", decides=OWNERS in entitlement.approve)
            use(approving, f"approves in {environment.name}", decides=True)
            use(entitlement.requesters, f"asks in {environment.name}", decides=False)
        if environment.break_glass:
            named = groups_named(environment, environment.break_glass.who)
            use(named, f"breaks the glass in {environment.name}", decides=False)
        if environment.escalate:
            use(groups_named(environment, environment.escalate.to), f"is called for {environment.name}", decides=True)
    use(policy.security, "is the panic group", decides=True)
    return found


def _group(name: str, use: Use, members: Members, directories: Directories) -> Finding:
    what = f"group {name}"
    role = some_of(list(use.words), USES_MAX)
    if members.absent:
        return skipped("people.group", what, f"it {role}; {members.absent}", elsewhere("worker"))
    if not members.known:
        # Its own line says what to do.
        words = f"it {role}, and nobody is known to be in it: {members.why}"
        tell = broken if members.certain and use.decides else unknown
        return tell("people.group", what, words, "see Groups kept elsewhere" if members.certain else "")
    return _judged(what, role, use, members, _called(members, directories))


def _judged(what: str, role: str, use: Use, members: Members, roll: Roll) -> Finding:
    gone = f"; {_listed(roll.wrong)}" if roll.wrong else ""
    words = f"it {role}; {roll.alive} of {len(members)} are there{gone}"
    if not roll.alive and roll.untold:
        return unknown("people.group", what, f"it {role}; of {roll.untold} nobody could tell: {roll.why}")
    if not roll.alive:
        tell = broken if use.decides else attention
        mend = "name somebody in the policy who is there, by the address that their chat account has"
        return tell(
            "people.group", what, f"{words}: {'nobody can decide' if use.decides else 'nobody can use it'}", mend
        )
    if roll.wrong:
        return attention("people.group", what, words, "take them out of the group, or give them an account of ours")
    if use.decides and len(members) == 1:
        mend = "add a second person: nobody can decide while this one is away"
        return attention("people.group", what, f"it {role}, and has one person alone", mend)
    rest = f" ({roll.untold} were not asked about)" if roll.untold else ""
    return ok("people.group", what, f"it {role}; {roll.alive} of {len(members)} are there{rest}")


def _called(members: Members, directories: Directories) -> Roll:
    roll = Roll()
    everybody: list[Address | Account] = [*sorted(members.addresses), *sorted(members.accounts, key=lambda one: one.id)]
    for one in everybody:
        try:
            facts = _facts(one, directories)
        except DirectoryUnreachable as problem:
            roll.untold += 1
            roll.why = str(problem)
            continue
        wrong = WRONG.get(facts.standing_problem, "cannot act") if facts and facts.standing_problem else ""
        if facts is None:
            roll.wrong.append(f"{one} has no active account in a chat that is set up here")
        elif wrong:
            roll.wrong.append(f"{facts.address or facts.name} {wrong}")
        else:
            roll.alive += 1
    return roll


def _facts(one: Address | Account, directories: Directories) -> PersonFacts | None:
    """Asked once, in however many groups they are. Raises DirectoryUnreachable."""
    chats, policy = directories.chats, directories.policy
    if chats is None:
        raise DirectoryUnreachable("no chat is set up here")
    if isinstance(one, Account):
        return directories.context.shared(f"account {one.id}", lambda: chats.refresh_person(one, policy))
    return directories.context.shared(f"address {one}", lambda: chats.find(one, policy))


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{', '.join(names[:NAMED_MAX])}{more}"
