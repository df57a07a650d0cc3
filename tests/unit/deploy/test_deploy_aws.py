"""The worker's AWS policies: what the code calls is granted, nothing else is, and a removal never waits for a tag."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from workflows.targets.aws.role_rights.scope import Archive, Center, Scope
from workflows.targets.aws.role_rights.statement import document
from workflows.targets.aws.role_rights.worker import RIGHTS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "aws"
TARGETS = ROOT / "workflows" / "targets" / "aws"

# Which policy belongs to which module; every function of the module counts as called.
POLICIES = {
    "worker-policy.identity-center.json": "identity_center",
    "worker-policy.identity-center-groups.json": "identity_center_group",
    "worker-policy.policy-groups.json": "group_members",
    "worker-policy.iam-policy.json": "iam_policy",
    "worker-policy.iam-group.json": "iam_group",
    "worker-policy.iam-role-policy.json": "iam_role_policy",
    "worker-policy.activity.json": "deeds",
    "worker-policy.doctor.json": "rights",
    "worker-policy.terminal.json": "vouching",
}
# Modules of which only what is reached counts.
HELPERS = ("identity_store", "permission_sets", "iam_users", "iam_roles")
CHANGES = re.compile(r"(Create|Delete|Put|Add|Remove)")
ALL_FILES = sorted(path.name for path in FOLDER.glob("*.json"))


# What AWS lets everybody do who has credentials at all.
NEEDS_NO_RIGHT = {"sts:GetCallerIdentity"}
# Door of `workflows.targets.aws.connections.Link` -> boto3's name of the service, and its prefix in policies.
DOORS = {
    "sts": ("sts", "sts"),
    "sso": ("sso-admin", "sso"),
    "store": ("identitystore", "identitystore"),
    "iam": ("iam", "iam"),
    "org": ("organizations", "organizations"),
    "trail": ("cloudtrail", "cloudtrail"),
}


@cache
def action_of(door: str, method: str) -> str:
    """`iam`, `get_user` -> `iam:GetUser`."""
    service, prefix = DOORS[door]
    names = botocore.session.Session().get_service_model(service).operation_names
    return next(f"{prefix}:{operation}" for operation in names if xform_name(operation) == method)


# A module that a second one belongs to.
BESIDE = {"rights": "held_rights"}


def functions(module: str) -> list[ast.FunctionDef]:
    tree = ast.parse((TARGETS / f"{module}.py").read_text(encoding="utf-8"))
    own = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [*own, *functions(BESIDE[module])] if module in BESIDE else own


def calls_in(node: ast.AST) -> list[ast.Call]:
    return [call for call in ast.walk(node) if isinstance(call, ast.Call)]


def last_name(node: ast.AST) -> str:
    """`c` of `a.b.c` and of `c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def through_a_door(node: ast.AST) -> set[str]:
    """Actions of `link.iam.read("...", lambda client: client.get_user(...))` and the like."""
    found = set()
    for call in calls_in(node):
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and func.attr in ("read", "change", "every", "some")
            and last_name(func.value) in DOORS
        ):
            found |= {action_of(last_name(func.value), method) for method in client_methods(call)}
    return found


def client_methods(node: ast.AST) -> list[str]:
    functions_called = [call.func for call in calls_in(node)]
    return [
        func.attr for func in functions_called if isinstance(func, ast.Attribute) and last_name(func.value) == "client"
    ]


def actions_called(module: str) -> set[str]:
    """Actions of the client calls in `module` and in the helpers' functions that it reaches, by name."""
    helpers = {function.name: function for helper in HELPERS for function in functions(helper)}
    waiting, reached, actions = functions(module), set[str](), set[str]()
    while waiting:
        function = waiting.pop()
        actions |= through_a_door(function)
        following = ({last_name(call.func) for call in calls_in(function)} & helpers.keys()) - reached
        reached |= following
        waiting += [helpers[name] for name in following]
    return actions


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def granted(name: str) -> list[str]:
    return [action for statement in statements(name) for action in listed(statement["Action"])]


@pytest.mark.parametrize(("name", "module"), POLICIES.items())
def test_a_policy_grants_what_its_target_calls_and_nothing_else(name: str, module: str):
    assert sorted(granted(name)) == sorted(actions_called(module) - NEEDS_NO_RIGHT)


# What stands in the files in place of names and ids.
_CENTER = Center(
    "arn:aws:sso:::instance/INSTANCE_ID",
    "IDENTITY_STORE_ID",
    "MANAGEMENT_ACCOUNT_ID",
    accounts=("ACCOUNT_ID",),
    sets=("arn:aws:sso:::permissionSet/INSTANCE_ID/PERMISSION_SET_ID",),
    groups=("GROUP_ID",),
    reads_groups=True,
)
OF_PLACEHOLDERS = Scope(
    "arn:aws:iam::ACCOUNT_ID:role/prodaccess-worker",
    centers=(_CENTER,),
    written_on=("*",),
    grouped=("*",),
    groups=("GROUP_NAME",),
    path="USER_PATH",
    roles=("arn:aws:iam::ACCOUNT_ID:role/prodaccess-worker",),
    pipelines=("PIPELINE_ROLE",),
    vouches=True,
    sessions=True,
    archive=Archive("AUDIT_BUCKET"),
)
# What differs for a file.
OTHERWISE: dict[str, Any] = {
    "doctor": {"role": "arn:aws:iam::WORKER_ACCOUNT_ID:role/prodaccess-worker"},
    "identity-center-management-account": {"centers": (replace(_CENTER, accounts=("MANAGEMENT_ACCOUNT_ID",)),)},
}


FILES = sorted(path.name.split(".")[1] for path in FOLDER.glob("worker-policy.*.json"))


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_what_the_program_prints_for_a_policy_of_placeholders(name: str):
    """`prodaccess aws policy` and the files have one source."""
    scope = replace(OF_PLACEHOLDERS, **OTHERWISE.get(name, {}))
    example = ".example" if name == "connections" else ""
    found = json.loads((FOLDER / f"worker-policy.{name}{example}.json").read_text(encoding="utf-8"))
    assert found == document(RIGHTS[name](scope))


def test_every_client_call_of_the_targets_goes_through_a_door_and_is_granted_somewhere():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in TARGETS.glob("*.py")]
    actions = {action for tree in trees for action in through_a_door(tree)}
    assert actions - NEEDS_NO_RIGHT == {action for name in POLICIES for action in granted(name)}
    methods = {method for tree in trees for method in client_methods(tree)}
    assert methods == {xform_name(action.partition(":")[2]) for action in actions}


# S3's names of rights that differ from those of its calls (service authorization reference).
S3_RIGHTS = {
    "s3:GetObject": "s3:GetObjectVersion",  # always of a version that is named
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
}


def asked_of_aws(path: str, service: str) -> set[str]:
    """The operations that `_call("PutObject", ...)` and the like name in a module."""
    calls = calls_in(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    own = [call for call in calls if last_name(call.func) == "_call" and isinstance(call.args[0], ast.Constant)]
    return {f"{service}:{call.args[0].value}" for call in own}  # type: ignore[attr-defined]


def test_the_archive_and_the_key_are_granted_what_is_called_and_nothing_else():
    called = {S3_RIGHTS.get(action, action) for action in asked_of_aws("workflows/archive/s3.py", "s3")}
    assert sorted(granted("worker-policy.audit.json")) == sorted({*called, "s3:PutObjectRetention"})
    (signing,) = [each for each in statements("audit-key-policy.example.json") if each["Sid"] == "TheWorkerSigns"]
    assert set(signing["Action"]) == asked_of_aws("workflows/signing/kms.py", "kms")


def test_taking_on_a_role_is_the_only_other_call_to_aws():
    text = "".join(path.read_text(encoding="utf-8") for path in TARGETS.glob("*.py"))
    assert re.findall(r"\.client\(\"(\w+)\"", text) == ["sts"]
    assert granted("worker-policy.connections.example.json") == ["sts:AssumeRole"]


@pytest.mark.parametrize("name", ALL_FILES)
def test_each_file_is_a_policy_that_fits_into_aws(name: str):
    text = (FOLDER / name).read_text(encoding="utf-8")
    policy = json.loads(text)
    assert policy["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    # The smallest of AWS's limits: an assume-role policy of 2,048 characters, blanks not counted.
    assert len(re.sub(r"\s", "", text)) <= 2_048


@pytest.mark.parametrize("name", [*POLICIES, "worker-policy.connections.example.json"])
def test_the_worker_gets_no_wildcard_action_and_changes_nothing_everywhere(name: str):
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        actions, resources = listed(statement["Action"]), listed(statement["Resource"])
        assert not [action for action in actions if "*" in action]
        if any(CHANGES.match(action.partition(":")[2]) for action in actions):
            assert "*" not in resources


def test_a_removal_never_depends_on_a_tag_or_a_boundary():
    """Both can be taken off a user while a grant lives; then access could be given no more, but must still be taken away."""
    removals = (
        "iam:DeleteUserPolicy",
        "iam:DeleteRolePolicy",
        "iam:RemoveUserFromGroup",
        "identitystore:DeleteGroupMembership",
    )
    found = [
        statement
        for name in POLICIES
        for statement in statements(name)
        if set(listed(statement["Action"])) & {*removals, "sso:DeleteAccountAssignment"}
    ]
    assert len(found) == 5
    assert not [statement["Sid"] for statement in found if "Condition" in statement]


def test_an_inline_policy_is_only_written_on_a_tagged_user_inside_the_boundary():
    (giving,) = [each for each in statements("worker-policy.iam-policy.json") if "Condition" in each]
    assert giving["Action"] == "iam:PutUserPolicy"
    assert giving["Condition"] == {
        "Null": {"aws:ResourceTag/prodaccess:person": "false"},
        "ArnEquals": {"iam:PermissionsBoundary": "arn:aws:iam::ACCOUNT_ID:policy/prodaccess-boundary"},
    }


def test_a_pipelines_role_is_given_something_only_while_its_account_wants_it_inside_the_boundary():
    (giving,) = [each for each in statements("worker-policy.iam-role-policy.json") if "Condition" in each]
    assert giving["Action"] == "iam:PutRolePolicy"
    assert giving["Condition"] == {
        "Null": {"aws:ResourceTag/prodaccess:gate": "false"},
        "ArnEquals": {"iam:PermissionsBoundary": "arn:aws:iam::ACCOUNT_ID:policy/prodaccess-pipeline-boundary"},
    }
    resources = {each["Resource"] for each in statements("worker-policy.iam-role-policy.json")}
    assert resources == {"arn:aws:iam::ACCOUNT_ID:role/PIPELINE_ROLE"}, "a role that is not in the list gets nothing"


def test_only_what_aws_cannot_narrow_stands_on_everything():
    """Of the reads that are ListInstances and LookupEvents alone (service authorization reference)."""
    wide = [
        action
        for name in POLICIES
        for statement in statements(name)
        for action in listed(statement["Action"])
        if "*" in listed(statement["Resource"])
    ]
    assert set(wide) == {"sso:ListInstances", "cloudtrail:LookupEvents"}


def test_the_boundary_leaves_people_their_own_password_and_mfa_and_nothing_that_outlives_a_grant():
    by_sid = {statement["Sid"]: statement for statement in statements("permissions-boundary.example.json")}
    own, never = by_sid["TheirOwnPasswordAndMfa"], by_sid["NeverIdentity"]
    assert {"iam:ChangePassword", "iam:EnableMFADevice", "iam:CreateVirtualMFADevice"} <= set(own["Action"])
    assert own["Resource"][0].endswith("${aws:username}")
    assert not [each for each in own["Action"] for denied in never["Action"] if fnmatchcase(each, denied)]
    keeping = ("iam:CreateAccessKey", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PassRole", "sts:AssumeRole")
    assert all(any(fnmatchcase(each, denied) for denied in never["Action"]) for each in keeping)


def test_other_accounts_ask_for_an_external_id():
    (trust,) = statements("trust-policy.example.json")
    assert trust["Condition"]["StringEquals"] == {"sts:ExternalId": "EXTERNAL_ID"}


@pytest.mark.parametrize("name", ALL_FILES)
def test_the_readme_explains_each_file_statement_and_placeholder(name: str):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in readme
    sids = [statement["Sid"] for statement in statements(name)]
    placeholders = re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", (FOLDER / name).read_text(encoding="utf-8"))
    allowed = {"DO_NOT_DELETE"}
    missing = [word for word in {*sids, *placeholders} - allowed if f"`{word}`" not in readme]
    assert not missing
