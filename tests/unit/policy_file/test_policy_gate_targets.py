"""What a gate gives the pipeline's own role, as the files say it: read, refused, compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, policy, problems, warnings
from workflows.core.loosening import Kind, loosened
from workflows.policy_file import difference
from workflows.policy_file.looser_words import looser
from workflows.targets.aws.terms import own_terms

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TARGET = "target: {kind: aws-iam-role-policy, role: shop-deploy, policy: policies/state.json}"
OUTLIVING = (
    "policies/keys.json",
    "",
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}]}',
)


def gate(words: str = f"{TARGET}, for: 30m") -> tuple[str, str, str]:
    return SHOP, "title: Shop", f"title: Shop\ngates: {{deploy: {{approve: {{owners: 1}}, {words}}}}}"


def test_a_gate_gives_a_role_of_the_environments_account_something_for_a_time(tmp_path: Path) -> None:
    gives = policy(tmp_path, gate()).environments["shop-prod"].gates["deploy"].gives
    assert gives is not None
    assert gives.duration == timedelta(minutes=30)
    terms = own_terms(gives.target.terms(gives.connection, "shop-prod", gives.account, None))
    assert (terms.role, terms.gate, terms.account) == ("shop-deploy", "shop-prod", "111122223333")
    assert terms.document is not None
    assert "arn:aws:s3:::state/*" in terms.document


def test_a_gate_without_a_target_gives_nothing(tmp_path: Path) -> None:
    found = policy(tmp_path, gate("hours: {days: [mon], from: '08:00', until: '17:00'}"))
    assert found.environments["shop-prod"].gates["deploy"].gives is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (TARGET, "'target' stands without 'for'"),
        ("for: 30m", "'for' stands without 'target'"),
        (f"{TARGET}, for: 13h", "'for' is longer than a job can want it"),
        (
            f"{TARGET.replace('shop-deploy', 'AWSReservedSSO_Admin_1')}, for: 30m",
            "is not the name of a pipeline's role",
        ),
        (f"{TARGET.replace('shop-deploy', 'arn:aws:iam::1:role/x')}, for: 30m", "is not the name of a pipeline's role"),
        (f"{TARGET.replace('state.json', 'stat.json')}, for: 30m", "no template 'policies/stat.json'"),
        ("target: {kind: aws-iam-policy, user: dana, policy: policies/state.json}, for: 30m", "kind"),
        ("outlives: because", "'outlives' means nothing without 'target'"),
    ],
)
def test_a_slip_is_told(tmp_path: Path, words: str, said: str) -> None:
    found = problems(tmp_path, gate(words))
    assert any(said in one for one in found), found


def test_a_role_of_people_cannot_be_given_it(tmp_path: Path) -> None:
    role = 'target: {kind: aws-iam-policy, user: "{local_part}", policy: policies/state.json}'
    found = problems(tmp_path, ("roles.yaml", role, TARGET))
    assert found


def test_an_environment_without_an_account_has_none_to_give_in(tmp_path: Path) -> None:
    found = problems(tmp_path, gate(), (SHOP, 'account: "111122223333"\n', ""))
    assert any("the gate deploy of shop-prod needs an account" in one for one in found), found


def test_the_workers_own_role_is_given_nothing(tmp_path: Path) -> None:
    own = "{kind: aws, region: eu-central-1, role_arn: 'arn:aws:iam::111122223333:role/ci/shop-deploy'}"
    found = problems(tmp_path, gate(), (WORKSPACE, "{kind: aws, region: eu-central-1}", own))
    assert any("shop-deploy is the worker's own role" in one for one in found), found


def test_a_template_that_names_a_person_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, gate(), ("policies/state.json", "state/*", "state/{local_part}"))
    assert any("the gate deploy of shop-prod: There is no value for {local_part} here" in one for one in found), found


def test_what_outlives_the_end_has_to_say_why(tmp_path: Path) -> None:
    given = f"{TARGET.replace('state.json', 'keys.json')}, for: 30m"
    found = problems(tmp_path / "a", gate(given), OUTLIVING)
    assert any("can outlive its end: policies/keys.json allows iam:CreateAccessKey" in one for one in found), found
    assert policy(tmp_path / "b", gate(f"{given}, outlives: keys are rotated by hand"), OUTLIVING)
    assert any(
        "says why it outlives its end" in one
        for one in warnings(tmp_path / "c", gate(f"{TARGET}, for: 30m, outlives: x"))
    )


@pytest.mark.parametrize(
    ("before", "after", "kind", "words"),
    [
        (
            f"{TARGET}, for: 30m",
            f"{TARGET}, for: 1h",
            Kind.DURATION,
            "shop-prod gate deploy: for 30 min -> 1 h",
        ),
        (
            f"{TARGET}, for: 30m",
            f"{TARGET.replace('shop-deploy', 'admin-deploy')}, for: 30m",
            Kind.TARGET,
            "shop-prod gate deploy: gives aws-iam-role-policy role shop-deploy policies/state.json",
        ),
        (
            "expires_after: 1h",
            f"{TARGET}, for: 30m",
            Kind.TARGET,
            "shop-prod gate deploy: gives nothing -> aws-iam-role-policy",
        ),
        (f"{TARGET}, for: 30m", "expires_after: 1h", Kind.TARGET, "shop-prod gate deploy: gives aws-iam-role-policy"),
    ],
)
def test_what_it_gives_is_told_where_it_becomes_looser(
    tmp_path: Path, before: str, after: str, kind: Kind, words: str
) -> None:
    old, new = policy(tmp_path / "a", gate(before)), policy(tmp_path / "b", gate(after))
    found = [one for one in loosened(old, new, NOW) if one.kind is kind]
    assert any(line.startswith(words) for line in looser(found)), looser(found)


def test_a_shorter_time_is_not_looser(tmp_path: Path) -> None:
    old, new = policy(tmp_path / "a", gate(f"{TARGET}, for: 1h")), policy(tmp_path / "b", gate())
    assert list(loosened(old, new, NOW)) == []


def test_the_difference_tells_what_is_given(tmp_path: Path) -> None:
    old, new = policy(tmp_path / "a", gate("expires_after: 1h")), policy(tmp_path / "b", gate(f"{TARGET}, for: 30m"))
    said = " ".join(difference(old, new))
    assert "role shop-deploy" in said
    assert "30 min" in said
