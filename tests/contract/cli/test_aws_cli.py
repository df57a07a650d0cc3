"""`prodaccess aws ...` at the simulated AWS: exactly what the policy folder names, by AWS's own ids."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import aws as command
from bot.providers import know_providers
from bot.sandbox.installation.people import aws_world

EXAMPLE = Path(__file__).parents[3] / "config"
ROLE = "arn:aws:iam::111122223333:role/prodaccess-worker"
PIPELINE = "arn:aws:iam::111122223333:role/orders-pipeline"
AUDIT = ("PRODACCESS_AUDIT_BUCKET", "PRODACCESS_AUDIT_KEY", "PRODACCESS_AUDIT_RETENTION", "PRODACCESS_CONFIG")


SPEC = aws_world()
KNOWN = {
    "instance": SPEC.instance_arn,
    "identity_store": SPEC.identity_store_id,
    "owner": SPEC.management_account,
    "permission_sets": {name: SPEC.permission_set_arn(name) for name in ("ReadOnlyAccess", "AdministratorAccess")},
    "groups": {"sales-readers": SPEC.group_id("sales-readers")},
}


class At:
    """A terminal in an empty folder, with the example's policy beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.policy, self.ids = folder, folder / "config", folder / "known.json"
        shutil.copytree(EXAMPLE, self.policy)
        self.ids.write_text(json.dumps({name: KNOWN for name in ("shop", "other")}))
        self._app = typer.Typer()
        command.register(self._app)

    def types(self, *words: str) -> Any:
        return CliRunner().invoke(self._app, ["aws", words[0], str(self.policy), *words[1:]], catch_exceptions=False)

    def asks_for(self, *words: str) -> Any:
        """With the ids that the simulated AWS has, which is not asked."""
        return self.types("policy", *words, "--ids", str(self.ids))

    def prints(self, *words: str) -> dict[str, Any]:
        result = self.types(*words)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def edits(self, name: str, old: str, new: str) -> None:
        path = self.policy / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    know_providers()
    monkeypatch.chdir(tmp_path)
    for name in AUDIT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("bot.doctor.allowance.TARGETS_A_SECOND", 1_000.0)
    return At(tmp_path)


@pytest.fixture
def there(at: At, aws: Any) -> At:
    aws.reset(aws_world())
    return at


def by_sid(document: dict[str, Any]) -> dict[str, Any]:
    return {each["Sid"]: each for each in document["Statement"]}


def test_the_workers_role_is_given_exactly_what_the_policy_names(there: At, aws: Any) -> None:
    found = by_sid(there.prints("policy", "--role", ROLE, "--part", "worker"))
    spec = aws.spec
    assert set(found["AssignAndUnassign"]["Resource"]) == {
        spec.instance_arn,
        spec.permission_set_arn("ReadOnlyAccess"),
        spec.permission_set_arn("AdministratorAccess"),
        *(f"arn:aws:sso:::account/{one}" for one in ("210987654321", "321098765432", "432109876543")),
    }
    assert f"arn:aws:identitystore:::group/{spec.group_id('sales-readers')}" in found["AddMembers"]["Resource"]
    groups = (f"arn:aws:iam::111122223333:group/orders-{one}-deployers" for one in ("dev", "prod", "staging"))
    assert set(found["UseTheseGroupsOnly"]["Resource"]) == set(groups)
    store = f"arn:aws:identitystore::{spec.management_account}:identitystore/{spec.identity_store_id}"
    assert store in found["FindPeople"]["Resource"]


def test_all_three_go_into_files_of_their_own(at: At) -> None:
    (at.folder / "rights").mkdir()
    result = at.asks_for("--role", ROLE, "--into", "rights")
    assert result.exit_code == 0, result.output
    names = [Path(line).name for line in result.stdout.splitlines()]
    begins = ["prodaccess-worker", "prodaccess-worker-boundary", "prodaccess-worker-guardrail"]
    assert names[:3] == [f"{each}.json" for each in begins]
    for name in names:
        text = (at.folder / "rights" / name).read_text(encoding="utf-8")
        assert json.loads(text)["Version"] == "2012-10-17"
        assert len(text.strip()) <= 5_120 or "guardrail" not in name
    named = json.loads(at.asks_for("--role", ROLE).stdout)
    assert set(named) == {Path(name).stem for name in names}


def test_with_a_file_of_ids_aws_is_not_asked(there: At, aws: Any) -> None:
    first = there.prints("policy", "--role", ROLE, "--part", "worker", "--keep-ids", "ids.json")
    aws.proxy.log.reset()
    assert there.prints("policy", "--role", ROLE, "--part", "worker", "--ids", "ids.json") == first
    assert not aws.proxy.log.calls()


def test_what_is_not_in_aws_is_a_sentence_and_no_star(there: At) -> None:
    there.edits("roles.yaml", "permission_set: ReadOnlyAccess", "permission_set: ReadAccess")
    there.edits("roles.yaml", "group: sales-readers", "group: sale-readers")
    result = there.types("policy", "--role", ROLE)
    assert (result.exit_code, "Statement" in result.stdout) == (1, False)
    assert "There is no permission set ReadAccess in IAM Identity Center" in result.stdout
    assert "There is no group sale-readers in IAM Identity Center" in result.stdout


def test_another_accounts_role_is_rendered_by_its_connection(at: At) -> None:
    theirs = "arn:aws:iam::444455556666:role/prodaccess"
    at.edits(
        "prodaccess.yaml", "  shop:\n", f"  other: {{kind: aws, region: eu-central-1, role_arn: {theirs}}}\n  shop:\n"
    )
    at.edits("environments/orders-dev.yaml", "connection: shop", "connection: other")
    result = at.asks_for("--role", ROLE, "--part", "worker")
    assert by_sid(json.loads(result.stdout))["TakeOnTheRolesOfConnections"]["Resource"] == theirs
    assert "--connection other" in result.stderr
    found = by_sid(json.loads(at.asks_for("--connection", "other", "--part", "worker").stdout))
    assert "TakeOnTheRolesOfConnections" not in found
    accounts = [each for each in found["AssignAndUnassign"]["Resource"] if ":account/" in each]
    assert accounts == ["arn:aws:sso:::account/432109876543"]
    assert all("111122223333" not in json.dumps(each["Resource"]) for each in found.values())


def test_pairs_that_aws_cannot_tell_apart_are_said(at: At) -> None:
    at.edits("environments/orders-staging.yaml", "  admin:", "  reports:")
    result = at.asks_for("--role", ROLE, "--part", "worker")
    assert "AdministratorAccess in 321098765432" in result.stderr


def test_the_archive_and_the_key_are_read_from_the_variables(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    monkeypatch.setenv("PRODACCESS_AUDIT_BUCKET", "s3://acme-audit/prodaccess")
    monkeypatch.setenv("PRODACCESS_AUDIT_KEY", f"awskms:{key}")
    monkeypatch.setenv("PRODACCESS_AUDIT_RETENTION", "2555d")
    boundary = by_sid(json.loads(at.asks_for("--role", ROLE, "--part", "boundary").stdout))
    assert boundary["ArchiveOnlyReadAndWritten"]["Resource"] == [
        "arn:aws:s3:::acme-audit",
        "arn:aws:s3:::acme-audit/prodaccess/*",
    ]
    assert boundary["ArchiveOnlyForSoLong"]["Condition"] == {
        "NumericLessThan": {"s3:object-lock-remaining-retention-days": "2554"}
    }
    assert boundary["NeverTheKey"]["Resource"] == key


def test_a_policy_without_aws_and_one_that_gives_nothing_say_so(at: At) -> None:
    result = at.types("policy", "--role", "arn:aws:iam::111122223333:role/*")
    assert (result.exit_code, "write it like" in result.stderr) == (2, True)
    assert "Say which role" in at.types("policy").stderr
    assert "no connection 'nowhere'" in at.types("policy", "--connection", "nowhere").stderr
    assert "names no role_arn" in at.types("policy", "--connection", "shop").stderr
    other = f"  other: {{kind: aws, region: eu-central-1, role_arn: {ROLE}}}"
    at.edits("prodaccess.yaml", "  shop:\n", f"{other}\n  shop:\n")
    result = at.types("policy", "--connection", "other")
    assert (result.exit_code, "gives nothing through this role" in result.stdout) == (1, True)


def test_without_credentials_it_says_what_is_lacking(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    result = at.types("policy", "--role", ROLE)
    assert result.exit_code == 1
    assert "no AWS credentials" in result.stdout
    assert "--ids FILE" in result.stdout


def test_a_file_of_ids_that_cannot_be_read_is_a_sentence(at: At) -> None:
    (at.folder / "ids.json").write_text('{"shop": {"instance": "arn:aws:sso:::instance/*"}}')
    result = at.types("policy", "--role", ROLE, "--ids", "ids.json")
    assert (result.exit_code, "ids.json: instance of shop is" in result.stderr) == (1, True)
    (at.folder / "ids.json").write_bytes(b"\xff\xfe")
    assert "it is no text" in at.types("policy", "--role", ROLE, "--ids", "ids.json").stderr


def test_what_is_written_goes_over_no_link_and_into_no_missing_folder(at: At) -> None:
    assert "There is no folder" in at.asks_for("--role", ROLE, "--into", "nowhere").stderr
    (at.folder / "out").mkdir()
    (at.folder / "precious").write_text("as it was")
    (at.folder / "out" / "prodaccess-worker.json").symlink_to(at.folder / "precious")
    result = at.asks_for("--role", ROLE, "--into", "out")
    assert (result.exit_code, "is no file that could be written" in result.stderr) == (1, True)
    assert (at.folder / "precious").read_text() == "as it was"


# ---------------------------------------------------------------- guardrails of an organisation


def test_production_is_kept_in_its_regions_and_away_from_services(at: At) -> None:
    found = by_sid(
        at.prints("guardrails", "--regions", "eu-central-1, eu-west-1", "--deny-services", "lightsail,gamelift")
    )
    regions = found["ProductionStaysInItsRegions"]
    assert regions["Condition"] == {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
    assert {"iam:*", "sts:*", "organizations:*"} < set(regions["NotAction"])
    assert found["ProductionUsesNoneOfTheseServices"]["Action"] == ["lightsail:*", "gamelift:*"]
    assert not [each for each in found.values() if each["Effect"] != "Deny"]


STATE = ("--state-bucket", "s3://larkspur-orders/stuck", "--pipeline-role", PIPELINE, "--user-account", "111122223333")


def test_state_is_written_by_the_pipeline_and_by_the_grants_that_write_it(at: At) -> None:
    """The example's repair-orders writes there by its own template; what a permission set allows the policy does not say."""
    result = at.types("guardrails", *STATE)
    named = json.loads(result.stdout)
    control, bucket = by_sid(named["prodaccess-production"]), by_sid(named["prodaccess-production-state-bucket"])
    writers = [PIPELINE, "arn:aws:iam::111122223333:user/*"]
    for found in (control, bucket):
        statement = found["StateIsWrittenByThePipelineAndByGrants"]
        assert statement["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": writers}}
        assert statement["Resource"] == "arn:aws:s3:::larkspur-orders/stuck/*"
        assert {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"} < set(statement["Action"])
    assert bucket["StateIsWrittenByThePipelineAndByGrants"]["Principal"] == "*"
    assert "--state-role admin" in result.stderr
    assert "read-only" not in result.stderr


def test_a_role_that_writes_the_state_is_named_and_told_by_its_permission_set(at: At) -> None:
    found = by_sid(at.prints("guardrails", *STATE, "--part", "scp", "--state-role", "admin"))
    writers = found["StateIsWrittenByThePipelineAndByGrants"]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    own = "role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_AdministratorAccess_" + "?" * 16
    assert f"arn:aws:iam::210987654321:{own}" in writers


def test_elsewhere_no_grant_writes_it(at: At) -> None:
    result = at.types("guardrails", "--state-bucket", "acme-state", "--pipeline-role", PIPELINE, "--part", "bucket")
    statement = by_sid(json.loads(result.stdout))["StateIsWrittenByThePipelineAndByGrants"]
    assert statement["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": PIPELINE}}
    assert "the pipeline alone does" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say what it shall hold"),
        (("--regions", "europe"), "--regions is 'europe'"),
        (("--deny-services", "s3:*"), "--deny-services is 's3:*'"),
        (("--state-bucket", "acme-state"), "--pipeline-role"),
        (("--pipeline-role", PIPELINE), "--state-bucket"),
        (("--state-bucket", "acme-state", "--pipeline-role", "*"), "--pipeline-role is '*'"),
        (("--state-bucket", "acme-state", "--pipeline-role", "arn:aws:iam::111122223333:role/*"), "write it like"),
        (("--state-bucket", "a*", "--pipeline-role", PIPELINE), "--state-bucket is 'a*'"),
        (STATE[:4], "--user-account"),
        ((*STATE, "--state-role", "nobody"), "has a role 'nobody'"),
        (("--regions", "eu-central-1", "--state-role", "admin"), "--state-bucket"),
        (("--regions", "eu-central-1", "--part", "bucket"), "--state-bucket"),
    ],
)
def test_what_was_typed_wrongly_is_one_sentence(at: At, words: tuple[str, ...], said: str) -> None:
    result = at.types("guardrails", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_as_terraform_it_is_one_file(at: At) -> None:
    result = at.types("guardrails", *STATE, "--regions", "eu-central-1", "--format", "terraform")
    kinds = (
        'resource "aws_organizations_policy" "prodaccess_production"',
        'resource "aws_s3_bucket_policy" "larkspur_orders"',
    )
    assert all(kind in result.stdout for kind in kinds)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("roles.yaml", 'group: "{environment}-deployers"', 'group: "*"', "'*' is no name of an IAM group"),
        ("roles.yaml", 'user: "{local_part}", group', 'user: "ops-*", group', "'ops-*' is no name of an IAM user"),
        (
            "roles.yaml",
            "permission_set: ReadOnlyAccess",
            'permission_set: "arn:aws:sso:::permissionSet/ssoins-7223a1b2c3d4e5f6/*"',
            "permissionSet/ssoins-7223a1b2c3d4e5f6/*",
        ),
    ],
)
def test_a_star_of_the_policys_own_is_a_sentence_and_no_right(at: At, name: str, old: str, new: str, said: str) -> None:
    at.edits(name, old, new)
    result = at.asks_for("--role", ROLE)
    assert (result.exit_code, "Statement" in result.stdout, said in result.stdout) == (1, False, True), result.stdout


def test_an_account_that_vouches_for_people_at_a_terminal_may_be_asked_whose_somebody_is(at: At) -> None:
    at.edits("prodaccess.yaml", "panic_group: security", 'panic_group: security\nidentity_accounts: ["111122223333"]')
    at.edits(
        "prodaccess.yaml", "    kind: aws\n", "    kind: aws\n    role_arn: arn:aws:iam::444455556666:role/prodaccess\n"
    )
    found = by_sid(json.loads(at.asks_for("--role", ROLE, "--part", "worker").stdout))
    assert found["IsARoleOneOfIdentityCenters"]["Resource"].endswith(
        "111122223333:role/aws-reserved/sso.amazonaws.com/*"
    )
    found = by_sid(json.loads(at.asks_for("--connection", "shop", "--part", "worker").stdout))
    assert "IsARoleOneOfIdentityCenters" not in found


GATE = """gates:
  deploy:
    approve: {owners: 1}
    target: {kind: aws-iam-role-policy, role: orders-deploy, policy: policies/repair-orders.json}
    for: 30m
"""


def test_a_pipelines_role_that_a_gate_gives_something_to_is_the_only_one_that_is_written_on(at: At) -> None:
    path = at.policy / "environments" / "orders-prod.yaml"
    path.write_text(path.read_text(encoding="utf-8") + GATE, encoding="utf-8")
    result = at.asks_for("--role", ROLE, "--part", "worker", "--pipeline-path", "ci/")
    assert result.exit_code == 0, result.output
    found = by_sid(json.loads(result.stdout))
    own = "arn:aws:iam::111122223333:role/ci/orders-deploy"
    assert found["GiveToTaggedRolesInsideTheBoundary"]["Resource"] == own
    assert found["TakeAwayFromThesePipelineRoles"]["Resource"] == own
    writers = by_sid(at.prints("guardrails", *STATE, "--part", "scp"))["StateIsWrittenByThePipelineAndByGrants"]
    assert "arn:aws:iam::210987654321:role/orders-deploy" in str(writers["Condition"])
    itself = at.asks_for("--role", "arn:aws:iam::111122223333:role/orders-deploy")
    assert (itself.exit_code, "the worker's own role" in itself.stdout) == (1, True)
