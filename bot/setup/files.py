"""Answers -> the files of the policy folder, with their comments. Pure: the same answers make the same text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.setup.answers import Answers, EnvironmentAnswer, roles_of
from bot.setup.scalars import block, flow, in_comment, listed, one_or_list, scalar
from workflows.policy_file.folder import ENVIRONMENTS, ROLES, WORKSPACE

_BESIDE = 40  # the column at which a comment begins that stands beside a value

_HEAD = """\
# yaml-language-server: $schema=schema/prodaccess.json
#
# What holds everywhere: people, where access is given, and the rules by tier and risk. What can be asked for stands in
# roles.yaml, where it can be had in environments/. `prodaccess init` wrote this once; from now on it is yours.
# After a change: prodaccess check --strict. What it means, in words: prodaccess config render.
# Each key: prodaccess docs policy."""

_ROLES_HEAD = """\
# yaml-language-server: $schema=schema/roles.json
#
# What can be asked for. Where it is given (account, region) is said by the environment. `risk` chooses the rule in
# prodaccess.yaml: read looks, change changes, admin can do harm that nobody can undo."""

_GROUPS = """\
# People, named once. A group has one source: members, identity_center_group, slack_usergroup, entra_group,
# pagerduty_schedule or https. `trusted` says that administrators alone edit it; without it such a group decides nothing
# in production."""

_RULES = """\
# Who must agree, and for how long: by the environment's tier, then by the role's risk. `any` stands for every other risk.
# An environment or a role in it can say otherwise."""


def policy_files(answers: Answers) -> dict[str, str]:
    """Path in the policy folder -> text."""
    environments = answers.given.environments
    return {
        WORKSPACE: _workspace(answers),
        ROLES: _roles(answers),
        **{f"{ENVIRONMENTS}/{name}.yaml": _environment(answers, name) for name in environments},
        **dict(sorted(answers.given.templates.items())),
    }


def _workspace(answers: Answers) -> str:
    given = answers.given
    parts = [
        "\n".join([_HEAD, "version: 1", *_basics(answers)]),
        f"# Where access is given. Credentials are never here: the worker takes them from its own surroundings.\n"
        f"connections:\n{_connections(answers)}",
        f"# Every receipt stands here.\nreceipts_channel: {one_or_list(answers.as_written('receipts_channel'))}",
        f"request_expires_after: 1h{_beside('request_expires_after: 1h', 'a request that nobody answers')}",
        f"{_GROUPS}\ngroups:\n{block(answers.as_written('groups'), 2)}",
        *_panic_group(given.security),
        f"{_RULES}\nrules:\n{_rules(answers)}",
        f"# What is active, on weekdays at nine; and the access review, once a month.\ndigests:\n{_digests(answers)}",
    ]
    return "\n\n".join(parts) + "\n"


def _basics(answers: Answers) -> Iterator[str]:
    given = answers.given
    for line, comment in (
        (f"timezone: {scalar(given.timezone)}", "for schedules and opening hours; readers see their own clock"),
        (f"email_domains: {listed(given.email_domains)}", "a person is known by one address in these"),
    ):
        yield line + _beside(line, comment)


def _beside(line: str, comment: str) -> str:
    return f"{' ' * max(2, _BESIDE - len(line))}# {comment}"


def _connections(answers: Answers) -> str:
    found: Mapping[str, Mapping[str, object]] = answers.as_written("connections")
    return "\n".join(f"  {scalar(name)}:\n{block(keys, 4)}" for name, keys in found.items())


def _panic_group(security: str | None) -> Iterator[str]:
    if security:
        line = f"panic_group: {scalar(security)}"
        yield line + _beside(line, "may revoke everywhere, and lifts the suspension of accounts")


def _rules(answers: Answers) -> str:
    ticket = flow(answers.as_written("ticket") or answers.given.ticket)
    return f"""\
  production:
    read:
      approve: {{owners: 1}}
      durations: [30m, 1h, 4h]
      max_duration: 4h
    change:
      approve: {{owners: 1}}
      durations: [15m, 30m, 1h]
      max_duration: 2h
      ticket: {ticket}
    admin:
      approve: {_two_people(answers)}
      durations: [15m, 30m, 1h]
      max_duration: 1h
      ticket: {ticket}
  staging:
    admin:
      approve: {{owners: 1}}
      durations: [1h, 4h]
      max_duration: 8h
    any:
      approve: {{owners: 1}}              # for more than an hour
      durations: [1h, 4h, 8h]
      max_duration: 8h
      auto_approve:
        - {{name: the team in its own staging, who: [requesters], max_duration: 1h}}
  development:
    any:
      durations: [8h]
      max_duration: 1d
      auto_approve:
        - {{name: own development, who: [requesters]}}"""


def _two_people(answers: Answers) -> str:
    """One of the owners and one of security; where they are the same people, two of these."""
    security = answers.given.security
    owners = {name for item in answers.given.environments.values() for name in item.owners}
    if security is None or security in owners:
        return "{owners: 2}              # two people"
    return f"{{owners: 1, {scalar(security)}: 1}}  # two people, one of each"


def _digests(answers: Answers) -> str:
    channel = one_or_list(answers.as_written("receipts_channel"))
    return (
        f'  - {{channel: {channel}, schedule: "0 9 * * 1-5"}}\n'
        f'  - {{channel: {channel}, schedule: "0 9 1 * *", report: 30d}}'
    )


def _roles(answers: Answers) -> str:
    written: Mapping[str, Mapping[str, object]] = answers.as_written("roles")
    roles = "\n\n".join(f"  {scalar(name)}:\n{block(keys, 4)}" for name, keys in written.items())
    return f"{_ROLES_HEAD}\nroles:\n{roles}\n"


def _environment(answers: Answers, name: str) -> str:
    given = answers.given.environments[name]
    lines = [
        "# yaml-language-server: $schema=../schema/environment.json",
        "#",
        f"# {in_comment(given.title or name)}",
        "# Who owns it, who may ask, and for what. What is not said here comes from the rules of its tier in prodaccess.yaml.",
        "# Let code owners guard this file: whoever changes it decides who gets in.",
        f"environment: {scalar(name)}",
        f"title: {scalar(given.title or name)}",
        f"tier: {given.tier}",
        *_optional(answers, name, "connection"),
        *_optional(answers, name, "account"),
        _commented(f"owners: {listed(given.owners)}", "may approve; never what they asked for themselves"),
        _commented(f"requesters: {listed(given.requesters)}", "may ask"),
        *_approvals(answers, name),
        *_roles_here(answers, given),
        *_break_glass(answers, given),
        *_escalation(answers, given),
    ]
    return "\n".join(lines) + "\n"


def _commented(line: str, comment: str) -> str:
    return line + _beside(line, comment)


def _optional(answers: Answers, name: str, key: str) -> Iterator[str]:
    value = answers.as_written("environments", name, key)
    if value is not None:
        yield f"{key}: {flow(value)}"


def _approvals(answers: Answers, name: str) -> Iterator[str]:
    channel = answers.as_written("environments", name, "approvals_channel")
    if channel is None:
        yield "# Without approvals_channel the owners get cards as direct messages."
    else:
        yield _commented(f"approvals_channel: {one_or_list(channel)}", "where approval cards stand")


def _roles_here(answers: Answers, given: EnvironmentAnswer) -> Iterator[str]:
    yield "roles:"
    yield from (f"  {scalar(role)}: {{}}" for role in given.roles or roles_of(answers))


def _break_glass(answers: Answers, given: EnvironmentAnswer) -> Iterator[str]:
    """Only for who is on call."""
    if not given.on_call:
        return
    yield "break_glass:                            # emergency access: at once, seen by everybody, reviewed afterwards"
    yield f"  who: {listed(given.on_call)}"
    yield f"  roles: {listed(given.roles or roles_of(answers))}"
    yield "  max_duration: 30m"
    yield "  max_per_day: 3"
    yield "  review_within: 24h"


def _escalation(answers: Answers, given: EnvironmentAnswer) -> Iterator[str]:
    security = answers.given.security
    if given.tier == "production" and security and security not in given.owners:
        line = f"escalate: {{after: 10m, to: {listed([security])}}}"
        yield _commented(line, "mentioned when nobody answers; they cannot approve")
