"""Processes with the key of the audit log, and without: what was done is sealed within seconds, and archived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from bot.queues import SEAL
from tests.chaos.rig import Rig, id_of
from tests.support import warm
from tests.support.held import held
from tests.support.installation import CHAOS, Process
from workflows.archive import archive_of
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import AuditCheck
from workflows.core.records.installation import Installation
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.seal import layout
from workflows.core.seal.check import SealCheck
from workflows.core.seal.trust import Trust
from workflows.ports import Change
from workflows.signing import signer_of, verify
from workflows.signing.keys import make_key
from workflows.signing.words import Cipher
from workflows.usecases.sealing.archived import archived_entries, archived_heads
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.upkeep.verify_audit import faults

pytestmark = pytest.mark.fleet


class SealingRig(Rig):
    """`with_key`: which processes, by label, are given the key."""

    with_key: frozenset[str] = frozenset({"worker"})
    key: Path
    archive: Path

    def environment(self, process: str) -> dict[str, str]:
        env = super().environment(process)
        if process in self.with_key:
            env |= {"PRODACCESS_AUDIT_KEY": str(self.key), "PRODACCESS_AUDIT_BUCKET": f"{self.archive}/"}
        return env

    def start_sealer(self) -> Process:
        """A worker that seals alone: it has the key, the record and the archive, and no chat."""
        env = {name: value for name, value in super().environment("clock").items() if not name.startswith("SLACK_")}
        env |= {"PRODACCESS_AUDIT_KEY": str(self.key), "PRODACCESS_AUDIT_BUCKET": f"{self.archive}/"}
        log = self.folder / "sealer.log"
        start = warm.forked if warm.CAN_FORK else warm.started
        self.processes["sealer"] = Process("worker", start(["worker", "--queue", "seal"], env, log), log)
        return self.processes["sealer"]

    def sealed(self) -> SealState | None:
        return self.ledger().read(keys.SEAL).get(keys.SEAL, SealState)

    def all_sealed(self) -> bool:
        found, ledger = self.sealed(), self.ledger()
        return found is not None and found.size == found.archived == ledger.head() > 0

    def words_lacking(self) -> list[int]:
        """Entries whose words the archive does not give back as the record has them."""
        ledger, archive = self.ledger(), archive_of(f"{self.archive}/")
        made = ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation)
        assert made is not None
        shown, stored = Shown(ledger, Cipher()), list(ledger.stored_entries(limit=1000))
        kept = {entry.number: shown(entry) for entry in archived_entries(archive, layout.folder(made.id, made.epoch))}
        worded = [entry for entry in stored if json.loads(entry.private or b"{}").get("private")]
        assert worded
        return [entry.number for entry in worded if kept[entry.number] != (entry.private or b"").decode()]

    def faults(self) -> list[str]:
        """What an auditor finds, with the public key and the archive."""
        ledger, archive = self.ledger(), archive_of(f"{self.archive}/")
        made = ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation)
        assert made is not None
        folder, state = layout.folder(made.id, made.epoch), ledger.audit_state()
        check = SealCheck(
            self.sealed(),
            Trust(signer_of(str(self.key)).public, verify, made.id),
            heads=archived_heads(archive, folder),
            runs=archived_entries(archive, folder),
        )
        return list(faults(ledger, AuditCheck(state), state.upto, check))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[SealingRig]:
    with keyed(tmp_path, frozenset({"worker"})) as running:
        yield running


@contextmanager
def keyed(folder: Path, with_key: frozenset[str], retention: str = "") -> Iterator[SealingRig]:
    def keep_for(config: Path) -> None:
        file = config / "prodaccess.yaml"
        file.write_text(file.read_text() + f"retention: {retention}\n")

    made = SealingRig(folder, numbers=CHAOS)
    made.prepare = keep_for if retention else None
    made.with_key, made.key, made.archive = with_key, folder / "audit-key.pem", folder / "archive"
    made.archive.mkdir()
    make_key(made.key)
    with made:
        yield made


def test_a_life_is_sealed_within_two_seconds_of_its_last_entry_and_archived(rig: SealingRig) -> None:
    case = rig.case()
    card = case.active()
    rig.end(id_of(card))
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(lambda: "grant.revoked" in rig.events(id_of(card)), "on the record")
    rig.until(rig.all_sealed, "sealed and archived")
    found, newest = rig.sealed(), rig.audit()[-1]
    assert found is not None
    # By the ledger's clock alone; a machine under load may be slow, and says so by more than this.
    assert (found.at - newest.at).total_seconds() < 10
    assert rig.faults() == []
    assert rig.words_lacking() == []
    assert not [sentence for sentence in rig.ready().get("attention", []) if "audit" in sentence]


def test_a_worker_without_the_key_leaves_the_seal_to_one_that_has_nothing_else(tmp_path: Path) -> None:
    with keyed(tmp_path, frozenset()) as rig:
        assert any("not sealed" in sentence for sentence in rig.ready()["attention"])
        sealer = rig.start_sealer()
        rig.until(rig.all_sealed, "what was there is sealed")
        sealer.kill()
        case = rig.case()
        card = case.active()
        with redis.Redis.from_url(rig.redis.url) as client:
            rig.until(lambda: client.llen(f"rq:queue:{SEAL}") > 0, "a wake-up waits")
        sealed = rig.sealed()
        assert sealed is not None
        assert sealed.size < rig.ledger().head()
        assert rig.has(case), "access is given all the same"
        rig.start_sealer()
        rig.until(rig.all_sealed, "sealed by who has the key")
        rig.end(id_of(card))
        rig.until(lambda: rig.gone(case), "gone")
        rig.until(rig.all_sealed, "sealed to the end")
        assert rig.faults() == []


def test_whoever_kills_the_sealer_again_and_again_breaks_nothing(rig: SealingRig) -> None:
    case = rig.case()
    card = case.active()
    for _ in range(3):
        rig.kill("worker")
        rig.relaunch()
    rig.end(id_of(card))
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(rig.all_sealed, "sealed and archived")
    assert rig.faults() == []
    assert rig.ledger().read(keys.LEDGER_DOUBT).items[keys.LEDGER_DOUBT].is_absent


def test_what_is_over_leaves_for_the_archive_by_the_worker_that_has_the_key(tmp_path: Path) -> None:
    with keyed(tmp_path, frozenset({"worker"}), retention="7d") as rig:
        ledger = rig.ledger()
        held(ledger, 900, timedelta(days=100))
        now = ledger.now()
        said = AuditEvent(Event.REQUEST_MADE, "PA-900", now, "0" * 32, "5" * 32, {}, {"reason": "long ago"})
        ledger.commit(Change("long-ago", now, {}, audit=(said,)))
        rig.until(rig.all_sealed, "sealed and archived")
        ledger.remind(keys.RETAINED, 0)
        item = keys.request("PA-900")
        rig.until(lambda: ledger.read(item).items[item].is_absent, "left for the archive")
        stands = ledger.read(keys.RETAINED).get(keys.RETAINED, Retained)
        assert stands is not None
        assert stands.requests == 1
        assert list(rig.archive.rglob("closed/*.jsonl"))
        rig.until(rig.all_sealed, "sealed and archived again")
        assert rig.faults() == []
