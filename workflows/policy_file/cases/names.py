"""Names in a table of cases: a person, a role or a group that the policy does not know tests nothing."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.identity import Address, address_of
from workflows.core.policy import Environment, Policy
from workflows.core.refusal import Code
from workflows.core.rules.groups import groups_needed
from workflows.policy_file.names import Check, checked, known_name
from workflows.policy_file.problem import Problem, nearest, quote
from workflows.policy_file.yaml_reader import Block, Document, Path

_WORLDS = ("groups/@", "unknown_groups/#")
_PEOPLE = ("who", "holder", "expect/approvers/#", "expect/among_approvers/#", "expect/no_approvers/#")
_STARTERS = ("began/#", "broken_by", *_PEOPLE[2:])
_AWAY = ("away/@", "away/*")
# Comparing takes time.
_COMPARED_MAX = 500
# A case may be about a name that is not there.
_OF_NO_NAME = frozenset({Code.ENVIRONMENT_UNKNOWN.value, Code.ROLE_UNKNOWN.value, Code.GATE_UNKNOWN.value})
_LISTS = ("cases", "gates")


def check_names(document: Document, policy: Policy) -> Iterator[Problem]:
    """Every name that the policy does not know, and every group that nobody has filled."""
    groups = frozenset(policy.groups)
    shapes = (*_WORLDS, *(f"{name}/#/{shape}" for name in _LISTS for shape in _WORLDS))
    yield from checked(document, shapes, known_name("group", groups))
    approvals = tuple(f"{name}/#/expect/approvals/@" for name in _LISTS)
    yield from checked(document, approvals, known_name("group", groups, reserved=True))
    yield from _listed_already(document, policy)
    for name in _LISTS:
        cases = document.get((name,))
        for number in range(len(cases) if isinstance(cases, list) else 0):
            yield from _case(document, policy, (name, number))


def _listed_already(document: Document, policy: Policy) -> Iterator[Problem]:
    """Whoever tests with other members tests another policy."""

    def check(name: str) -> tuple[str, str] | None:
        group = policy.groups.get(name)
        if group is None or group.members is None:
            return None
        return f"the policy itself says who is in {quote(name)}", "take it out"

    yield from checked(document, ("groups/@", *(f"{name}/#/groups/@" for name in _LISTS)), check)


def _case(document: Document, policy: Policy, at: Path) -> Iterator[Problem]:
    names = _people(document, policy, at)
    named = _PEOPLE if at[0] == "cases" else _STARTERS
    people = tuple(f"{at[0]}/#/{shape}" for shape in (*named, *_AWAY))
    shapes = (*people, *(_AWAY if at == ("cases", 0) else ()))
    yield from checked(_only(document, at), shapes, _person(policy, names))
    yield from _entitlement(document, policy, at)


def _only(document: Document, at: Path) -> Document:
    """The lines of one case; with the first one also the file's own."""
    lines = {
        path: line
        for path, line in document.lines.items()
        if path[:2] == at or (at == ("cases", 0) and path[:1] not in (("cases",), ("gates",)))
    }
    return Document(document.file, document.data, lines, document.texts)


def _people(document: Document, policy: Policy, at: Path) -> frozenset[Address]:
    """Whoever stands in a group, or is said to be somebody."""
    found = {one for group in policy.groups.values() for one in group.members or ()}
    for world in ((), at):
        groups = document.get((*world, "groups"))
        for members in groups.values() if isinstance(groups, Block) else ():
            found |= _addresses(policy, members)
        found |= _addresses(policy, document.get((*world, "people")))
    return frozenset(found)


def _addresses(policy: Policy, names: object) -> set[Address]:
    texts = names if isinstance(names, list | Block) else ()
    found = (address_of(text, policy.former_domains) for text in texts if isinstance(text, str))
    return {one for one in found if one is not None}


def _person(policy: Policy, names: frozenset[Address]) -> Check:
    def check(text: str) -> tuple[str, str] | None:
        found = address_of(text, policy.former_domains)
        if found is None or found in names:
            return None
        near = nearest(found, names) if len(names) <= _COMPARED_MAX else ""
        help_ = f"where that is meant, say so: people: {{{found}: {{}}}}"
        like = f"{near} " if near.startswith("did you mean") else ""
        return f"{quote(text)} is in no group", f"{like}{help_}"

    return check


def _entitlement(document: Document, policy: Policy, at: Path) -> Iterator[Problem]:
    environment = document.get((*at, "environment"))
    if document.get((*at, "expect", "code")) in _OF_NO_NAME:
        return
    place = policy.environments.get(environment.strip().lower()) if isinstance(environment, str) else None
    if place is None:
        if isinstance(environment, str):
            said = f"no environment {quote(environment)}", nearest(environment, policy.environments)
            yield Problem(document.file, document.line((*at, "environment")), *said)
        return
    kind, known = ("role", tuple(place.roles)) if at[0] == "cases" else ("gate", tuple(place.gates))
    name = document.get((*at, kind))
    if isinstance(name, str) and name.strip().lower() not in known:
        said = f"no {kind} {quote(name)} in {place.name}", nearest(name, known)
        yield Problem(document.file, document.line((*at, kind)), *said)
    yield from _rule(document, place, at)
    yield from _pipeline(document, policy, at)
    yield from _unfilled(document, policy, place, at)


def _rule(document: Document, place: Environment, at: Path) -> Iterator[Problem]:
    path = (*at, "expect", "rule")
    wanted, role = document.get(path), document.get((*at, "role"))
    found = place.roles.get(role.strip().lower()) if isinstance(role, str) else None
    names = [rule.name for rule in found.auto_approve] if found else []
    if found and isinstance(wanted, str) and wanted.strip() not in names:
        yield Problem(
            document.file, document.line(path), f"no rule {quote(wanted)} for {found.name}", nearest(wanted, names)
        )


def _pipeline(document: Document, policy: Policy, at: Path) -> Iterator[Problem]:
    wanted, names = document.get((*at, "pipeline")), [one.name for one in policy.pipelines]
    if isinstance(wanted, str) and wanted.strip() not in names:
        said = f"no pipeline {quote(wanted)}", nearest(wanted, names)
        yield Problem(document.file, document.line((*at, "pipeline")), *said)


def _unfilled(document: Document, policy: Policy, place: Environment, at: Path) -> Iterator[Problem]:
    """A group that is kept elsewhere has the members that the file gives it."""
    told: set[str] = set()
    for world in ((), at):
        for key in ("groups", "unknown_groups"):
            names = document.get((*world, key))
            told.update(name for name in (names if isinstance(names, list | Block) else ()) if isinstance(name, str))
    for name in groups_needed(policy, place):
        group = policy.groups.get(name)
        if group is not None and group.members is None and name not in told:
            yield Problem(
                document.file,
                document.line(at),
                f"nothing says who is in {quote(name)}, which the policy looks up elsewhere ({group.source})",
                f"write groups: {{{name}: [dana@example.com]}}, or [] for nobody",
            )
