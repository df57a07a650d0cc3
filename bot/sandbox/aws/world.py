"""The simulated world: filled from a spec, read as it truly is, and changed behind the bot's back."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.sandbox.aws.evaluate import ends_at
from bot.sandbox.aws.spec import AssignmentSpec, PersonSpec, WorldSpec
from bot.sandbox.aws.state import State

_TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
)


@dataclass(frozen=True, order=True)
class Assignment:
    """One assignment that exists: `principal` is an address or a group's name."""

    principal: str
    permission_set: str
    account: str


@dataclass(frozen=True)
class InlinePolicy:
    """One inline policy that exists; `ends_at` is when it stops allowing by its own conditions, None for never."""

    document: dict[str, Any]
    ends_at: datetime | None


class World:
    """What is true now, whatever faults are played. Due operations are settled before each look."""

    def __init__(
        self,
        state: State,
        lock: AbstractContextManager[Any],
        before_change: Callable[[], None],
        settle: Callable[[], None],
    ) -> None:
        self._state = state
        self._lock = lock
        self._before_change = before_change
        self._settle = settle

    @property
    def spec(self) -> WorldSpec:
        """The spec that the world was seeded from."""
        return self._state.spec

    def seed(self, spec: WorldSpec) -> None:
        """Empties all of moto and fills it from `spec`."""
        with self._lock:
            self._state.wipe()
            self._state.spec = spec
            _seed_identity_center(self._state)
            _seed_iam(self._state)
            for assignment in spec.assignments:
                self.assign(assignment.principal, assignment.permission_set, assignment.account)

    def assignments(self) -> set[Assignment]:
        """All assignments, of people and of groups."""
        with self._looking():
            names = _names(self._state)
            sets = {entry.permission_set_arn: entry.name for entry in self._state.sso.permission_sets}
            return {
                Assignment(
                    names.get(entry.principal_id, entry.principal_id),
                    sets.get(entry.permission_set_arn, entry.permission_set_arn),
                    entry.target_id,
                )
                for entry in self._state.sso.account_assignments
            }

    def who_has(self, permission_set: str, account: str) -> set[str]:
        """The addresses of all who have a permission set in an account, directly or through a group."""
        found: set[str] = set()
        for entry in self.assignments():
            if (entry.permission_set, entry.account) == (permission_set, account):
                found |= {entry.principal} if "@" in entry.principal else self.group_members(entry.principal)
        return found

    def group_members(self, group: str) -> set[str]:
        """The addresses of the members of an identity store group."""
        with self._looking():
            names, group_id = _names(self._state), self._group(group)
            memberships = self._state.store.group_memberships.values()
            return {names[entry["MemberId"]["UserId"]] for entry in memberships if entry["GroupId"] == group_id}

    def iam_policies(self, user: str, account: str | None = None) -> dict[str, InlinePolicy]:
        """An IAM user's inline policies by name."""
        with self._looking():
            texts = dict(self._state.iam(account or self.spec.home_account).users[user].policies)
        documents = {name: json.loads(text) for name, text in texts.items()}
        return {name: InlinePolicy(document, ends_at(document)) for name, document in documents.items()}

    def iam_role_policies(self, role: str, account: str | None = None) -> dict[str, InlinePolicy]:
        """An IAM role's inline policies by name."""
        with self._looking():
            roles = self._state.iam(account or self.spec.home_account).roles.values()
            texts = dict(next(one for one in roles if one.name == role).policies)
        documents = {name: json.loads(text) for name, text in texts.items()}
        return {name: InlinePolicy(document, ends_at(document)) for name, document in documents.items()}

    def iam_group_members(self, group: str, account: str | None = None) -> set[str]:
        """The names of the users in an IAM group."""
        with self._looking():
            return {user.name for user in self._state.iam(account or self.spec.home_account).groups[group].users}

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data, for other processes."""
        with self._looking():
            groups = [group.DisplayName for group in self._state.store.groups.values()]
            accounts = list(self._state.iam_accounts())
            return {
                "assignments": [asdict(entry) for entry in sorted(self.assignments())],
                "groups": {name: sorted(self.group_members(name)) for name in groups},
                "iam_policies": {
                    account: {
                        user.name: {name: json.loads(text) for name, text in user.policies.items()}
                        for user in iam.users.values()
                    }
                    for account, iam in accounts
                },
                "iam_role_policies": {
                    account: {
                        role.name: {name: json.loads(text) for name, text in role.policies.items()}
                        for role in iam.roles.values()
                    }
                    for account, iam in accounts
                },
                "iam_groups": {
                    account: {group.name: sorted(user.name for user in group.users) for group in iam.groups.values()}
                    for account, iam in accounts
                },
            }

    # Changes by somebody else: standing access, and drift.

    def assign(self, principal: str, permission_set: str, account: str) -> None:
        """Gives a person or group a permission set; nothing happens where they have it."""
        with self._changing():
            arguments = self._arguments(principal, permission_set, account)
            if self._state.find_assignment(arguments) is None:
                self._state.sso.create_account_assignment(
                    self.spec.instance_arn,
                    account,
                    "AWS_ACCOUNT",
                    arguments["PermissionSetArn"],
                    arguments["PrincipalType"],
                    arguments["PrincipalId"],
                )

    def unassign(self, principal: str, permission_set: str, account: str) -> None:
        """Takes a permission set away; nothing happens where it is not there."""
        with self._changing():
            entry = self._state.find_assignment(self._arguments(principal, permission_set, account))
            if entry is not None:
                self._state.sso.account_assignments.remove(entry)

    def join(self, email: str, group: str) -> None:
        """Puts a person into an identity store group."""
        with self._changing():
            if email not in self.group_members(group):
                member = {"UserId": self.spec.user_id(email)}
                self._state.store_backend.create_group_membership(
                    self.spec.identity_store_id, self._group(group), member
                )

    def leave(self, email: str, group: str) -> None:
        """Takes a person out of an identity store group."""
        with self._changing():
            memberships, key = self._state.store.group_memberships, (self._group(group), self.spec.user_id(email))
            for name, entry in list(memberships.items()):
                if (entry["GroupId"], entry["MemberId"]["UserId"]) == key:
                    del memberships[name]

    def remove_person(self, email: str) -> None:
        """Removes a user from the identity store, as a leaver is removed."""
        with self._changing():
            self._state.store.users.pop(self.spec.user_id(email), None)

    def rename_person(self, id_: str, email: str) -> None:
        """Gives a user of the identity store another address, under the id that it has."""
        with self._changing():
            users = self._state.store.users
            emails = [{"Value": email, "Type": "work", "Primary": True}]
            users[id_] = users[id_]._replace(UserName=email, Emails=emails)

    def add_person(self, person: PersonSpec, id_: str = "") -> None:
        """Makes a user of the identity store; `id_`: one made anew has another id than its spec's."""
        with self._changing():
            _seed_person(self._state, person)
            if id_:
                users = self._state.store.users
                users[id_] = users.pop(person.id)._replace(UserId=id_)

    def _arguments(self, principal: str, permission_set: str, account: str) -> dict[str, str]:
        person = "@" in principal
        return {
            "TargetId": account,
            "PermissionSetArn": self.spec.permission_set_arn(permission_set),
            "PrincipalType": "USER" if person else "GROUP",
            "PrincipalId": self.spec.user_id(principal) if person else self._group(principal),
        }

    def _group(self, name: str) -> str:
        return next((group.GroupId for group in self._state.store.groups.values() if group.DisplayName == name), name)

    @contextmanager
    def _looking(self) -> Iterator[None]:
        with self._lock:
            self._settle()
            yield

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._looking():
            self._before_change()
            yield


def _names(state: State) -> dict[str, str]:
    """Ids of people and groups -> addresses and names."""
    people = {
        user.UserId: user.Emails[0]["Value"] if user.Emails else user.UserName for user in state.store.users.values()
    }
    return people | {group.GroupId: group.DisplayName for group in state.store.groups.values()}


def _seed_identity_center(state: State) -> None:
    spec, sso, store = state.spec, state.sso, state.store
    instance = sso.instances[0]
    instance.instance_arn, instance.identity_store_id = spec.instance_arn, spec.identity_store_id
    for entry in spec.permission_sets:
        sso.create_permission_set(entry.name, entry.name, spec.instance_arn, entry.session, "", [])
        sso.permission_sets[-1].permission_set_arn = entry.arn(spec.instance_arn)
    for person in spec.people:
        _seed_person(state, person)
    for group, members in spec.groups.items():
        made, _ = state.store_backend.create_group(spec.identity_store_id, group, group)
        group_id = spec.group_id(group)
        store.groups[group_id] = store.groups.pop(made)._replace(GroupId=group_id)
        for email in members:
            state.store_backend.create_group_membership(
                spec.identity_store_id, group_id, {"UserId": spec.user_id(email)}
            )


def _seed_person(state: State, person: PersonSpec) -> None:
    store, name = state.store, {"GivenName": person.given, "FamilyName": person.family}
    emails = [{"Value": person.email, "Type": "work", "Primary": True}] if person.mail else None
    rest: list[Any] = ["", "", emails, [], [], "", "", "", "", ""]
    shown = f"{person.given} {person.family}"
    called = person.user_name or person.email
    made, _ = state.store_backend.create_user(state.spec.identity_store_id, called, name, shown, *rest)
    store.users[person.id] = store.users.pop(made)._replace(UserId=person.id)


def _seed_iam(state: State) -> None:
    spec = state.spec
    for user in spec.iam_users:
        tags = [{"Key": "prodaccess:person", "Value": user.person}] if user.person else []
        made = state.iam(user.account).create_user(spec.region, user.name, "/", tags)
        for name, document in user.policies.items():
            made.put_policy(name, json.dumps(document))
    for group in spec.iam_groups:
        state.iam(group.account).create_group(group.name)
        for member in group.members:
            state.iam(group.account).add_user_to_group(group.name, member)
    for role in spec.iam_roles:
        trust = json.dumps(role.trust) if role.trust else _TRUST
        tags = [{"Key": "prodaccess:gate", "Value": role.gate}] if role.gate else []
        state.iam(role.account).create_role(role.name, trust, role.path, None, "", tags, "3600")
    for bucket in spec.buckets:
        made = state.s3().create_bucket(bucket.name, spec.region)
        if bucket.object_lock:
            made.object_lock_enabled, made.versioning_status = True, "Enabled"


__all__ = ["Assignment", "AssignmentSpec", "InlinePolicy", "World"]
