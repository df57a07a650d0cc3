"""The Terraform module, parsed: it gives what deploy/aws/*.json says, statement by statement, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.sandbox.aws.spec import EXAMPLE
from tests.support import deploy_tools
from tests.support.role_rights import example_scope
from workflows.targets.aws.role_rights.documents import rendered
from workflows.targets.aws.role_rights.hcl import encoded, label, terraform

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
MODULE, JSON = ROOT / "deploy" / "terraform" / "aws", ROOT / "deploy" / "aws"
EXAMPLES = sorted(path.parent.name for path in MODULE.glob("examples/*/main.tf"))

_PARSE = """
import hcl2
answer = {}
for name in data:
    with open(name) as file:
        answer[name] = hcl2.load(file)
"""
# Document of the module -> the file that it is taken from.
DOCUMENTS = {
    "identity_center": "worker-policy.identity-center.json",
    "identity_center_groups": "worker-policy.identity-center-groups.json",
    "policy_groups": "worker-policy.policy-groups.json",
    "iam_policy": "worker-policy.iam-policy.json",
    "iam_group": "worker-policy.iam-group.json",
    "iam_role_policy": "worker-policy.iam-role-policy.json",
    "connections": "worker-policy.connections.example.json",
    "terminal": "worker-policy.terminal.json",
    "activity": "worker-policy.activity.json",
    "doctor": "worker-policy.doctor.json",
    "audit": "worker-policy.audit.json",
    "bucket": "audit-bucket-policy.example.json",
    "key": "audit-key-policy.example.json",
}
STORE = "arn:aws:identitystore::MANAGEMENT_ACCOUNT_ID:identitystore/IDENTITY_STORE_ID"
# What the module's own words stand for in the files.
MEANS = (
    (r"\$\{aws_s3_bucket\.audit\[0\]\.arn\}/", "arn:aws:s3:::AUDIT_BUCKET/"),
    (r'\$\{try\(var\.audit_bucket\.name, ""\)\}', "AUDIT_BUCKET"),
    (r'\$\{try\(local\.center\.management_account_id, ""\)\}', "MANAGEMENT_ACCOUNT_ID"),
    (r"\$\{aws_iam_role\.worker\.arn\}|aws_iam_role\.worker\.arn", '"arn:aws:iam::WORKER_ACCOUNT_ID:role/prodaccess-worker"'),
    (r"iam::\$\{local\.account_id\}:policy/\$\{var\.name\}", "iam::WORKER_ACCOUNT_ID:policy/prodaccess-worker"),
    (r"\$\{local\.partition\}", "aws"),
    (r"\$\{local\.instance_id\}", "INSTANCE_ID"),
    (r"\$\{local\.account_id\}", "ACCOUNT_ID"),
    (r"local\.store\b", f'"{STORE}"'),
    (r"local\.users\b", '"arn:aws:iam::ACCOUNT_ID:user/USER_PATH*"'),
    (r"aws_s3_bucket\.audit\[0\]\.arn", '"arn:aws:s3:::AUDIT_BUCKET"'),
    (r"try\(sort\(local\.center\.permission_set_arns\), \[\]\)", '"arn:aws:sso:::permissionSet/INSTANCE_ID/PERMISSION_SET_ID"'),
    (r"sort\(var\.connection_role_arns\)", '"arn:aws:iam::ACCOUNT_ID:role/prodaccess-worker"'),
    (r"account/\$\{id\}", "account/ACCOUNT_ID"),
    (r"group/\$\{id\}", "group/GROUP_ID"),
    (r"group/\$\{name\}", "group/GROUP_NAME"),
    (r"role/\$\{name\}", "role/PIPELINE_ROLE"),
)  # fmt: skip


def unquoted(value: Any) -> Any:
    """The parser keeps the quotes of text and of labels, and marks blocks."""
    if isinstance(value, dict):
        return {
            key.strip('"'): unquoted(each) for key, each in value.items() if key not in ("__is_block__", "__comments__")
        }
    if isinstance(value, list):
        return [unquoted(each) for each in value]
    return value.strip('"') if isinstance(value, str) and value.count('"') == 2 and value[0] == '"' else value


@cache
def parsed(folder: Path) -> Mapping[str, list[Any]]:
    """Every block of a module: kind -> the blocks."""
    files = [str(path) for path in sorted(folder.glob("*.tf"))]
    found: dict[str, list[Any]] = {}
    for each in deploy_tools.in_tools(_PARSE, files).values():
        for kind, blocks in unquoted(each).items():
            found.setdefault(kind, []).extend(blocks)
    return found


def named(kind: str, folder: Path = MODULE) -> dict[str, Any]:
    return {name: block for each in parsed(folder)[kind] for name, block in each.items()}


def documents() -> dict[str, list[Any]]:
    blocks = [each["aws_iam_policy_document"] for each in parsed(MODULE)["data"] if "aws_iam_policy_document" in each]
    return {name: block.get("statement", []) for each in blocks for name, block in each.items() if name != "trust"}


def resources_of(kind: str) -> dict[str, Any]:
    return {name: block for each in parsed(MODULE)["resource"] for name, block in each.get(kind, {}).items()}


def in_the_files_words(expression: Any) -> set[str]:
    text = json.dumps(expression) if isinstance(expression, list) else str(expression)
    text = text.replace('\\"', '"')
    for pattern, means in MEANS:
        text = re.sub(pattern, means, text)
    return set(re.findall(r'"?(arn:aws[^",\]\s]+|\*)(?=["\],]|$)', text))


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def statements(name: str) -> dict[str, Any]:
    found = json.loads((JSON / name).read_text(encoding="utf-8"))["Statement"]
    return {each["Sid"]: each for each in found}


def test_each_file_of_rights_is_a_document_and_none_more() -> None:
    assert documents().keys() == DOCUMENTS.keys()
    worker = {path.name for path in JSON.glob("worker-policy.*.json")}
    # Rights in the management account are for nobody who can help it: deploy/aws/README.md.
    assert worker - set(DOCUMENTS.values()) == {"worker-policy.identity-center-management-account.json"}


@pytest.mark.parametrize(("document", "file"), DOCUMENTS.items())
def test_a_document_says_what_its_file_says(document: str, file: str) -> None:
    own, wanted = {each["sid"]: each for each in documents()[document]}, statements(file)
    assert own.keys() == wanted.keys()
    for sid, statement in own.items():
        assert sorted(statement["actions"]) == sorted(listed(wanted[sid]["Action"])), sid
        assert in_the_files_words(statement["resources"]) == set(listed(wanted[sid]["Resource"])), sid
        assert statement.get("effect", "Allow") == wanted[sid]["Effect"]


@pytest.mark.parametrize(("document", "file"), DOCUMENTS.items())
def test_a_document_asks_the_same_conditions(document: str, file: str) -> None:
    for statement in documents()[document]:
        wanted = statements(file)[statement["sid"]].get("Condition", {})
        found = {(each["test"], each["variable"]) for each in statement.get("condition", [])}
        assert found == {(test, variable) for test, terms in wanted.items() for variable in terms}, statement["sid"]


def test_a_resource_that_is_wider_would_be_found() -> None:
    assert in_the_files_words(["arn:${local.partition}:sso:::account/*"]) == {"arn:aws:sso:::account/*"}
    assert in_the_files_words(["*"]) == {"*"}


def test_what_the_program_writes_as_terraform_is_the_same_documents(tmp_path: Path) -> None:
    scope = example_scope(EXAMPLE)
    made = rendered(scope)
    text = terraform(scope, made.documents)
    assert "${aws" not in text.replace("$${", "")
    (tmp_path / "prodaccess.tf").write_text(text, encoding="utf-8")
    found = unquoted(deploy_tools.in_tools(_PARSE, [str(tmp_path / "prodaccess.tf")]))
    blocks = [block for each in found.values() for block in each["resource"]]
    named = {name for block in blocks for names in block.values() for name in names}
    assert named == {label(one.name) for one in made.documents}
    for one in made.documents:
        assert encoded(one.content) in text
        assert json.loads(encoded(one.content).removeprefix("jsonencode(").removesuffix(")")) == one.content


def test_only_the_worker_signs_and_writes() -> None:
    worker = "${aws_iam_role.worker.arn}"
    key = {each["sid"]: each for each in documents()["key"]}
    assert key["TheWorkerSigns"]["principals"][0]["identifiers"] == [worker]
    assert key["NobodyElseSigns"]["condition"][0]["values"] == [worker]
    signing = [sid for sid, each in key.items() if {"kms:Sign", "kms:*"} & set(each["actions"])]
    assert signing == ["TheWorkerSigns", "NobodyElseSigns"]
    bucket = {each["sid"]: each for each in documents()["bucket"]}
    assert bucket["OnlyTheWorkerWrites"]["condition"][0]["values"] == [worker]


def test_the_archive_cannot_be_deleted_or_read_by_the_public() -> None:
    (bucket,) = resources_of("aws_s3_bucket").values()
    assert (bucket["object_lock_enabled"], "force_destroy" in bucket) == (True, False)
    (lock,) = resources_of("aws_s3_bucket_object_lock_configuration").values()
    assert lock["rule"][0]["default_retention"][0]["mode"] == "COMPLIANCE"
    (versions,) = resources_of("aws_s3_bucket_versioning").values()
    assert versions["versioning_configuration"][0]["status"] == "Enabled"
    (public,) = resources_of("aws_s3_bucket_public_access_block").values()
    assert [value for name, value in public.items() if name not in ("bucket", "count")] == [True] * 4
    for kept in (bucket, next(iter(resources_of("aws_kms_key").values()))):
        assert kept["lifecycle"][0]["prevent_destroy"] is True


def test_the_trust_names_one_service_account_or_the_platform_of_this_account() -> None:
    (trust,) = [each["aws_iam_policy_document"]["trust"] for each in parsed(MODULE)["data"] if "trust" in str(each)]
    found = {each["statement"]["content"][0]["sid"]: each["statement"]["content"][0] for each in trust["dynamic"]}
    irsa = {
        each["variable"].rpartition(":")[2]: each["values"]
        for each in found["OnlyTheWorkersServiceAccount"]["condition"]
    }
    assert irsa["aud"] == ["sts.amazonaws.com"]
    assert irsa["sub"] == ["system:serviceaccount:${statement.value.namespace}:${statement.value.service_account}"]
    assert "*" not in str(irsa)
    assert statements("trust-policy.example.json").keys() <= found.keys()


def test_every_variable_and_output_is_told_and_every_variable_that_can_be_wrong_is_checked() -> None:
    for name, block in {**named("variable"), **named("output")}.items():
        assert len(block["description"]) > 20, name
    free = {"tags", "activity", "terminal", "doctor"}
    assert {name for name, block in named("variable").items() if "validation" not in block} == free
    for block in named("variable").values():
        for check in block.get("validation", []):
            assert re.match(r"[A-Z].*[.a-z0-9]$", check["error_message"])


def references(value: Any) -> Iterator[str]:
    yield from re.findall(r"\b((?:var|local)\.[a-z_]+)", json.dumps(value))


def test_every_variable_and_local_is_used_and_every_use_has_one() -> None:
    blocks = {kind: each for kind, each in parsed(MODULE).items() if kind != "variable"}
    used = set(references(blocks))
    locals_ = {f"local.{name}" for each in parsed(MODULE)["locals"] for name in each}
    assert used == locals_ | {f"var.{name}" for name in named("variable")}


def test_how_many_there_are_is_known_before_what_they_are_is_made() -> None:
    """The length of a set is not, while one of its members is not: then Terraform refuses to plan."""
    assert "set(" not in (MODULE / "variables.tf").read_text()
    (policies,) = resources_of("aws_iam_role_policy").values()
    assert policies["for_each"] == "${toset([for name, policy in local.policies : name if policy.wanted])}"
    assert len(re.findall(r"data\.aws_iam_policy_document\.\w+\.json", str(parsed(MODULE)["locals"]))) == 11


def test_what_it_says_to_set_are_settings_and_values_of_the_chart() -> None:
    known = {settings.variable(field) for field in settings.Settings.model_fields}
    said = set(re.findall(r"\b(PRODACCESS_[A-Z_]+)\b", str(named("output")["environment"])))
    assert said == {"PRODACCESS_AUDIT_BUCKET", "PRODACCESS_AUDIT_KEY"} <= known
    identities = set(re.findall(r'"(irsa|podIdentity|none)"', str(named("output")["helm_values"])))
    assert len(identities) == 3
    schema = json.loads((ROOT / "deploy/helm/prodaccess/values.schema.json").read_text())
    aws = schema["properties"]["worker"]["properties"]["aws"]["properties"]
    assert identities <= set(aws["identity"]["enum"])


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_gives_what_the_module_takes(example: str) -> None:
    for block in named("module", MODULE / "examples" / example).values():
        given = block.keys() - {"source", "providers"}
        assert given <= named("variable").keys()
        needed = {name for name, each in named("variable").items() if "default" not in each}
        assert needed <= given


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.tf")), ids=lambda path: str(path.relative_to(MODULE)))
def test_it_is_written_as_terraform_writes_it(path: Path) -> None:
    """What `terraform fmt` does, as far as it can be seen line by line: two blanks a step, and equal signs below each other."""
    lines = path.read_text(encoding="utf-8").splitlines()
    depth, run = 0, list[tuple[int, int]]()
    for number, line in enumerate([*lines, ""], start=1):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', lambda text: "x" * len(text[0]), line)
        closing = len(re.match(r"[\s)\]}]*", bare)[0].strip())  # type: ignore[index]
        if line:
            assert line == line.rstrip(), number
            assert len(line) - len(line.lstrip()) == 2 * (depth - min(closing, 1)), f"{path.name}:{number}"
        opened = sum(bare.count(each) for each in "([{") - sum(bare.count(each) for each in ")]}")
        sign = re.match(r"(\s*)[\w-]+ +=(?!=)", bare)
        if sign and opened == 0:
            run.append((number, len(sign[0])))
        else:
            assert len({column for _, column in run}) <= 1, f"{path.name}: lines {run[0][0]} to {run[-1][0]}"
            run = []
        depth += (opened > 0) - (opened < 0)
