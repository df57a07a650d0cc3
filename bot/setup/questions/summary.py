"""What the answers come to, before anything is written: who can do what, and what was chosen without asking, with why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.setup.answers import Answers, EnvironmentAnswer, roles_of
from workflows.policy_file.raw import Group

_CHOSEN = """\
Chosen for you, because it is safe to begin with (prodaccess.yaml has it):
  production   one owner agrees; for an admin role {two}. 15 min to 4 h. {ticket}
  staging      what is no admin's is had for an hour at once, and with an owner for up to 8 h
  development  had at once, for 8 h
  An ask waits for an hour. What is active is posted on weekdays at nine, the access review once a month."""


def summary(answers: Answers, values: Mapping[str, str]) -> str:
    parts = [*_environments(answers), "Groups:", *_groups(answers), "", "Roles:", *_roles(answers), ""]
    return "\n".join([*parts, _chosen(answers), "", *_secrets(values)])


def _environments(answers: Answers) -> Iterator[str]:
    for name, given in answers.given.environments.items():
        yield f"{name}: {given.tier}{f', account {given.account}' if given.account else ''}"
        yield from (f"  {line}" for line in _who(given))
        yield ""


def _who(given: EnvironmentAnswer) -> Iterator[str]:
    yield f"owned by {', '.join(given.owners)}; asked for by {', '.join(given.requesters)}"
    if given.on_call:
        yield f"emergency access for {', '.join(given.on_call)}, reviewed within a day"
    if not given.approvals_channel:
        yield "no approvals channel: the owners get direct messages"


def _groups(answers: Answers) -> Iterator[str]:
    for name, group in answers.given.groups.items():
        yield f"  {name}: {_source(group)}"


def _source(group: Group) -> str:
    if group.members:
        return ", ".join(group.members)
    if group.identity_center_group:
        return f"the group {group.identity_center_group} in Identity Center"
    kept = group.slack_usergroup or group.entra_group
    return f"{'user group' if group.slack_usergroup else 'Entra group'} {kept}" if kept else "kept elsewhere"


def _roles(answers: Answers) -> Iterator[str]:
    for name, role in roles_of(answers).items():
        yield f"  {name} ({role.risk}): {role.allows}"


def _chosen(answers: Answers) -> str:
    security = answers.given.security
    owners = {name for given in answers.given.environments.values() for name in given.owners}
    two = "two owners" if security is None or security in owners else f"one of {security}, too"
    changes = any(role.risk != "read" for role in roles_of(answers).values())
    return _CHOSEN.format(two=two, ticket="Changes name a ticket." if changes else "").replace(" \n", "\n")


def _secrets(values: Mapping[str, str]) -> Iterator[str]:
    """Their names alone."""
    yield (
        f"Into .env: {', '.join(sorted(values))}."
        if values
        else ".env has the names of the secrets, and none of them yet."
    )
