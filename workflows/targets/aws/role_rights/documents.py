"""The documents to attach: what the worker may, its boundary, and the guardrail; each within AWS's limits, or a sentence says why
it says less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from workflows.targets.aws.iam_users import TAG
from workflows.targets.aws.role_rights.never import by_the_boundary, by_the_guardrail, tells_people_apart
from workflows.targets.aws.role_rights.scope import Scope
from workflows.targets.aws.role_rights.statement import (
    ATTACHED_MAX,
    CONTROL_MAX,
    MANAGED_MAX,
    Statement,
    document,
    merged,
    packed,
    size_of,
)
from workflows.targets.aws.role_rights.worker import signs, worker

_READS = re.compile(r"[a-z0-9-]+:(Get|List|Describe|Is|Lookup|Simulate)")


class Part(StrEnum):
    WORKER = "worker"
    BOUNDARY = "boundary"
    GUARDRAIL = "guardrail"


@dataclass(frozen=True, slots=True)
class Document:
    """`name`: what the policy is called in AWS."""

    part: Part
    name: str
    statements: tuple[Statement, ...]

    @property
    def content(self) -> dict[str, Any]:
        return document(self.statements)

    @property
    def size(self) -> int:
        return size_of(self.statements)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`notes`: what a reader has to know of them, one sentence each."""

    documents: tuple[Document, ...]
    notes: tuple[str, ...] = ()

    def of(self, part: Part) -> tuple[Document, ...]:
        return tuple(one for one in self.documents if one.part is part)


def rendered(scope: Scope, administrators: tuple[str, ...] = ()) -> Rendered:
    """All three for one role."""
    notes: list[str] = []
    found = [
        *_worker(scope, notes),
        _boundary(scope, notes),
        *_guardrail(scope, administrators, notes),
    ]
    if not administrators and tells_people_apart(scope):
        notes.append(
            f"Who may say whose an IAM user is, by the tag {TAG}, the guardrail leaves open: --administrator names them."
        )
    return Rendered(tuple(found), (*notes, *_of_the_scope(scope)))


def _worker(scope: Scope, notes: list[str]) -> Iterator[Document]:
    groups = packed(worker(scope), MANAGED_MAX)
    if len(groups) > 1:
        notes.append(f"What the worker may is in {len(groups)} policies, because one has {MANAGED_MAX:,} characters.")
    if len(groups) > ATTACHED_MAX:
        notes.append(
            f"A role has {ATTACHED_MAX} policies at most, unless AWS raises that: give fewer accounts through one role."
        )
    for number, statements in enumerate(groups, start=1):
        yield Document(Part.WORKER, scope.role_name if number == 1 else f"{scope.role_name}-{number}", statements)


def _boundary(scope: Scope, notes: list[str]) -> Document:
    """A role has one alone, so it is never split."""
    statements, note = _that_fits(scope)
    if note:
        notes.append(note)
    return Document(Part.BOUNDARY, f"{scope.role_name}-boundary", statements)


def _that_fits(scope: Scope) -> tuple[tuple[Statement, ...], str]:
    """With what is to be said of it."""
    allowed, denied = (*worker(scope), *signs(scope)), by_the_boundary(scope)
    if size_of((*allowed, *denied)) <= MANAGED_MAX:
        return (*allowed, *denied), ""
    looser = _reads_of_all(allowed)
    if size_of((*looser, *denied)) <= MANAGED_MAX:
        return (*looser, *denied), (
            f"The boundary lets the worker read without a list: with it, it has more than {MANAGED_MAX:,} characters. "
            "What it changes stands there one by one, and the worker's own policies list what it reads."
        )
    itself = by_the_boundary(scope, lists=False)
    if size_of((*looser, *itself)) <= MANAGED_MAX:
        return (*looser, *itself), (
            "The boundary lets the worker read without a list, and does not deny once more what it does not allow: with both, it "
            f"has more than {MANAGED_MAX:,} characters. What it changes stands there one by one."
        )
    calls = _actions_alone(allowed)
    shorter, left_out = _without_the_longest(denied, MANAGED_MAX - size_of(calls))
    return (*calls, *shorter), (
        f"The boundary has {MANAGED_MAX:,} characters at most, so it allows the worker's calls on all things and leaves "
        f"{' and '.join(left_out) or 'no statement'} out; the worker's own policies list these things."
    )


def _without_the_longest(denied: tuple[Statement, ...], room: int) -> tuple[tuple[Statement, ...], list[str]]:
    """Without as many lists as it takes; and their Sids."""
    kept, left_out = list(denied), list[str]()
    while sum(each.size for each in kept) > room:
        lists = [each for each in kept if each.others_than == "resources" and each.sid != "NeverWhatOutlivesTheEnd"]
        if not lists:
            break
        longest = max(lists, key=lambda each: each.size)
        kept.remove(longest)
        left_out.append(longest.sid)
    return tuple(kept), left_out


def _reads_of_all(allowed: tuple[Statement, ...]) -> tuple[Statement, ...]:
    reads, rest = list[Statement](), list[Statement]()
    for each in allowed:
        for action in each.actions:
            one = replace(each, actions=(action,))
            if _READS.match(action):
                reads.append(replace(one, sid="WhatTheWorkerReads", resources=("*",), condition={}))
            else:
                rest.append(one)
    return merged((*reads, *rest))


def _actions_alone(allowed: tuple[Statement, ...]) -> tuple[Statement, ...]:
    return merged(replace(each, sid="WhatTheWorkerCalls", resources=("*",), condition={}) for each in allowed)


def _guardrail(scope: Scope, administrators: tuple[str, ...], notes: list[str]) -> Iterator[Document]:
    whole = by_the_guardrail(scope, administrators)
    room = CONTROL_MAX - size_of(())
    fitting = tuple(each for each in whole if each.size <= room)
    for each in whole:
        if each.size > room:
            notes.append(
                f"The guardrail leaves {each.sid} out: a service control policy has {CONTROL_MAX:,} characters, and its list "
                "is longer. The worker's own policies have it."
            )
    groups = packed(fitting, CONTROL_MAX)
    if len(groups) > 1:
        notes.append(
            f"The guardrail is {len(groups)} service control policies, because one has {CONTROL_MAX:,} characters."
        )
    name = f"{scope.role_name}-guardrail"
    for number, statements in enumerate(groups, start=1):
        yield Document(Part.GUARDRAIL, name if number == 1 else f"{name}-{number}", statements)


def _of_the_scope(scope: Scope) -> Iterator[str]:
    for center in scope.centers:
        if center.owner == scope.account:
            yield (
                f"{scope.account} is the organisation's management account, which service control policies do not bind: only the "
                "boundary holds the worker there. Better run it in a delegated administrator's account."
            )
        if center.owner in center.accounts:
            yield (
                f"Access on the management account {center.owner} needs strong rights, and the boundary has to leave room for "
                "them: let people who must work there have users of their own."
            )
    if scope.partition == "aws-cn":
        yield "Service control policies in China take no NotResource: there the boundary alone keeps the lists."
    if scope.archive is not None and scope.archive.days is None:
        yield (
            "No retention is written with each object, so the bucket's default one counts: give the bucket one in COMPLIANCE "
            "mode, or set PRODACCESS_AUDIT_RETENTION."
        )
