"""The bot gets the example with the channels of Teams in it, and each change of it."""

from pathlib import Path

import pytest

from bot.providers import know_providers
from bot.sandbox.installation.interrupts import CONFIG
from bot.sandbox.installation.people import INCIDENT, OWNERS_ROOM, RECEIPTS, channels_of_both
from bot.sandbox.installation.policy_copy import PolicyCopy
from workflows.core.policy import Policy
from workflows.policy_file import load_policy


@pytest.fixture
def copy(tmp_path: Path) -> PolicyCopy:
    source = tmp_path / "config"
    for path in CONFIG.rglob("*.*"):
        (source / path.relative_to(CONFIG)).parent.mkdir(parents=True, exist_ok=True)
        (source / path.relative_to(CONFIG)).write_bytes(path.read_bytes())
    made = PolicyCopy(source, tmp_path / "copy", channels_of_both(), (INCIDENT,))
    made.look()
    return made


def test_each_channel_is_named_in_both_chats(copy: PolicyCopy, tmp_path: Path) -> None:
    know_providers()
    policy = load_policy(tmp_path / "copy")
    assert isinstance(policy, Policy)
    there = channels_of_both()
    assert policy.receipts_channels == (RECEIPTS, f"teams:channel:{there[RECEIPTS]}")
    assert policy.environments["orders-prod"].approvals_channels == (OWNERS_ROOM, f"teams:channel:{there[OWNERS_ROOM]}")
    assert policy.incident_channels.teams == (f"teams:channel:{there[INCIDENT]}",)
    assert all(len(digest.channels) == 2 for digest in policy.digests)


def test_what_is_changed_added_or_taken_away_is_so_in_the_copy(copy: PolicyCopy, tmp_path: Path) -> None:
    source, to = tmp_path / "config", tmp_path / "copy"
    (source / "roles.yaml").write_text("changed: true\n")
    (source / "environments" / "new.yaml").write_text("approvals_channel: C0ORDERSOPS\n")
    (source / "environments" / "orders-dev.yaml").unlink()
    copy.look()
    assert (to / "roles.yaml").read_text() == "changed: true\n"
    assert "teams:19:" in (to / "environments" / "new.yaml").read_text()
    assert not (to / "environments" / "orders-dev.yaml").exists()
