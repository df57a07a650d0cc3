"""`pipelines` and `people` in the policy: what they mean, and every slip in one sentence."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, policy, problems, warnings
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import Forge
from workflows.policy_file.difference import difference
from workflows.policy_file.secret import secret_kind

GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "acme/shop/.github/workflows/deploy.yml@refs/heads/main"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
LINE = (
    f'  - {{issuer: "{GITHUB}", repository_id: "1296269", repository_owner_id: "583231",'
    f' events: [push, workflow_dispatch], workflow: "{WORKFLOW}"}}'
)
LAB = '  - {issuer: "https://gitlab.example.com", project_id: "20", namespace_id: "72", events: [push], name: lab}'


def written(*lines: str) -> tuple[str, str, str]:
    return WORKSPACE, "digests:", "\n".join(("pipelines:", *lines, "digests:"))


def known(text: str) -> tuple[str, str, str]:
    return WORKSPACE, "digests:", f"people: {text}\ndigests:"


def test_a_pipeline_of_github_is_read_as_it_is_written(tmp_path: Path) -> None:
    assert policy(tmp_path, written(LINE)).pipelines == (
        Pipeline(
            name="1296269",
            forge=Forge.GITHUB,
            issuer=GITHUB,
            repository_id="1296269",
            owner_id="583231",
            events=("push", "workflow_dispatch"),
            workflow=WORKFLOW,
        ),
    )


def test_a_pipeline_of_gitlab_and_one_with_a_key(tmp_path: Path) -> None:
    keyed = f"  - {{name: jenkins, key: {PUBLIC}, environments: [shop-prod]}}"

    lab, jenkins = policy(tmp_path, written(LAB, keyed)).pipelines

    assert (lab.forge, lab.repository_id, lab.owner_id, lab.ref_protected) == (Forge.GITLAB, "20", "72", True)
    assert (jenkins.forge, jenkins.environments, jenkins.ref_protected) == (Forge.KEY, ("shop-prod",), False)
    assert bytes.fromhex(jenkins.key) == KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert jenkins.repository_id == f"key:{jenkins.key[:16]}"


def test_a_public_key_is_no_secret_and_a_private_one_is() -> None:
    private = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    assert secret_kind(PUBLIC) is None
    assert secret_kind(base64.b64encode(private).decode()) == "a private key"
    assert secret_kind(f"{PUBLIC}{PUBLIC}") is not None


def test_whose_an_account_is(tmp_path: Path) -> None:
    found = policy(tmp_path, known("{Olu@example.com: {github: 583231, gitlab: 77}, pat@example.com: {github: 5}}"))

    assert found.forge_ids == {
        "olu@example.com": {"github": 583231, "gitlab": 77},
        "pat@example.com": {"github": 5},
    }


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "push, workflow_dispatch",
            "pull_request",
            "'pull_request' can never ask for a gate: runs that it starts can hold",
        ),
        ("push, workflow_dispatch", "push, pull_request_target", "'pull_request_target' can never ask for a gate"),
        ("push, workflow_dispatch", "workflow_run", "'workflow_run' can never ask for a gate"),
        ("push, workflow_dispatch", "issue_comment", "'issue_comment' can never ask for a gate"),
        ("push, workflow_dispatch", "pussh", "'pussh' is no event that may ask for a gate; did you mean 'push'?"),
        ("push, workflow_dispatch", "web", "'web' is no event of GitHub"),
        ("push, workflow_dispatch", "", "is empty"),
        ("events: [push, workflow_dispatch], ", "", "a pipeline with 'repository_id' needs 'events', too"),
        ('"1296269"', "1296269", "repository_id: YAML reads '1296269' as a number; put it in quotes"),
        ('"1296269"', '"acme/shop"', "'acme/shop' is not a numeric id; it has digits alone"),
        (', repository_owner_id: "583231"', "", "needs 'repository_owner_id', too"),
        ('repository_id: "1296269"', 'repository_id: "1", project_id: "2"', "several of these stand together"),
        ('repository_id: "1296269", ', "", "nothing says which pipeline this is; a pipeline has one of repository_id"),
        (
            "workflow:",
            "namespace_id: '7', workflow:",
            "'namespace_id' means nothing beside 'repository_id'; take it out",
        ),
        ("workflow:", "ref: main, workflow:", "'main' is not a whole ref; write it like refs/heads/main"),
        (GITHUB, "http://token.example.com", "'http://token.example.com' is not the address of an issuer"),
        (GITHUB, f"{GITHUB}/", "is not the address of an issuer; write it as the token has it in 'iss'"),
        (GITHUB, "https://a@evil.example.com", "is not the address of an issuer"),
        (GITHUB, "http://127.0.0.1.evil.example.com", "is not the address of an issuer"),
        ("workflow:", "environments: [shop-prd], workflow:", "no environment 'shop-prd'; did you mean 'shop-prod'?"),
        ("workflow:", "branch: main, workflow:", "no key 'branch' here"),
    ],
)
def test_a_slip_is_told_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in LINE
    said = problems(tmp_path, written(LINE.replace(old, new, 1)))

    assert len(said) == 1, said
    assert sentence in said[0]
    assert said[0].startswith(f"{WORKSPACE}:")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((LINE, LINE), "two pipelines are called '1296269'; give each a name of its own"),
        (("  - {name: j, key: MCowBQYDK2VwAyEAshort}",), "key: this is no Ed25519 public key; take the line between"),
        ((f"  - {{name: a, key: {PUBLIC}}}", f"  - {{name: b, key: {PUBLIC}}}"), "two pipelines have the same key"),
        ((f"  - {{key: {PUBLIC}}}",), "a pipeline with 'key' needs 'name', too"),
        ((f"  - {{name: a, key: {PUBLIC}, events: [push]}}",), "'events' means nothing beside 'key'"),
        ((LINE, LAB.replace("https://gitlab.example.com", GITHUB)), "cannot be GitHub's and GitLab's"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, lines: tuple[str, ...], sentence: str) -> None:
    said = problems(tmp_path, written(*lines))

    assert len(said) == 1, said
    assert sentence in said[0]


def test_a_stand_in_on_this_machine_may_be_an_issuer(tmp_path: Path) -> None:
    (found,) = policy(tmp_path, written(LINE.replace(GITHUB, "http://127.0.0.1:8123"))).pipelines

    assert found.issuer == "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "{olu@example.com: {github: 7}, pat@example.com: {github: 7}}",
            "github 7 is of 'olu@example.com' and of 'pat@",
        ),
        (
            "{olu@exmaple.com: {github: 7}}",
            "'olu@exmaple.com' is outside of email_domains; did you mean 'example.com'?",
        ),
        ("{olu@example.com: {github: dana}}", "must be a whole number"),
        ("{olu@example.com: {github: 0}}", "must be at least 1"),
        ("{olu@example.com: {githbu: 7}}", "no key 'githbu' here; did you mean 'github'?"),
        ("{olu: {github: 7}}", "'olu' is not an e-mail address"),
    ],
)
def test_a_slip_in_people_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    said = problems(tmp_path, known(text))

    assert len(said) == 1, said
    assert sentence in said[0]


def test_a_change_is_one_readable_line(tmp_path: Path) -> None:
    before = policy(tmp_path / "a")
    after = policy(tmp_path / "b", written(LINE), known("{olu@example.com: {gitlab: 7, github: 583231}}"))

    assert difference(before, after) == (
        "workspace: people olu@example.com nothing -> github 583231, gitlab 7",
        f"workspace: pipeline 1296269 nothing -> GitHub 1296269 of owner 583231, by {GITHUB}; started by push or "
        f"workflow_dispatch; defined by {WORKFLOW}; asks for all environments",
    )


GATED = (SHOP, "title: Shop", "title: Shop\ngates: {deploy: {approve: {owners: 1}}}")


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        (
            (written(LINE),),
            ["the pipeline 1296269 can ask for nothing: none of its environments has a gate; add gates:"],
        ),
        ((written(LINE), GATED), []),
        ((written(LAB.replace("events:", "environments: [shop-prod], events:")), GATED), []),
        (
            (written(LINE.replace("workflow:", "ref_protected: false, workflow:")), GATED),
            [
                "the pipeline 1296269 asks for production from branches that nobody protects; take ref_protected: false out"
            ],
        ),
    ],
)
def test_what_is_unwise_is_warned_of(tmp_path: Path, edits: tuple[tuple[str, str, str], ...], words: list[str]) -> None:
    said = [one for one in warnings(tmp_path, *edits) if "pipeline" in one]

    assert len(said) == len(words), said
    assert all(word in one for word, one in zip(words, said, strict=True))


RULED = LINE.replace(
    "workflow:", "environment: production, environments: [shop-prod], protection_rule: deploy, workflow:"
)


HELD_LAB = LAB.replace(
    "name: lab", "environment: production, environments: [shop-prod], protection_rule: deploy, name: lab"
)


def test_gitlab_s_environment_waits_at_the_gate_that_the_rule_names(tmp_path: Path) -> None:
    """A project and a repository of the same number are two."""
    lab = HELD_LAB.replace('project_id: "20"', 'project_id: "1296269"')
    first, second = policy(tmp_path, written(RULED, lab), GATED).pipelines
    assert (first.forge, first.rule, second.forge, second.rule) == (Forge.GITHUB, "deploy", Forge.GITLAB, "deploy")
    (line,) = difference(
        policy(tmp_path / "a", written(LAB.replace("name: lab", "environments: [shop-prod], name: lab")), GATED),
        policy(tmp_path / "b", written(HELD_LAB), GATED),
    )
    assert "GitLab waits at the gate deploy" in line


def test_github_s_environment_waits_at_the_gate_that_the_rule_names(tmp_path: Path) -> None:
    (found,) = policy(tmp_path, written(RULED), GATED).pipelines

    assert (found.rule, found.environment, found.environments) == ("deploy", "production", ("shop-prod",))
    assert policy(tmp_path / "b", written(LINE)).pipelines[0].rule == ""


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        (
            (written(RULED.replace("environment: production, ", "")), GATED),
            "says at which gate of which of our environments",
        ),
        ((written(RULED.replace("[shop-prod]", "[shop-prod, shop-prod]")), GATED), "in environments the one of ours"),
        ((written(RULED.replace("environments: [shop-prod], ", "")), GATED), "in environments the one of ours"),
        ((written(RULED.replace("rule: deploy", "rule: release")), GATED), "has no gate release; it has: deploy"),
        ((written(RULED),), "has no gate deploy; add gates:"),
        ((written(RULED, RULED.replace("events:", "name: b, events:")), GATED), "for the same environment of GitHub"),
        (
            (written(LAB.replace("name: lab", "name: lab, protection_rule: deploy")), GATED),
            "which of our environments GitLab's waits; write environment as GitLab calls it",
        ),
        (
            (written(HELD_LAB.replace("name: lab", "name: lab, workflow: file")), GATED),
            "'workflow' cannot be proved beside 'protection_rule': GitLab does not tell",
        ),
        (
            (written(HELD_LAB, HELD_LAB.replace("name: lab", "name: two")), GATED),
            "for the same environment of GitLab",
        ),
    ],
)
def test_a_rule_that_could_not_work_is_told(
    tmp_path: Path, edits: tuple[tuple[str, str, str], ...], sentence: str
) -> None:
    said = problems(tmp_path, *edits)

    assert len(said) == 1, said
    assert sentence in said[0]


def test_a_rule_stands_in_the_difference(tmp_path: Path) -> None:
    (line,) = difference(
        policy(tmp_path / "a", written(RULED.replace(", protection_rule: deploy", "")), GATED),
        policy(tmp_path / "b", written(RULED), GATED),
    )

    assert line.endswith("asks for shop-prod; GitHub waits at the gate deploy")
