"""`prodaccess ledger rebuild` as it is typed: a real server that has lost everything, a folder as archive, a real key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.providers import know_providers
from bot.runtime.heartbeat import Heartbeats
from tests.support.archives import LOG, archived
from tests.support.build import DANA, NIA
from tests.support.redis_world import RedisWorld
from tests.unit.policy_file.policy_folder import write
from workflows.archive.folder import FolderArchive
from workflows.core.records.grant import GrantState
from workflows.core.seal.public_key import pem_of
from workflows.signing.keys import make_key
from workflows.signing.local import LocalSigner
from workflows.usecases.upkeep.verify_audit import all_faults


@dataclass
class Lost:
    """Two grants were open when Redis was lost; the archive has all of it. `typed` runs the command."""

    world: RedisWorld
    client: Any
    ids: list[str]
    archive: Path
    key: Path

    def typed(self, *more: str, key: str = "", archive: str = "") -> Result:
        words = ("ledger", "rebuild", "--key", key or str(self.key), "--by", "Rosa Ops")
        return CliRunner().invoke(app, [*words, "--archive", archive or str(self.archive), *more])


@pytest.fixture
def lost(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lost]:
    know_providers()
    config, archive, key = tmp_path / "config", tmp_path / "archive", tmp_path / "key.pub.pem"
    write(config)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(config))
    public = make_key(tmp_path / "key.pem")
    key.write_text(pem_of(public))
    signer = LocalSigner((tmp_path / "key.pem").read_bytes(), "the key")
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        world = RedisWorld(client)
        world.activate()
        ids = [world.active(DANA), world.active(NIA)]
        outside = FolderArchive(archive)
        archived(world.ledger, outside, key=public, by=lambda _, message: signer.sign(message))
        client.flushdb()
        world.ledger.trust()
        yield Lost(world, client, ids, archive, key)


def test_it_says_what_would_be_done_and_does_nothing(lost: Lost) -> None:
    answer = lost.typed("--dry-run")
    assert answer.exit_code == 0, answer.output
    assert "The record has none of them: #1 to #" in answer.output
    for id_ in lost.ids:
        assert f"{id_} read-only in payments-prod: ReadOnlyAccess in account 111122223333" in answer.output
    assert answer.output.endswith("Nothing was done (--dry-run).\n")
    assert lost.client.keys("*") == []


def test_all_that_was_open_ends_and_nothing_is_given_until_it_is_accepted(lost: Lost) -> None:
    world = lost.world
    answer = lost.typed()
    assert answer.exit_code == 0, answer.output
    assert "Nothing is given until `prodaccess ledger accept`." in answer.output
    world.ledger.now()
    assert [world.grant(id_).state for id_ in lost.ids] == [GrantState.REVOKING] * 2
    assert all(world.has_access(id_) for id_ in lost.ids)
    # The command has woken workers, of whom none runs here.
    world.woken.update(dict.fromkeys(f"holding:{world.grant(id_).holding}" for id_ in lost.ids))
    world.work()
    assert [world.grant(id_).state for id_ in lost.ids] == [GrantState.REVOKED] * 2
    assert not any(world.has_access(id_) for id_ in lost.ids)
    assert all_faults(world.ledger) == []
    assert lost.typed().output.endswith("There is nothing to do.\n")
    accepted = CliRunner().invoke(app, ["ledger", "accept", "--by", "Rosa Ops", "--reason", "nothing is open"])
    assert "Access is given again." in accepted.output


def test_it_refuses_while_somebody_may_write(lost: Lost) -> None:
    Heartbeats(lost.client).beat("worker")
    answer = lost.typed()
    assert answer.exit_code == 1
    assert (
        "Worker of this installation runs, or did so ten seconds ago. Stop web, worker and clock first" in answer.output
    )
    assert lost.typed("--dry-run").exit_code == 0


def test_what_is_typed_wrongly_is_one_sentence(lost: Lost, tmp_path: Path) -> None:
    make_key(tmp_path / "other.pem")
    other = LocalSigner((tmp_path / "other.pem").read_bytes(), "x").public
    (tmp_path / "other.pub.pem").write_text(pem_of(other))
    answer = lost.typed(key=str(tmp_path / "other.pub.pem"))
    assert answer.exit_code == 1
    assert "Nothing in this archive is proved by that key." in answer.output
    assert "another key" in answer.output
    assert "No key here has the fingerprint" in lost.typed(key="0" * 64).output
    assert "It has none." in lost.typed(archive=f"{tmp_path}/nowhere").output
    assert "The archive has no log abc." in lost.typed("--log", "abc").output
    assert "The archive has no epoch 7 of this log, but 1." in lost.typed("--epoch", "7").output
    (lost.archive / ("b" * 32) / "heads").mkdir(parents=True)
    (lost.archive / ("b" * 32) / "heads" / f"{1:016d}.json").write_text("{}")
    assert f"It has several: say --log, one of {LOG}, {'b' * 32}." in lost.typed().output
    assert lost.typed("--log", LOG).exit_code == 0


@pytest.mark.parametrize("more", [(), ("--epoch", "1")])
def test_a_folder_that_nobody_signed_is_no_epoch(lost: Lost, more: tuple[str, ...]) -> None:
    for name in f"{LOG}-9999", f"{LOG}-{'9' * 5000}"[:200]:
        heads = lost.archive / name / "heads"
        heads.mkdir(parents=True)
        (heads / f"{1:016d}.json").write_text("{}")
    answer = lost.typed("--dry-run", *more)
    assert answer.exit_code == 0, answer.output
    said = "Epoch 9999 has no head that your key proves: epoch 1 is read. Where that is wrong, give the key that signed there"
    assert (said in answer.output) is not bool(more)
    assert "Nothing in this archive is proved" in lost.typed("--epoch", "9999").output


def test_where_no_epoch_is_proved_it_says_which_there_are(lost: Lost, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other.pem")
    (tmp_path / "other.pub.pem").write_text(pem_of(other))
    (lost.archive / f"{LOG}-2" / "heads").mkdir(parents=True)
    (lost.archive / f"{LOG}-2" / "heads" / f"{1:016d}.json").write_text("{}")
    answer = lost.typed(key=str(tmp_path / "other.pub.pem"))
    assert answer.exit_code == 1
    assert "The archive has 1, 2: --epoch says which is meant." in answer.output
