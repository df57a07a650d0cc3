"""Whether the worker's role has in AWS what the policy needs, and no more, as far as the role may read itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from workflows.core.finding import Finding, attention, broken, ok, skipped
from workflows.core.question import Question
from workflows.ports import TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.connections import Link
from workflows.targets.aws.held_rights import Held, held_by
from workflows.targets.aws.rights import OPTIONAL, Identity
from workflows.targets.aws.role_rights.covers import Compared, Read, Right, compared, listed, read, rights_of
from workflows.targets.aws.role_rights.from_policy import Through, groups_read, scope_of, taken_on
from workflows.targets.aws.role_rights.ids import CenterIds
from workflows.targets.aws.role_rights.never import by_the_boundary
from workflows.targets.aws.role_rights.scope import Archive, Scope
from workflows.targets.aws.role_rights.worker import RIGHTS, needed, signs
from workflows.targets.aws.terms import own_connection
from workflows.targets.aws.wanted import Wanted, entitlements_of

_CHECK, _BOUND = "targets.role", "targets.boundary"


@dataclass(frozen=True)
class Seen:
    """One connection as it was looked at. `ids`: None where something that the policy names was not found."""

    link: Link
    who: Identity
    wanted: Wanted
    ids: CenterIds | None = None


@dataclass(frozen=True)
class _Role:
    """All connections that go through one role."""

    arn: str
    seen: list[Seen] = field(default_factory=list)


def roles(seen: Sequence[Seen], question: Question) -> Iterator[Finding]:
    """A line or two for each role that the worker is."""
    found: dict[str, _Role] = {}
    for one in seen:
        source = one.who.source
        if source is not None and ":role/" in source:
            found.setdefault(source, _Role(source)).seen.append(one)
    for role in found.values():
        yield from _role(role, question)


def _role(role: _Role, question: Question) -> Iterator[Finding]:
    name = role.arn.rpartition("/")[2]
    what = f"role {name}"
    if any(one.ids is None for one in role.seen):
        yield skipped(_CHECK, what, "what it needs is not known while something that the policy names is not there")
        return
    try:
        held = held_by(role.seen[0].link, name)
    except (TargetRefused, TargetInDoubt, TargetThrottled) as problem:
        words = f"what it has is not known: {getattr(problem, 'words', problem)}"
        yield skipped(_CHECK, what, words, OPTIONAL)
        return
    having = read(held.documents)
    scope = _scope(role, question, held, having)
    if not isinstance(scope, Scope):
        yield skipped(_CHECK, what, f"what it needs is not known: {scope[0].rstrip('.')}")
        return
    yield _told(what, scope, held, compared(rights_of(needed(scope)), _may_be_there(scope), having))
    yield _bounded(scope, held)


def _scope(role: _Role, question: Question, held: Held, having: Read) -> Scope | tuple[str, ...]:
    """As `prodaccess aws policy` would have it, with what AWS alone says: the path of people's users, and whether they are
    bounded.
    """
    through = [Through(one.wanted, groups_read(question.groups, one.wanted.connection.name)) for one in role.seen]
    partition = role.seen[0].wanted.connection.partition
    frame = Scope(
        held.arn,
        partition,
        path=_path(having, "user", "iam:deleteuserpolicy", "iam:getuser"),
        pipeline_path=_path(having, "role", "iam:deleterolepolicy"),
        bounded=_is_bounded(having),
        roles=_taken_on(role, question),
        vouches=held.arn.split(":")[4] in question.identity_accounts,
        sessions=bool(question.identity_accounts),
        archive=_archive(question.archive),
        key=question.signs_with.removeprefix("awskms:") if ":" in question.signs_with else "",
    )
    ids = {one.wanted.connection.name: one.ids for one in role.seen if one.ids is not None}
    return scope_of(frame, through, ids)


def _taken_on(role: _Role, question: Question) -> tuple[str, ...]:
    """By the worker's own role alone, which is whoever a connection without a role is used as."""
    if all(one.wanted.connection.role_arn for one in role.seen):
        return ()
    every = (
        Through(Wanted(own_connection(each), entitlements_of(question, each.name), lambda _: ()))
        for each in question.connections
    )
    return tuple(one for one in taken_on(every) if one != role.arn)


def _archive(where: str) -> Archive | None:
    if not where or where.startswith(("/", ".")):
        return None
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    return Archive(bucket, prefix.strip("/"))


def _may_be_there(scope: Scope) -> tuple[Right, ...]:
    """What only tells more; and the archive's, which another worker may have to itself."""
    names = ("activity", "doctor", "audit")
    return rights_of((*(each for name in names for each in RIGHTS[name](scope)), *signs(scope)))


def _path(having: Read, kind: str, *actions: str) -> str:
    """The IAM path before people's users, or pipelines' roles, as the role has it."""
    for right in having.allowed:
        _, _, name = right.thing.partition(f":{kind}/")
        path, slash, _ = name.rpartition("/")
        if slash and right.action.lower() in actions and not path.startswith("aws-reserved"):
            return f"{path}/"
    return ""


def _is_bounded(having: Read) -> bool:
    writes = [right for right in having.allowed if right.action.lower() == "iam:putuserpolicy"]
    return not writes or any("iam:permissionsboundary" in right.condition for right in writes)


def _told(what: str, scope: Scope, held: Held, found: Compared) -> Finding:
    mend = f"prodaccess aws policy --role {scope.role} --part worker prints what it shall have"
    if found.lacking and held.unread:
        words = f"whether it may {_some(found.lacking)} is not known: it may not read {', '.join(held.unread)}"
        return skipped(_CHECK, what, words, OPTIONAL)
    if found.lacking:
        return broken(_CHECK, what, f"it lacks {_some(found.lacking)}", mend)
    if found.more:
        return attention(_CHECK, what, f"it may do more than the policy needs: {_some(found.more)}", mend)
    if held.unread:
        words = f"it has what the policy needs; what else is not known: it may not read {', '.join(held.unread)}"
        return skipped(_CHECK, what, words, OPTIONAL)
    if found.unsure:
        words = f"whether it may {_some(found.unsure)} depends on conditions that are not those of the shipped rights"
        return skipped(_CHECK, what, words, mend)
    return ok(_CHECK, what, "it has what the policy needs, and no more")


def _some(rights: Sequence[Right]) -> str:
    more = f" (and {len(rights) - 1} more)" if len(rights) > 1 else ""
    return f"{rights[0]}{more}"


def _bounded(scope: Scope, held: Held) -> Finding:
    what, mend = "boundary of the role", f"prodaccess aws policy --role {scope.role} --part boundary prints one"
    if not held.boundary:
        return attention(_BOUND, what, "it has none: whoever may write on the role can make it anything", mend)
    if held.bounds is None:
        return skipped(_BOUND, what, f"what {held.boundary} says is not known: the worker may not read it", OPTIONAL)
    there = list(map(_plain, listed(held.bounds.get("Statement"))))
    # What is kept of the archive depends on a retention that is not told here.
    own = replace(scope, archive=None)
    gone = [each.sid for each in by_the_boundary(own, lists=False) if _plain(each.as_json()) not in there]
    if gone:
        return attention(_BOUND, what, f"{held.boundary} does not deny {', '.join(gone)} as it shall", mend)
    return ok(_BOUND, what, f"{held.boundary} keeps the role from itself, and from what outlives a grant")


def _plain(statement: object) -> object:
    """Without what says nothing: its Sid, and whether one value stands in a list."""
    if not isinstance(statement, dict):
        return statement
    return {
        name: sorted(map(str, listed(value))) if name.endswith(("Action", "Resource")) else value
        for name, value in statement.items()
        if name != "Sid"
    }
