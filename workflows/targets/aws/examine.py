"""Whether what the policy names is there in AWS, and whether the worker may use it: by calls that change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import partial

from workflows.core.finding import Finding, State, apart, broken, ok, skipped, unknown
from workflows.core.question import Question
from workflows.targets.aws import compare_rights, rights
from workflows.targets.aws.asking import SEE, attempt
from workflows.targets.aws.compare_rights import Seen
from workflows.targets.aws.connections import Link, Place
from workflows.targets.aws.deeds import may_look
from workflows.targets.aws.examine_people import people
from workflows.targets.aws.examine_roles import pipeline_roles
from workflows.targets.aws.iam_group import group_id
from workflows.targets.aws.identity_store import IdentityStore
from workflows.targets.aws.kinds import OF_IDENTITY_CENTER, AwsKind
from workflows.targets.aws.permission_sets import Instance, PermissionSet, PermissionSets
from workflows.targets.aws.role_rights.ids import CenterIds
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import AwsConnection, own_connection
from workflows.targets.aws.wanted import Wanted, entitlements_of

# At six calls a second there is time for so many in one look.
ACCOUNTS_MAX = 40
# And for so many in which a role is taken on.
ACTIVITY_MAX = 10
_OR_THE_ROLE = "or correct the role in roles.yaml"


def examine(targets: AwsTargets, question: Question) -> Iterator[Finding]:
    seen: list[Seen] = []
    for connection in question.connections:
        own = own_connection(connection)
        link = targets.links.to(Place.of_connection(own))
        wanted = Wanted(own, entitlements_of(question, own.name), question.holders)
        yield from _connection(targets, link, wanted, question, seen)
    yield from compare_rights.roles(seen, question)


def _connection(
    targets: AwsTargets, link: Link, wanted: Wanted, question: Question, seen: list[Seen]
) -> Iterator[Finding]:
    what = f"connection {wanted.connection.name}"
    mend = f"look at the credentials of the worker, and at role_arn or profile of the connection; {SEE}"
    who = attempt("targets.credentials", what, partial(rights.identity, link), mend)
    if isinstance(who, Finding):
        yield who
        return
    yield ok("targets.credentials", what, f"{who.arn}, account {who.account}")
    yield from _clock(who.date, question)
    there = _There(link, wanted)
    if wanted.kinds & OF_IDENTITY_CENTER:
        yield from there.identity_center()
    yield from _iam_groups(link, wanted, who.account)
    yield from people(targets, wanted)
    yield from pipeline_roles(targets, wanted)
    yield from _activity(targets, wanted, who.account)
    for plea in there.pleas(who.account):
        yield rights.examined(link, who, plea)
    seen.append(Seen(link, who, wanted, there.ids()))


def _clock(date: str, question: Question) -> Iterator[Finding]:
    """An end that AWS itself enforces is by AWS's clock."""
    try:
        theirs_s = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return
    # It says whole seconds.
    yield apart("targets.clock", "AWS's clock", theirs_s + 0.5 - question.wall_s())


def _iam_groups(link: Link, wanted: Wanted, account: str) -> Iterator[Finding]:
    for name in wanted.names(AwsKind.IAM_GROUP, "group"):
        what = f"IAM group {name}"
        mend = f"aws iam create-group --group-name {name}, {_OR_THE_ROLE}"
        found = attempt("targets.iam-group", what, partial(group_id, link, name), mend)
        if isinstance(found, Finding):
            yield found
        elif found is None:
            yield broken("targets.iam-group", what, f"there is none in account {account}", mend)
        else:
            yield ok("targets.iam-group", what, f"it is there, in account {account}")


def _activity(targets: AwsTargets, wanted: Wanted, account: str) -> Iterator[Finding]:
    """Whether it can be looked up what was done with access. The worker's work does not need that."""
    own, given_in = wanted.connection, [*wanted.accounts()]
    if not own.activity_role:
        elsewhere = [one for one in given_in if one != account]
        if elsewhere:
            words = f"the worker's account is {account}: what is done in {len(elsewhere)} others it cannot look up"
            yield skipped("targets.activity", "CloudTrail", words, f"activity_role of the connection; {SEE}")
        given_in = [account] if account in given_in or wanted.kinds - OF_IDENTITY_CENTER else []
    for one in given_in[:ACTIVITY_MAX]:
        what, region = f"CloudTrail in account {one}", (own.activity_regions or (own.region,))[0]
        mend = f"{SEE}, worker-policy.activity.json; without it `prodaccess activity` does not know"
        found = attempt("targets.activity", what, partial(_looked, targets, own, one, region), mend)
        if found is True:
            yield ok("targets.activity", what, f"the worker may look at what was done, in {region}")
        elif isinstance(found, Finding):
            # Nobody has asked for it where no role is named.
            yield replace(found, mend=mend, state=found.state if own.activity_role else State.SKIPPED)


def _looked(targets: AwsTargets, own: AwsConnection, account: str, region: str) -> bool:
    may_look(targets.links, own, account, region)
    return True


class _There:
    """What was found in Identity Center through one connection, for the question whether the worker may use it."""

    def __init__(self, link: Link, wanted: Wanted) -> None:
        self._link, self._wanted = link, wanted
        self._instance: Instance | None = None
        self._sets: dict[str, PermissionSet] = {}
        self._groups: dict[str, str] = {}

    def identity_center(self) -> Iterator[Finding]:
        sets, arn = PermissionSets(self._link), self._wanted.connection.instance_arn
        mend = f"name it with instance_arn, or look at the region of the connection; {SEE}"
        found = attempt("targets.instance", "instance", partial(sets.instance, arn), mend)
        if isinstance(found, Finding):
            yield found
            return
        self._instance = found
        yield ok("targets.instance", "instance", f"{found.arn}, identity store {found.store}")
        yield from self._permission_sets(sets, found)
        yield from self._accounts(sets, found)
        yield from self._store_groups(found)

    def _permission_sets(self, sets: PermissionSets, instance: Instance) -> Iterator[Finding]:
        for name in self._wanted.names(AwsKind.IDENTITY_CENTER, "permission_set"):
            what = f"permission set {name}"
            mend = f"make it in Identity Center, {_OR_THE_ROLE}"
            found = attempt("targets.permission-set", what, partial(sets.permission_set, instance, name), mend)
            if isinstance(found, PermissionSet):
                self._sets[name] = found
                yield ok("targets.permission-set", what, f"it is there; sessions last {found.session_s // 60} min")
            else:
                yield found

    def _accounts(self, sets: PermissionSets, instance: Instance) -> Iterator[Finding]:
        wanted = list(self._wanted.accounts().items())
        for account, environments in wanted[:ACCOUNTS_MAX]:
            yield self._account(sets, instance, account, f"account {account} ({', '.join(environments)})")
        if len(wanted) > ACCOUNTS_MAX:
            words = f"{len(wanted) - ACCOUNTS_MAX} more were not asked about: one look asks about so many"
            yield skipped("targets.account", "accounts", words)

    def _account(self, sets: PermissionSets, instance: Instance, account: str, what: str) -> Finding:
        mend = "correct `account` in the environment's file"
        found = rights.account(self._link, account)
        if found is False:
            return broken("targets.account", what, "the organisation has no such account", mend)
        if found == "ACTIVE":
            return ok("targets.account", what, "it is in the organisation, and active")
        if found is not None:
            return broken("targets.account", what, f"AWS calls it {found}", mend)
        # The worker may not ask the organisation, and need not: what it may read of the account says something, too.
        one = next(iter(self._sets.values()), None)
        if one is None:
            return skipped("targets.account", what, "there is no permission set to look with")
        held = attempt("targets.account", what, partial(sets.assigned, instance, account, one.arn), mend)
        if isinstance(held, Finding):
            return held
        if held is None:
            return unknown("targets.account", what, "the worker may not look at who holds what there", SEE)
        words = "the worker may look at it; whether it exists it may not ask (organizations:DescribeAccount)"
        return ok("targets.account", what, words)

    def _store_groups(self, instance: Instance) -> Iterator[Finding]:
        store = IdentityStore(self._link, self._wanted.connection.match)
        for name in self._wanted.names(AwsKind.IDENTITY_CENTER_GROUP, "group"):
            what = f"group {name}"
            mend = f"make it in Identity Center, {_OR_THE_ROLE}"
            found = attempt("targets.group", what, partial(store.group, instance.store, name), mend)
            if isinstance(found, Finding):
                yield found
            else:
                self._groups[name] = found
                yield ok("targets.group", what, "it is there, in Identity Center")

    def ids(self) -> CenterIds | None:
        """None where something that the policy names was not found."""
        names = self._wanted.names
        sets, groups = (
            names(AwsKind.IDENTITY_CENTER, "permission_set"),
            names(AwsKind.IDENTITY_CENTER_GROUP, "group"),
        )
        if self._instance is None:
            return None if sets or groups else CenterIds("", "", "")
        if self._sets.keys() != set(sets) or self._groups.keys() != set(groups):
            return None
        found = {name: one.arn for name, one in self._sets.items()}
        return CenterIds(self._instance.arn, self._instance.store, self._instance.owner, found, dict(self._groups))

    def pleas(self, account: str) -> Iterator[rights.Plea]:
        """By resource, as deploy/aws names them: a list there is a limit of its own."""
        wanted, partition, instance = self._wanted, self._wanted.connection.partition, self._instance
        if instance is not None and self._sets:
            accounts = [f"arn:{partition}:sso:::account/{one}" for one in wanted.accounts()]
            things = (instance.arn, *(one.arn for one in self._sets.values()), *accounts)
            yield rights.Plea("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment", things)
        for gives, takes, begin, names in (
            (
                "identitystore:CreateGroupMembership",
                "identitystore:DeleteGroupMembership",
                "identitystore:::group",
                tuple(self._groups.values()),
            ),
            (
                "iam:AddUserToGroup",
                "iam:RemoveUserFromGroup",
                f"iam::{account}:group",
                wanted.names(AwsKind.IAM_GROUP, "group"),
            ),
            ("iam:PutUserPolicy", "iam:DeleteUserPolicy", f"iam::{account}:user", wanted.users()),
            (
                "iam:PutRolePolicy",
                "iam:DeleteRolePolicy",
                f"iam::{account}:role",
                wanted.names(AwsKind.IAM_ROLE_POLICY, "role"),
            ),
        ):
            if names:
                yield rights.Plea(gives, takes, tuple(f"arn:{partition}:{begin}/{name}" for name in names))
