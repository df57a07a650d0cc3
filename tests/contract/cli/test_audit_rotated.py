"""`prodaccess audit rotate`: another key signs from now on, and an auditor can follow from either."""

from __future__ import annotations

import json
from importlib import import_module
from types import SimpleNamespace

import pytest
from typer.testing import Result

from tests.contract.cli.test_audit_tampered import P, Rig, rig, run
from tests.support.hand_sealer import envelope, fingerprint
from tests.support.redis_users import put_in_place
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.seal.statement import fits, key_change_in
from workflows.ports import LEASE_S, Signer
from workflows.signing import verify

__all__ = ["rig"]

SAID = ("--by", "Rosa Ops", "--reason", "a year is over")


def rotate(rig: Rig, new: str = "next.pem", old: str = "key.pem") -> Result:
    return run("rotate", str(rig.folder / new), "--old", str(rig.folder / old), *SAID)


def test_a_new_key_is_signed_by_the_old_one_and_both_lead_to_it(rig: Rig) -> None:
    before, after = rig.sealer.signer, rig.sealer.new_key("next")
    answer = rotate(rig)
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith(f"The key {fingerprint(after.public)} signs from now on")
    state = rig.sealer.state()
    assert state is not None
    (change,) = state.key_changes
    said = key_change_in(change.statement)
    assert fits(change, before.public, verify)
    assert (said.old, said.new, said.size) == (fingerprint(before.public), fingerprint(after.public), 9)
    entry = rig.ledger.entries(after=rig.ledger.head() - 1)[-1]
    assert (entry.event, entry.private["actor_name"]) == (Event.AUDIT_KEY_CHANGED, "Rosa Ops")
    assert (entry.facts["old"], entry.facts["new"], entry.facts["size"]) == (said.old, said.new, "9")
    rig.sealer.seal(by=after)
    for key in str(rig.sealer.public), fingerprint(before.public), str(rig.folder / "next.pub.pem"):
        for more in (), rig.exported():
            checked = run("verify", *more, "--key", key, *rig.archive)
            assert checked.exit_code == 0, checked.output
    followed = run("verify", *rig.key).output
    assert f"Signed by your key {said.old[:12]}, which handed over to {said.new[:12]}." in followed


def test_heads_of_the_old_key_after_the_change_are_none(rig: Rig) -> None:
    """Whoever has stolen it cannot go on with it."""
    rig.sealer.new_key("next")
    rotate(rig)
    rig.sealer.seal(archived=False)
    answer = run("verify", *rig.key)
    assert (answer.exit_code, "that was not in use then" in answer.output) == (1, True)


def test_a_proof_leads_over_the_change_too(rig: Rig) -> None:
    after = rig.sealer.new_key("next")
    rotate(rig)
    rig.sealer.seal(by=after)
    made = run("prove", "3")
    (rig.folder / "p.json").write_text(made.output)
    for key in rig.sealer.public, rig.folder / "next.pub.pem":
        assert run("prove", "--check", str(rig.folder / "p.json"), "--key", str(key)).exit_code == 0


def test_the_public_half_of_the_new_key_is_enough(rig: Rig) -> None:
    rig.sealer.new_key("next")
    assert rotate(rig, new="next.pub.pem").exit_code == 0


def test_only_the_key_that_signs_now_can_hand_over(rig: Rig) -> None:
    rig.sealer.new_key("next"), rig.sealer.new_key("other")
    wrong = rotate(rig, old="other.pem")
    assert (wrong.exit_code, "is not the key that signs now" in wrong.output) == (1, True)
    assert rotate(rig, new="key.pem").output.endswith("signs already.\n")
    assert rotate(rig).exit_code == 0
    assert rotate(rig, new="other.pem").exit_code == 1, "its turn is over"
    again = rotate(rig, new="key.pem", old="next.pem")
    assert (again.exit_code, "signed before: make a new one" in again.output) == (1, True)
    missing = rotate(rig, old="nothing.pem")
    assert (missing.exit_code, "cannot be read" in missing.output) == (1, True)
    assert run("rotate", "next.pem", *SAID).exit_code == 2


def test_it_waits_for_a_head_that_is_being_signed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.sealer.new_key("next")
    lease = rig.ledger.acquire(keys.SEAL)
    assert lease is not None
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if sum(waited) >= LEASE_S / 2:
            rig.ledger.release(lease)

    monkeypatch.setattr(import_module("bot.cli.audit.rotate"), "time", SimpleNamespace(sleep=pause))
    assert rotate(rig).exit_code == 0
    assert waited


def test_the_operators_own_user_may_do_it(rig: Rig, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.sealer.new_key("next")
    user = "prodaccess-operator"
    put_in_place(rig.client, user)
    # Tests that run at once have a database each.
    rig.client.execute_command("ACL", "SETUSER", user, "+select")
    monkeypatch.setenv("REDIS_URL", f"redis://{user}:{user}@{redis_url.rpartition('@')[2]}")
    try:
        answer = rotate(rig)
        assert answer.exit_code == 0, answer.output
        assert run("verify", *rig.key, *rig.archive).exit_code == 0
    finally:
        rig.client.acl_deluser(user)


def test_where_nothing_is_sealed_there_is_nothing_to_hand_over(rig: Rig) -> None:
    rig.client.delete(f"{P}record:{keys.SEAL}")
    rig.sealer.new_key("next")
    answer = rotate(rig)
    assert (answer.exit_code, "Nothing is sealed yet" in answer.output) == (0, True)
    assert json.loads(rig.client.get(f"{P}record:{keys.INSTALLATION}").partition(":")[2])["id"] == rig.sealer.log


# ---------------------------------------------------------------- another epoch


def lost(rig: Rig) -> Signer:
    """Redis is lost after the key was changed, and rebuilt: only the first epoch's folder knows of it. Returns the new key."""
    after = rig.sealer.new_key("next")
    assert rotate(rig).exit_code == 0
    state = rig.sealer.seal(by=after)
    (change,) = state.key_changes
    rig.sealer.archive.put(f"{rig.sealer.at}/keys/{9:016d}.json", envelope(change))
    rig.client.delete(f"{P}record:{keys.SEAL}")
    rig.sealer.begin(epoch=2)
    return after


def test_the_chain_of_keys_leads_over_the_loss_of_all_of_redis(rig: Rig) -> None:
    after = lost(rig)
    before = fingerprint(rig.sealer.signer.public)
    assert rig.sealer.seal(by=after).key_changes == ()
    for key in str(rig.sealer.public), before, str(rig.folder / "next.pub.pem"):
        for more in (), rig.exported():
            checked = run("verify", *more, "--key", key, *rig.archive)
            assert checked.exit_code == 0, checked.output
    assert "does not lead" not in run("verify", *rig.key, *rig.archive).output


def test_a_key_that_was_exchanged_signs_nothing_in_a_later_epoch(rig: Rig) -> None:
    """Whoever has stolen it begins an epoch, and ends it below the size at which the key was changed."""
    lost(rig)
    rig.rewrite(rig.read()[:7])
    rig.sealer.seal()
    answer = run("verify", *rig.key, *rig.archive)
    assert (answer.exit_code, "that was not in use then" in answer.output) == (1, True)


def test_a_change_of_a_later_epoch_names_it(rig: Rig) -> None:
    rig.sealer.begin(epoch=2)
    rig.sealer.seal()
    after = rig.sealer.new_key("next")
    assert rotate(rig).exit_code == 0
    state = rig.sealer.seal(by=after)
    assert key_change_in(state.key_changes[0].statement).epoch == 2
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 0, answer.output
