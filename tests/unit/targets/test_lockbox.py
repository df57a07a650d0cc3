"""A provider of targets is a folder: one that the product does not have is registered, and everything else goes on by itself.

Its policy is read and checked, a request of it is made, decided, given, shown and taken away, and its records are stored.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.chat.views.request_view import request_view
from bot.chat.views.state_lines import why_not
from bot.cli import check as check_cli
from bot.cli import policy as policy_cli
from tests.support import build
from tests.support.lockbox import KIND, LOCKBOX, Cabinet, LockboxConnection, LockboxSpec, LockboxTerms
from tests.support.spoken import Listener
from tests.support.world import World
from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, write
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.policy import Policy
from workflows.core.provider import provider_of, providers, registered, spoken
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.request import RequestState
from workflows.ledger import codec
from workflows.ledger.memory import MemoryBuckets
from workflows.policy_file import difference, read_policy
from workflows.policy_file.schema import schemas
from workflows.ports import CorruptRecord
from workflows.targets.aws.provider import AWS
from workflows.targets.registry import AllTargets

VAULT = LockboxConnection("vault", KIND, "R2")
LAB = """\
environment: lab
tier: production
connection: vault
owners: [platform]
requesters: [oncall]
roles:
  drawer: {max_duration: 1h}
"""
EDITS = (
    (WORKSPACE, "connections:\n", "connections:\n  vault: {kind: lockbox, room: R2}\n"),
    (WORKSPACE, "identity_center_group: developers", "identity_center_group: developers, connection: main"),
    (SHOP, "tier: production", "tier: production\nconnection: main"),
    (
        "roles.yaml",
        "roles:\n",
        "roles:\n  drawer:\n    risk: read\n    allows: Open a drawer\n    target: {lockbox: drawer-7}\n",
    ),
    ("environments/lab.yaml", "", LAB),
)


@pytest.fixture(autouse=True)
def _lockbox() -> Iterator[None]:
    with registered(LOCKBOX):
        yield


def problems(folder: Path, *edits: tuple[str, str, str]) -> list[str]:
    return [str(problem) for problem in read_policy(write(folder, *EDITS, *edits)).problems]


def loaded(folder: Path) -> Policy:
    reading = read_policy(write(folder, *EDITS))
    assert reading.policy is not None, reading.problems
    return reading.policy


# ---------------------------------------------------------------- its policy


def test_a_policy_that_has_it_beside_aws_is_read(tmp_path: Path) -> None:
    policy = loaded(tmp_path)
    role = policy.entitlement("lab", "drawer")
    assert role is not None
    assert (role.target, role.connection) == (LockboxSpec(KIND, "drawer-7"), VAULT)
    aws = policy.entitlement("shop-prod", "read-only")
    assert aws is not None
    assert aws.connection.provider == AWS.name


def test_it_is_checked_by_the_command_line(tmp_path: Path) -> None:
    app = typer.Typer()
    check_cli.register(app)
    policy_cli.register(app)
    good = CliRunner().invoke(app, ["check", str(write(tmp_path, *EDITS))])
    assert (good.exit_code, "2 environments" in good.output) == (0, True), good.output
    bad = CliRunner().invoke(
        app, ["check", str(write(tmp_path, *EDITS, ("roles.yaml", "drawer-7}", "drawer-7, colour: red}")))]
    )
    assert bad.exit_code == 1
    assert re.search(r"roles.yaml:5:[0-9]+: no key 'colour' here", bad.output)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("roles.yaml", "lockbox: drawer-7", 'lockbox: "drawer-{nmae}"'), "roles.yaml:5: no placeholder '{nmae}'"),
        (("roles.yaml", "{lockbox: drawer-7}", "{kind: aws-iam-grop, user: x}"), "kind: 'aws-iam-grop' is not possible here"),
        (("roles.yaml", "{lockbox: drawer-7}", "{drawer: 7}"), "kind: is missing"),
        ((WORKSPACE, "{kind: lockbox, room: R2}", "{kind: lockbox}"), "'room' is missing"),
        ((WORKSPACE, "{kind: lockbox, room: R2}", "{kind: lokbox, room: R2}"), "kind: 'lokbox' is not possible here"),
        (("environments/lab.yaml", "connection: vault", "connection: main"), "in Lockbox, and the connection main leads to AWS"),
        (("roles.yaml", "drawer-7", "master"), "can outlive its end: roles.yaml allows copying the master key"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_it_is_said_with_its_place(tmp_path: Path, edit: tuple[str, str, str], said: str) -> None:
    found = problems(tmp_path, edit)
    assert len(found) == 1, found
    assert said in found[0]


def test_a_change_of_it_is_told_in_its_own_words(tmp_path: Path) -> None:
    policy = loaded(tmp_path)
    lab = policy.environments["lab"]
    role = replace(lab.roles["drawer"], target=LockboxSpec(KIND, "drawer-8"))
    other = replace(policy, environments={**policy.environments, "lab": replace(lab, roles={"drawer": role})})
    assert difference(policy, other) == ("lab drawer: target lockbox drawer-7 -> lockbox drawer-8",)


def test_editors_are_told_of_its_keys() -> None:
    assert "lockbox" in schemas()["roles.json"]
    assert "room" in schemas()["prodaccess.json"]


# ---------------------------------------------------------------- a life


class LockboxWorld(World):
    def __init__(self) -> None:
        role = build.entitlement("drawer", target=LockboxSpec(KIND, "drawer-7"), connection=VAULT, account=None)
        super().__init__(build.policy(build.environment(role), connections={"vault": VAULT}))
        self.cabinet = Cabinet({Address("dana@example.com"): "key-1"})
        offered = replace(LOCKBOX, open=lambda *_: self.cabinet)
        targets = AllTargets((offered,), MemoryBuckets(self.clock), time.monotonic)
        self.ctx = replace(self.ctx, targets=targets)


@pytest.fixture
def world() -> LockboxWorld:
    return LockboxWorld()


def said(listener: Listener, id_: str) -> str:
    return "\n".join(message.text for message in listener.posted(id_))


def test_a_life_from_the_ask_to_the_verified_end(world: LockboxWorld) -> None:
    listener = Listener(world)
    id_ = world.asked(role="drawer")
    waiting = said(listener, id_)
    assert "drawer" in waiting
    world.approve(id_)
    world.work()
    assert list(world.cabinet.held) == [world.grant(id_).holding]
    active = said(listener, id_)
    assert "Open drawer drawer-7 in R2" in active
    assert "active until" in active
    assert "seen in Lockbox" in active
    world.advance(3700, step_s=60)
    assert world.grant(id_).state is GrantState.ENDED
    assert world.cabinet.held == {}
    over = said(listener, id_)
    assert "removal verified" in over
    assert not any("AWS" in text for text in (waiting, active, over))


def test_what_cannot_be_removed_is_told_with_what_to_do_by_hand(world: LockboxWorld) -> None:
    listener, id_ = Listener(world), world.active(role="drawer")
    world.cabinet.faults["revoke"] = ["refuse"] * 99
    world.end(id_)
    world.advance(600, step_s=20)
    text = said(listener, id_)
    assert "Take key key-1 to drawer drawer-7 in R2 back" in text
    assert "The lockbox does not let the worker do this" in text


def test_somebody_whom_it_does_not_know_gets_a_sentence_of_it(world: LockboxWorld) -> None:
    listener = Listener(world)
    world.cabinet.people.clear()
    id_ = world.asked(role="drawer")
    assert world.request(id_).state is RequestState.DENIED
    assert "in the lockbox (connection vault)" in said(listener, id_)


def test_a_user_of_it_that_is_anothers_is_said_to_be_one_of_it(world: LockboxWorld) -> None:
    id_ = world.active(role="drawer")
    world.end(id_)
    world.work()
    world.cabinet.people = {Address("nia@example.com"): "key-1"}
    listener, other = Listener(world), world.asked(build.NIA, role="drawer")
    assert "The Lockbox user that I find for Nia" in said(listener, other)
    # Also where a version of before closed it, which wrote down no provider.
    request = world.request(other)
    assert request.closing is not None
    params = {name: value for name, value in request.closing.params.items() if name != "provider"}
    older = replace(request, closing=replace(request.closing, params=params))
    assert "The Lockbox user" in why_not(request_view(older, None, None, world.clock.now()))


# ---------------------------------------------------------------- its records


def test_its_terms_are_stored_flat_and_come_back(world: LockboxWorld) -> None:
    grant = world.grant(world.active(role="drawer"))
    body = codec.encode(keys.grant(grant.id), grant)
    stored = json.loads(body)["terms"]["target"]
    assert stored == {"kind": KIND, "connection": "vault", "room": "R2", "drawer": "drawer-7"}
    assert codec.decode(keys.grant(grant.id), body) == grant


def test_fields_that_a_newer_version_added_are_passed_over(world: LockboxWorld) -> None:
    grant = world.grant(world.active(role="drawer"))
    stored = json.loads(codec.encode(keys.grant(grant.id), grant))
    stored["terms"]["target"]["colour"] = stored["resource"]["target"]["colour"] = "red"
    assert codec.decode(keys.grant(grant.id), json.dumps(stored)) == grant


def test_records_of_a_provider_that_is_not_there_cannot_be_read(world: LockboxWorld) -> None:
    grant = world.grant(world.active(role="drawer"))
    stored = json.loads(codec.encode(keys.grant(grant.id), grant))
    stored["terms"]["target"]["kind"] = "safe"
    with pytest.raises(CorruptRecord, match=r"terms\.target"):
        codec.decode(keys.grant(grant.id), json.dumps(stored))


def test_other_terms_have_another_hash(world: LockboxWorld) -> None:
    grant: Grant = world.grant(world.active(role="drawer"))
    target = grant.terms.target
    assert isinstance(target, LockboxTerms)
    assert replace(grant.terms, target=replace(target, drawer="drawer-8")).hash != grant.terms.hash


# ---------------------------------------------------------------- the list of providers


def test_a_kind_belongs_to_one_provider() -> None:
    assert providers() == (AWS, LOCKBOX)
    assert provider_of(KIND) is LOCKBOX
    with pytest.raises(LookupError):
        provider_of("safe")
    with pytest.raises(ValueError, match="same kind"), registered(replace(LOCKBOX, terms=LockboxTerms)):
        pass
    assert providers() == (AWS, LOCKBOX)


def test_words_without_terms_are_those_of_the_user_or_of_all() -> None:
    assert spoken("provider", "lockbox:key-1") == "Lockbox"
    assert spoken("provider", "iam:111122223333:AIDA") == "AWS"
    assert spoken("provider") == "AWS or Lockbox"


# ---------------------------------------------------------------- nobody else names one

ROOT = Path(__file__).parents[3]
# The folder of the provider itself, the line that lists the providers, the simulated AWS, and the first policy, which is asked
# for and written for AWS.
OWN = (
    *("workflows/targets/aws/", "bot/providers.py", "bot/sandbox/", "bot/setup/"),
    # Documents that AWS alone reads; and what Terraform and AWS say of where production's state is kept.
    *("bot/cli/aws/", "bot/boundaries/", "bot/cli/boundaries.py"),
    # Who somebody is at a terminal AWS says, whatever is given there.
    *("bot/terminal_access/", "bot/cli/terminal.py", "workflows/core/terminal/"),
)
A_PROVIDERS = re.compile(r"\bAWS\b|\bIAM\b|Identity Center|permission_set|instance_arn|role_arn|\bexternal_id\b|aws-i")
# What says it and means no target: credentials and where calls go; groups of people that a directory lists, as others do.
FOR_A_REASON = {
    "bot/__main__.py": "without Slack, Teams or AWS",
    "bot/cli/docs.py": "What the worker needs at AWS",
    "bot/cli/init.py": "an IAM policy with all that it can use to read AWS",
    "bot/cli/policy_cases.py": "neither Redis nor chat nor AWS",
    "bot/settings/__init__.py": "AWS_ENDPOINT_URL|calls to AWS",
    "bot/settings/problems.py": "AWS_ENDPOINT_URL|a real AWS endpoint",
    "bot/slack/app.py": "external_id",
    "bot/slack/shapes.py": "external_id",
    "bot/directory/other_groups.py": "Identity Center",
    "bot/doctor/groups.py": "Identity Center",
    "bot/slack/directory.py": "Identity Center",
    "bot/chat/wording/certification.py": "identity-center",
    # What the command cannot reach.
    "bot/cli/erase.py": "what CloudTrail, a SIEM|in IAM the user's name",
    "bot/gate/proof.py": "a real AWS endpoint",
    # Slack's own word for the name of a window.
    "bot/slack/form_view.py": "external_id",
    "workflows/core/policy.py": "Identity Center|accounts that vouch",
    "workflows/policy_file/raw.py": "Identity Center|accounts that vouch",
    "workflows/policy_file/secret.py": "an AWS access key",
}


def test_nothing_else_names_a_provider_or_a_field_of_one() -> None:
    found = []
    for path in sorted(file for part in ("bot", "workflows") for file in (ROOT / part).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(OWN):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if A_PROVIDERS.search(line) and not re.search(FOR_A_REASON.get(name, "(?!)"), line):
                found.append(f"{name}:{number}: {line.strip()}")
    assert not found
