"""Groups that the policy keeps elsewhere: in a chat, in Identity Center, in PagerDuty, behind an address. Each is asked once."""

from __future__ import annotations

from collections.abc import Iterator

from bot.doctor.context import Context, elsewhere
from bot.doctor.directories import Directories, Members
from workflows.core.finding import Finding, broken, ok, skipped, unknown
from workflows.core.policy import Group


def look(context: Context) -> Iterator[Finding]:
    policy = context.policy
    if policy is None:
        yield skipped("groups.source", "groups", "the policy folder is not valid")
        return
    directories = Directories.of(context, policy)
    for group in policy.groups.values():
        if group.source is not None:
            yield _told(context, group, directories.members(group))


def _told(context: Context, group: Group, found: Members) -> Finding:
    what = f"{group.name} ({_where(group)})"
    if found.absent and not context.needs("worker"):
        return skipped("groups.source", what, found.absent, elsewhere("worker"))
    if (group.slack_usergroup or group.entra_group) and not found.known and not found.certain:
        # The chat itself has a line for that, with what to do.
        chat = "Slack" if group.slack_usergroup else "Teams"
        if found.absent:
            return skipped("groups.source", what, f"{found.absent}: see {chat}")
        return unknown("groups.source", what, f"{found.why}: see {chat}")
    if not found.known:
        words = f"nobody is known to be in it: {found.absent or found.why}"
        return broken("groups.source", what, words, _mend(group))
    return ok("groups.source", what, f"{len(found)} in it")


def _where(group: Group) -> str:
    return next(
        words
        for given, words in (
            (group.slack_usergroup, f"Slack user group {group.slack_usergroup}"),
            (group.entra_group, f"Entra group {group.entra_group}"),
            (group.identity_center_group, f"Identity Center group {group.identity_center_group}"),
            (group.pagerduty_schedule, f"PagerDuty schedule {group.pagerduty_schedule}"),
            (group.https, "a list behind an https address"),
        )
        if given
    )


def _mend(group: Group) -> str:
    if group.slack_usergroup:
        return "enable that user group in Slack, or name another in the policy; the app needs usergroups:read"
    if group.entra_group:
        return "look at its object id in Entra; the app needs GroupMember.Read.All with admin consent"
    if group.identity_center_group:
        return "look at its name in Identity Center; deploy/aws/worker-policy.policy-groups.json has the rights"
    name = f" {group.token_env}" if group.token_env else ""
    if group.pagerduty_schedule:
        return f"look at the token{name} where the worker runs, at the schedule's id, and at PAGERDUTY_API_URL"
    return f"look at the address and its token{name} where the worker runs; docs/policy.md has the answer's form"
