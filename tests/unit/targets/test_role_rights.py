"""What is printed for the worker's role: each statement stops an attack that nothing else stops, nothing that the worker needs is
denied, and all of it fits into AWS.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.aws.evaluate import allows
from bot.sandbox.aws.spec import EXAMPLE
from tests.support.role_rights import ACCOUNT, ROLE, example_scope
from workflows.targets.aws.role_rights.covers import Right, compared, read, rights_of
from workflows.targets.aws.role_rights.documents import Part, rendered
from workflows.targets.aws.role_rights.ids import IdsUnreadable, written
from workflows.targets.aws.role_rights.ids import read as read_ids
from workflows.targets.aws.role_rights.never import by_the_boundary, by_the_guardrail
from workflows.targets.aws.role_rights.scope import Archive, Center, Scope
from workflows.targets.aws.role_rights.statement import CONTROL_MAX, MANAGED_MAX, Statement, document, merged, packed
from workflows.targets.aws.role_rights.worker import needed, signs, worker

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/keeper"
ROLES = (f"arn:aws:iam::{ACCOUNT}:role/elsewhere",)
SCOPE = example_scope(EXAMPLE, key=KEY, roles=ROLES, pipelines=("orders-deploy",))
SETS = f"arn:aws:sso:::permissionSet/{EXAMPLE.instance_arn.rpartition('/')[2]}"
USER, OTHER = f"arn:aws:iam::{ACCOUNT}:user/dana", f"arn:aws:iam::{ACCOUNT}:user/ci"
OBJECT, BUCKET = "arn:aws:s3:::prodaccess-audit/runs/1.json", "arn:aws:s3:::prodaccess-audit"
LOCKED = {"s3:object-lock-mode": "COMPLIANCE", "s3:object-lock-remaining-retention-days": "30"}
BOUNDED = {
    "aws:ResourceTag/prodaccess:person": "dana@example.com",
    "iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/prodaccess-boundary",
}
PIPELINE = f"arn:aws:iam::{ACCOUNT}:role/orders-deploy"
GATED = {
    "aws:ResourceTag/prodaccess:gate": "orders-prod",
    "iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/prodaccess-pipeline-boundary",
}
WORKER, SOMEBODY = {"aws:PrincipalArn": ROLE}, {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/somebody"}


def denied_by(statements: tuple[Statement, ...], action: str, thing: str, context: dict[str, str]) -> set[str]:
    """Sids of those that deny it: what is allowed elsewhere is allowed no more beside one of them."""
    everything = Statement("All", ("*",))
    return {
        each.sid
        for each in statements
        if each.effect == "Deny" and not allows(document([everything, each]), action, thing, NOW, context)
    }


# What somebody with all other rights would do, on what, as whom -> the one statement that stops it.
TO_THE_WORKER: dict[str, tuple[str, str, dict[str, str]]] = {
    "NeverItself": ("iam:DeleteRolePermissionsBoundary", ROLE, {}),
    "NeverItsOwnPolicies": ("iam:DeletePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/prodaccess-worker-2", {}),
    "NeverWhatOutlivesTheEnd": ("iam:CreateAccessKey", USER, {}),
    "NeverAnotherPermissionSet": ("sso:CreateAccountAssignment", f"{SETS}/ps-0000000000000000", {}),
    "NeverInAnotherAccount": ("sso:CreateAccountAssignment", "arn:aws:sso:::account/999999999999", {}),
    "NeverIntoAnotherGroup": ("identitystore:CreateGroupMembership", "arn:aws:identitystore:::group/admins", {}),
    "NeverIntoAnotherIamGroup": ("iam:AddUserToGroup", f"arn:aws:iam::{ACCOUNT}:group/admins", {}),
    "NeverOnAnotherUser": ("iam:PutUserPolicy", OTHER, BOUNDED),
    "NeverOnAnUntaggedUser": (
        "iam:PutUserPolicy",
        USER,
        {"iam:PermissionsBoundary": BOUNDED["iam:PermissionsBoundary"]},
    ),
    "NeverOutsideTheirBoundary": ("iam:PutUserPolicy", USER, {"aws:ResourceTag/prodaccess:person": "dana@example.com"}),
    "NeverOnAnotherRole": ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/admin", GATED),
    "NeverOnAnUntaggedRole": (
        "iam:PutRolePolicy",
        PIPELINE,
        {"iam:PermissionsBoundary": GATED["iam:PermissionsBoundary"]},
    ),
    "NeverOutsideItsBoundary": ("iam:PutRolePolicy", PIPELINE, {"aws:ResourceTag/prodaccess:gate": "orders-prod"}),
    "NeverAnotherRole": ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin", {}),
    "ArchiveOnlyReadAndWritten": ("s3:PutBucketPolicy", BUCKET, {}),
    "ArchiveOnlyInComplianceMode": ("s3:PutObject", OBJECT, {**LOCKED, "s3:object-lock-mode": "GOVERNANCE"}),
    "ArchiveOnlyForSoLong": ("s3:PutObject", OBJECT, {**LOCKED, "s3:object-lock-remaining-retention-days": "1"}),
    "NeverTheKey": ("kms:ScheduleKeyDeletion", KEY, {}),
}
TO_EVERYBODY: dict[str, tuple[str, str, dict[str, str]]] = {
    "NobodyChangesTheWorkersRole": ("iam:UpdateAssumeRolePolicy", ROLE, SOMEBODY),
    "NobodyChangesWhatTheWorkerMay": (
        "iam:CreatePolicyVersion",
        f"arn:aws:iam::{ACCOUNT}:policy/prodaccess-worker",
        SOMEBODY,
    ),
    "NobodySaysWhoseAUserIs": ("iam:TagUser", USER, {"aws:TagKeys": "prodaccess:person", **SOMEBODY}),
    "NobodyUnlocksTheArchive": ("s3:PutBucketObjectLockConfiguration", BUCKET, {"aws:PrincipalArn": ADMIN}),
    "ArchiveOnlyReadAndWritten": ("s3:PutBucketPolicy", BUCKET, SOMEBODY),
    "OnlyTheWorkerWritesTheArchive": ("s3:PutObject", OBJECT, {**LOCKED, **SOMEBODY}),
    "NobodyThrowsTheKeyAway": ("kms:DisableKey", KEY, {"aws:PrincipalArn": ADMIN}),
    "NobodyOpensTheKeyToOthers": ("kms:PutKeyPolicy", KEY, SOMEBODY),
    # An administrator may do anything with a key whose policy leaves that to IAM.
    "OnlyTheWorkerSigns": ("kms:Sign", KEY, {"aws:PrincipalArn": ADMIN}),
    "TheAccountStaysInItsOrganisation": ("organizations:LeaveOrganization", "*", {"aws:PrincipalArn": ADMIN}),
}
OF_THE_WORKER = {
    sid: (action, thing, {**context, **WORKER})
    for sid, (action, thing, context) in TO_THE_WORKER.items()
    if sid not in ("NeverItself", "NeverItsOwnPolicies", "NeverTheKey", "ArchiveOnlyReadAndWritten")
}
BOUNDARY, GUARDRAIL = by_the_boundary(SCOPE), by_the_guardrail(SCOPE, (ADMIN,))


def test_each_statement_has_an_attack() -> None:
    assert {each.sid for each in BOUNDARY} == TO_THE_WORKER.keys()
    assert {each.sid for each in GUARDRAIL} == {**TO_EVERYBODY, **OF_THE_WORKER}.keys()


@pytest.mark.parametrize("sid", TO_THE_WORKER)
def test_what_the_worker_would_do_beyond_the_policy_is_stopped_by_one_statement_of_its_boundary(sid: str) -> None:
    assert denied_by(BOUNDARY, *TO_THE_WORKER[sid]) == {sid}


@pytest.mark.parametrize("sid", [*TO_EVERYBODY, *OF_THE_WORKER])
def test_what_somebody_would_do_to_it_is_stopped_by_one_statement_of_the_guardrail(sid: str) -> None:
    assert denied_by(GUARDRAIL, *{**OF_THE_WORKER, **TO_EVERYBODY}[sid]) == {sid}


def test_who_keeps_the_role_may_change_it_and_settings_but_unlock_nothing() -> None:
    keeper = {"aws:PrincipalArn": ADMIN}
    for action, thing in (("iam:PutRolePolicy", ROLE), ("s3:PutBucketTagging", BUCKET), ("kms:PutKeyPolicy", KEY)):
        assert not denied_by(GUARDRAIL, action, thing, keeper)
        assert denied_by(by_the_guardrail(SCOPE), action, thing, keeper)


def test_root_of_another_account_is_a_role_too_many_and_a_closed_account_keeps_no_archive() -> None:
    for statements in (BOUNDARY, GUARDRAIL):
        assert denied_by(statements, "sts:AssumeRoot", f"arn:aws:iam::{ACCOUNT}:root", WORKER) >= {
            "NeverWhatOutlivesTheEnd"
        }
    assert denied_by(GUARDRAIL, "account:CloseAccount", "*", SOMEBODY) == {"TheAccountStaysInItsOrganisation"}
    assert not denied_by(GUARDRAIL, "kms:Sign", KEY, WORKER)


def test_other_tags_are_anybodys_and_without_a_keeper_onboarding_goes_on_with_a_note() -> None:
    assert not denied_by(GUARDRAIL, "iam:TagUser", USER, {"aws:TagKeys": "team", **SOMEBODY})
    assert "NobodySaysWhoseAUserIs" not in {each.sid for each in by_the_guardrail(SCOPE)}
    assert [note for note in rendered(SCOPE).notes if "whose an IAM user is" in note]


def test_the_guardrail_binds_the_worker_to_its_lists_and_nobody_else() -> None:
    action, thing, _ = TO_THE_WORKER["NeverAnotherPermissionSet"]
    assert not denied_by(GUARDRAIL, action, thing, SOMEBODY)


@pytest.mark.parametrize("denying", [BOUNDARY, GUARDRAIL], ids=["boundary", "guardrail"])
def test_nothing_that_the_worker_needs_is_denied(denying: tuple[Statement, ...]) -> None:
    for right in rights_of((*worker(replace(SCOPE, activity=True)), *signs(SCOPE))):
        context = {**WORKER, **LOCKED, **(GATED if right.thing == PIPELINE else BOUNDED)}
        assert not denied_by(denying, right.action, right.thing.replace("*", "1"), context), right


def test_a_removal_is_never_denied_whatever_it_is_of() -> None:
    gone = (
        ("sso:DeleteAccountAssignment", "arn:aws:sso:::account/999999999999"),
        ("identitystore:DeleteGroupMembership", "arn:aws:identitystore:::membership/x"),
        ("iam:DeleteUserPolicy", OTHER),
        ("iam:RemoveUserFromGroup", f"arn:aws:iam::{ACCOUNT}:group/admins"),
    )
    for action, thing in gone:
        assert not denied_by((*BOUNDARY, *GUARDRAIL), action, thing, WORKER)


def test_a_bucket_with_a_default_retention_takes_writes_that_name_none_and_no_others() -> None:
    scope = replace(SCOPE, archive=Archive("prodaccess-audit"))
    for denying in (by_the_boundary(scope), by_the_guardrail(scope)):
        assert not denied_by(denying, "s3:PutObject", OBJECT, WORKER)
        weak = {**WORKER, "s3:object-lock-mode": "GOVERNANCE"}
        assert denied_by(denying, "s3:PutObject", OBJECT, weak) == {"ArchiveOnlyInComplianceMode"}
    assert denied_by(BOUNDARY, "s3:PutObject", OBJECT, {}) == {"ArchiveOnlyInComplianceMode"}


def test_the_archives_folder_alone_is_kept_where_others_use_the_bucket() -> None:
    scope = replace(SCOPE, archive=Archive("prodaccess-audit", "log", 30))
    statements = by_the_boundary(scope)
    assert denied_by(statements, "s3:DeleteObjectVersion", "arn:aws:s3:::prodaccess-audit/log/1", {})
    assert not denied_by(statements, "s3:DeleteObjectVersion", "arn:aws:s3:::prodaccess-audit/theirs/1", {})


def test_what_is_not_used_is_denied_whole() -> None:
    nothing = Scope(ROLE, written_on=("dana",))
    sids = {each.sid for each in by_the_boundary(nothing)}
    whole = {"NeverAnAssignment", "NeverIntoADirectorysGroup", "NeverIntoAnIamGroup", "NeverARole", "NeverOnARole"}
    assert whole < sids
    assert "NeverAnInlinePolicy" in {each.sid for each in by_the_boundary(replace(SCOPE, written_on=()))}


# ---------------------------------------------------------------- exactly what the policy names


def test_no_change_is_allowed_on_more_than_the_policy_names() -> None:
    """Stars stand for people, and for memberships that have no name before they are made."""
    stars = ("arn:aws:identitystore:::user/*", "arn:aws:identitystore:::membership/*", f"{BUCKET}/*")
    changing = ("Create", "Delete", "Put", "Add", "Remove")
    for right in rights_of(needed(SCOPE)):
        if right.action.partition(":")[2].startswith(changing):
            assert "*" not in right.thing or right.thing in stars, right


def test_each_right_stands_once() -> None:
    found = [(right.action, right.thing, right.condition) for right in rights_of(worker(SCOPE))]
    assert len(set(found)) == len(found)


def test_two_statements_that_give_one_action_on_things_that_meet_become_one() -> None:
    one, other = Statement("A", ("iam:GetUser", "iam:X"), ("u/1",)), Statement("B", ("iam:GetUser",), ("u/*",))
    found = merged((one, other))
    assert [(each.sid, each.actions, each.resources) for each in found] == [
        ("A", ("iam:X",), ("u/1",)),
        ("A2", ("iam:GetUser",), ("u/*",)),
    ]
    apart = Statement("C", ("iam:GetUser",), ("v/1",))
    assert merged((one, apart)) == (one, apart)


# ---------------------------------------------------------------- it fits


def big(accounts: int, sets: int, groups: int) -> Scope:
    center = Center(
        EXAMPLE.instance_arn,
        EXAMPLE.identity_store_id,
        EXAMPLE.management_account,
        tuple(f"{number:012}" for number in range(accounts)),
        tuple(f"{SETS}/ps-{number:016x}" for number in range(sets)),
        tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(groups)),
    )
    return replace(SCOPE, centers=(center,))


@pytest.mark.parametrize("size", [(1, 1, 0), (3, 2, 1), (40, 12, 20), (125, 10, 40), (400, 20, 90)])
def test_every_document_fits_whatever_the_policys_size_or_a_sentence_says_what_it_leaves_out(size: Any) -> None:
    scope = big(*size)
    made = rendered(scope, (ADMIN,))
    for each in made.documents:
        assert each.size <= (CONTROL_MAX if each.part is Part.GUARDRAIL else MANAGED_MAX), each.name
        sids = [statement.sid for statement in each.statements]
        assert len(set(sids)) == len(sids)
        assert all(sid.isalnum() for sid in sids)
        assert json.loads(json.dumps(each.content)) == each.content
    split = rights_of(statement for each in made.of(Part.WORKER) for statement in each.statements)
    assert sorted(map(str, split)) == sorted(map(str, rights_of(worker(scope))))
    for part, of_it in ((Part.GUARDRAIL, by_the_guardrail(scope, (ADMIN,))), (Part.BOUNDARY, by_the_boundary(scope))):
        kept = {statement.sid for each in made.of(part) for statement in each.statements}
        gone = {each.sid for each in of_it} - kept
        assert all(any(sid in note or "does not deny once more" in note for note in made.notes) for sid in gone)
    assert len({each.name for each in made.documents}) == len(made.documents)


def test_the_boundary_of_a_small_policy_lists_all_and_of_a_large_one_says_what_it_does_not() -> None:
    small = replace(big(1, 1, 0), written_on=(), groups=(), grouped=(), archive=None, key="")
    small = replace(small, roles=(), pipelines=(), doctor=False)
    assert not [note for note in rendered(small).notes if "boundary" in note]
    (large,) = rendered(big(400, 20, 90)).of(Part.BOUNDARY)
    assert "NeverInAnotherAccount" not in {each.sid for each in large.statements}
    assert [note for note in rendered(big(400, 20, 90)).notes if "leaves NeverInAnotherAccount" in note]


@pytest.mark.parametrize("size", [(1, 1, 0), (3, 2, 1), (40, 12, 20), (400, 20, 90)])
def test_a_boundary_lets_the_worker_work_however_large_the_policy(size: Any) -> None:
    scope = big(*size)
    (boundary,) = rendered(scope).of(Part.BOUNDARY)
    for right in rights_of((*worker(scope), *signs(scope))):
        context = {**WORKER, **LOCKED, **(GATED if right.thing == PIPELINE else BOUNDED)}
        # One of many accounts says it for all of them.
        if ":account/" not in right.thing or right.thing.endswith(("*", "0001")):
            assert allows(boundary.content, right.action, right.thing.replace("*", "1"), NOW, context), right
    for sid in ("NeverItself", "NeverWhatOutlivesTheEnd"):
        action, thing, _ = TO_THE_WORKER[sid]
        assert not allows(boundary.content, action, thing, NOW, {**WORKER, **LOCKED, **BOUNDED})


def test_a_statement_is_split_by_its_things_and_none_is_lost() -> None:
    whole = Statement("Sid", ("a:B",), tuple(f"arn:{number:0200}" for number in range(50)))
    found = packed((whole,), 2_000)
    assert len(found) > 1
    assert [thing for group in found for each in group for thing in each.resources] == list(whole.resources)
    assert len({each.sid for group in found for each in group}) == sum(map(len, found))


def test_the_management_account_is_said_and_its_roles_are_left_to_identity_center() -> None:
    center = replace(SCOPE.centers[0], owner=ACCOUNT)
    scope = replace(SCOPE, centers=(center,))
    notes = rendered(scope).notes
    assert [note for note in notes if "do not bind" in note]
    assert [note for note in notes if "users of their own" in note]
    reserved = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_X_0"
    assert not denied_by(by_the_boundary(scope), "iam:CreateRole", reserved, {})
    assert denied_by(by_the_boundary(scope), "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/backdoor", {})


def test_control_policies_in_china_know_no_not_resource() -> None:
    china = replace(SCOPE, partition="aws-cn")
    assert not [each.sid for each in by_the_guardrail(china) if each.others_than == "resources"]
    assert [note for note in rendered(china).notes if "China" in note]


# ---------------------------------------------------------------- held against what is there


def test_what_is_there_word_for_word_is_neither_lacking_nor_more() -> None:
    held = read([each.content for each in rendered(SCOPE).of(Part.WORKER)])
    found = compared(rights_of(needed(SCOPE)), rights_of(worker(SCOPE)), held)
    assert (found.lacking, found.unsure, found.more) == ((), (), ())


@pytest.mark.parametrize("sid", [each.sid for each in needed(SCOPE)])
def test_each_statement_that_is_gone_is_lacking(sid: str) -> None:
    rest = [each for each in needed(SCOPE) if each.sid != sid]
    found = compared(rights_of(needed(SCOPE)), (), read([document(rest)]))
    gone = [each for each in needed(SCOPE) if each.sid == sid]
    assert set(found.lacking) == set(rights_of(gone))


def test_what_is_there_beside_is_more_and_what_a_condition_narrows_is_not_known() -> None:
    star = Statement("Star", ("iam:*",))
    found = compared(rights_of(needed(SCOPE)), (), read([document([*needed(SCOPE), star])]))
    assert found.more == (Right("iam:*", "*"),)
    office = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    narrowed = [replace(each, condition={**each.condition, **office}) for each in needed(SCOPE)]
    found = compared(rights_of(needed(SCOPE)), (), read([document(narrowed)]))
    assert set(found.unsure) == set(rights_of(needed(SCOPE)))
    assert not found.lacking


def test_a_denial_is_lacking_and_a_statement_of_all_but_some_is_not_known() -> None:
    (first, *_) = rights_of(needed(SCOPE))
    no = Statement("No", (first.action,), effect="Deny")
    assert first in compared((first,), (), read([document([*needed(SCOPE), no])])).lacking
    odd = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert compared((first,), (), read([{"Statement": [odd]}])).unsure == (first,)
    assert compared((first,), (), read([{"Statement": "rubbish"}, {}])).unsure == (first,)


# ---------------------------------------------------------------- a file of ids


def test_ids_are_read_as_they_were_written() -> None:
    text = json.dumps(
        {
            "shop": {
                "instance": EXAMPLE.instance_arn,
                "identity_store": EXAMPLE.identity_store_id,
                "owner": ACCOUNT,
                "permission_sets": {"ReadOnlyAccess": EXAMPLE.permission_set_arn("ReadOnlyAccess")},
                "groups": {"readers": EXAMPLE.group_id("readers")},
            }
        }
    )
    assert json.loads(written(read_ids(text))) == json.loads(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instance", "arn:aws:sso:::instance/*"),
        ("identity_store", "*"),
        ("owner", "*"),
        ("permission_sets", {"a": f"{SETS}/*"}),
        ("groups", {"a": "*"}),
        ("groups", []),
        ("owner", None),
    ],
)
def test_a_star_in_a_file_of_ids_is_no_id(key: str, value: object) -> None:
    found = {
        "instance": EXAMPLE.instance_arn,
        "identity_store": EXAMPLE.identity_store_id,
        "owner": ACCOUNT,
        key: value,
    }
    with pytest.raises(IdsUnreadable):
        read_ids(json.dumps({"shop": found}))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"shop": 1}', "[" * 100_000])
def test_what_is_no_file_of_ids_is_said_so(text: str) -> None:
    with pytest.raises(IdsUnreadable):
        read_ids(text)
