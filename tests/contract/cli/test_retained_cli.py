"""Commands that tell of the past tell the same after it has left for the archive; without one they say what is missing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.wiring.common import RandomSource
from tests.support.build import DANA, NIA
from tests.support.build import policy as a_policy
from tests.support.hand_sealer import fingerprint
from tests.support.held import held
from tests.support.world import FixedPolicy
from tests.unit.policy_file.policy_folder import write
from workflows.archive.folder import FolderArchive
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import linking
from workflows.core.canonical_json import canonical_json
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.retained import Retained
from workflows.core.seal.public_key import PublicKey
from workflows.ledger.codec import encode
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Lease
from workflows.signing import signer_of, verify
from workflows.signing.keys import make_key
from workflows.signing.words import Cipher
from workflows.usecases.sealing.sealer import Sealer
from workflows.usecases.shared.context import Context
from workflows.usecases.upkeep.retention.ground import ground_of
from workflows.usecases.upkeep.retention.retainer import SUBJECT, Retainer
from workflows.usecases.upkeep.retention.trimming import Trimming

DAY = timedelta(days=1)
OLD = ("PA-1", "PA-2")


class Keeper:
    @contextmanager
    def keep(self, lease: Lease) -> Iterator[Callable[[], Lease | None]]:
        yield lambda: lease


@dataclass
class Rig:
    ledger: RedisLedger
    ctx: Context
    archive: FolderArchive
    sealer: Sealer
    public: PublicKey

    def said(self, event: Event, subject: str, **private: str) -> None:
        now, name = self.ledger.now(), f"{self.ledger.head() + 1:032x}"
        entry = AuditEvent(event, subject, now, name, name, {}, private)
        self.ledger.commit(Change(f"said-{name}", now, {}, audit=(entry,)))

    def leave(self) -> None:
        """What is over for 30 days, and then every entry that may."""
        Retainer(self.ctx, self.archive, Cipher(), encode).bite()
        policy = self.ctx.policy.current()
        ground = ground_of(self.ctx, policy, policy.retention or DAY)
        Trimming(self.ctx, self.archive, Cipher()).trim(replace(ground, before=ground.snapshot.now + DAY), SUBJECT)
        self.sealer.seal()

    @property
    def noted(self) -> Retained:
        return self.ledger.read(keys.RETAINED).get(keys.RETAINED, Retained) or Retained()

    @property
    def key(self) -> tuple[str, str]:
        return "--key", fingerprint(self.public)


@pytest.fixture
def rig(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Two requests that are long over, and one of yesterday; sealed and archived."""
    (tmp_path / "config").mkdir()
    write(tmp_path / "config")
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("PRODACCESS_AUDIT_BUCKET", f"{tmp_path}/archive")
    ledger = RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)
    policy = replace(a_policy(), retention=30 * DAY)
    ctx = Context(
        ledger,
        RedisDirectory(redis_client),
        FixedPolicy(policy),
        lambda *_items: None,
        RandomSource(),
        fault=lambda *_a, **_f: "E-1",
    )
    made, archive = make_key(tmp_path / "key.pem"), FolderArchive(tmp_path / "archive")
    signer = signer_of(str(tmp_path / "key.pem"))
    sealer = Sealer(ctx, signer, archive, verify, Keeper(), lambda: 0.0, Cipher())
    found = Rig(ledger, ctx, archive, sealer, made)
    now = ledger.now()
    began(redis_client, now - 200 * DAY)
    ledger.commit(
        Change("policy", now, {keys.ACTIVE_POLICY: 0}, puts={keys.ACTIVE_POLICY: ActivePolicy(policy.hash, now)})
    )
    for number, (ago, who, name) in enumerate(((100, DANA, "Dana"), (95, NIA, "Nia"), (2, DANA, "Dana")), 1):
        held(ledger, number, ago * DAY, who, name)
        found.said(Event.REQUEST_MADE, f"PA-{number}", actor=who, actor_name=name, reason=f"INC-{number} a look")
        found.said(Event.GRANT_ENDED, f"PA-{number}", reason="time")
    sealer.seal()
    return found


def began(client: redis.Redis, at: datetime) -> None:
    """The record begins then: an entry of the past, which no commit would take."""
    body = canonical_json(AuditEvent(Event.POLICY_ACTIVATED, "policy-1", at, "0" * 32, "5" * 32).body())
    link = linking("", 1, hashlib.sha256(body).hexdigest())
    client.xadd("prodaccess:audit", {"body": body, "digest": hashlib.sha256(body).hexdigest(), "link": link}, id="1-0")
    client.hset("prodaccess:audit:private", "1", canonical_json({"salt": "5" * 32, "private": {}}))
    client.rpush("prodaccess:audit:of:policy-1", 1)
    client.set("prodaccess:audit:head", f"1:{link}")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def without_now(answer: Result) -> object:
    assert answer.exit_code == 0, answer.output
    return answer.stdout


LOOKS = [
    ("report", "--since", "110d", "--rows", "grants", "--format", "csv"),
    ("report", "--since", "110d", "--rows", "grants", "--format", "json"),
    ("show", "PA-1", "--json"),
    ("show", "PA-2"),
    ("show", "PA-3"),
]


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_the_same_is_told_after_it_has_left(rig: Rig, words: tuple[str, ...]) -> None:
    before = run(*words)
    assert before.exit_code == 0, before.output
    rig.leave()
    assert (rig.noted.requests, rig.noted.first) == (2, 6)
    for id_ in OLD:
        assert rig.ledger.read(keys.request(id_)).items[keys.request(id_)].is_absent
    after = run(*words)
    assert (after.exit_code, after.output) == (0, before.output)


def test_the_review_counts_what_has_left(rig: Rig) -> None:
    words = ("report", "--since", "110d", "--format", "json")
    before = json.loads(run(*words).stdout)
    rig.leave()
    after = json.loads(run(*words).stdout)
    same = ("sums", "access")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["sums"]["asked"] == 3


def test_suggestions_rest_on_what_has_left_too(rig: Rig) -> None:
    words = ("report", "--suggest", "--since", "110d", "--json")
    before = json.loads(run(*words).stdout)
    assert before["too_few_asks"] == 1
    rig.leave()
    after = json.loads(run(*words).stdout)
    gone = ("since", "until", "not_read")
    assert {k: v for k, v in after.items() if k not in gone} == {k: v for k, v in before.items() if k not in gone}
    assert not [line for line in after["not_read"] if "archive" in line or "cannot be read" in line]


def test_suggestions_say_what_of_the_archive_nobody_can_read_any_more(rig: Rig) -> None:
    rig.leave()
    key = keys.words_key(DANA)
    rig.ledger.commit(Change("gone", rig.ledger.now(), rig.ledger.read(key).versions(), deletes=frozenset({key})))
    answer = run("report", "--suggest", "--since", "110d")
    assert (answer.exit_code, "1 cannot be read: PA-1" in answer.output) == (1, True), answer.output


def test_without_the_archive_it_is_said_what_is_missing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.leave()
    monkeypatch.delenv("PRODACCESS_AUDIT_BUCKET")
    sentence = "is in the archive, which this command cannot read here: set PRODACCESS_AUDIT_BUCKET."
    shown = run("show", "PA-1")
    assert (shown.exit_code, "There is no request PA-1 in the record." in shown.output) == (1, True)
    assert sentence in shown.output
    assert sentence in run("report", "--since", "110d").output
    assert sentence not in run("report", "--since", "10d").output
    assert run("show", "PA-3").exit_code == 0
    assert sentence in run("audit", "export").stderr
    proved = run("audit", "prove", "2")
    assert (proved.exit_code, sentence in proved.output) == (1, True)
    bundle = run("audit", "bundle", f"{os.environ['PRODACCESS_CONFIG']}-evidence")
    assert (bundle.exit_code, sentence in bundle.output) == (1, True)


def test_the_whole_log_is_checked_with_the_archive_and_the_rest_without(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.leave()
    whole = run("audit", "verify", *rig.key)
    assert whole.exit_code == 0, whole.output
    head = rig.ledger.head()
    assert f"{head} entries, 0 faults." in whole.output
    assert "#1 to #5 are in the archive alone, and were compared there." in whole.output
    monkeypatch.delenv("PRODACCESS_AUDIT_BUCKET")
    rest = run("audit", "verify", *rig.key)
    assert rest.exit_code == 0, rest.output
    assert f"{head - 5} entries, 0 faults." in rest.output
    assert "#1 to #5 are in the archive alone, which was not looked at: give --archive." in rest.output


def test_words_that_the_archive_lacks_are_a_fault(rig: Rig) -> None:
    Retainer(rig.ctx, rig.archive, Cipher(), encode).bite()
    rig.sealer.seal()
    good = run("audit", "verify", *rig.key)
    assert (good.exit_code, "The words of 4 entries are in the archive alone, and are there." in good.output) == (
        0,
        True,
    )
    for file in (Path(os.environ["PRODACCESS_AUDIT_BUCKET"])).rglob("runs/*"):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        text = "".join(json.dumps({k: v for k, v in line.items() if k != "hidden"}) + "\n" for line in lines)
        file.chmod(0o640)
        file.write_text(text)
    bad = run("audit", "verify", *rig.key)
    assert (bad.exit_code, "The words of #2 left for the archive, and are not there." in bad.output) == (1, True)


def test_an_export_and_a_proof_have_what_has_left_with_its_words(rig: Rig, tmp_path: Path) -> None:
    before = run("audit", "export").stdout.splitlines()
    rig.leave()
    after = run("audit", "export").stdout.splitlines()
    # An entry without words has a salt in Redis, and nothing in the archive.
    found = [json.loads(line) for line in (*before, *after)]
    same = [{k: v for k, v in one.items() if k != "log" and (k != "salt" or one["words"])} for one in found]
    assert same[: len(before)] == same[len(before) : 2 * len(before)]
    (tmp_path / "log.jsonl").write_text("\n".join(after) + "\n")
    for archive in ((), ("--archive", os.environ["PRODACCESS_AUDIT_BUCKET"])):
        checked = run("audit", "verify", "--export", str(tmp_path / "log.jsonl"), *rig.key, *archive)
        assert checked.exit_code == 0, checked.output
    made = run("audit", "prove", "2", "--words", "--out", str(tmp_path / "proof.json"))
    assert made.exit_code == 0, made.output
    assert "INC-1 a look" in (tmp_path / "proof.json").read_text()
    assert run("audit", "prove", "--check", str(tmp_path / "proof.json"), *rig.key).exit_code == 0


def test_an_export_without_the_archive_is_checked_from_where_it_begins(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.leave()
    bucket = os.environ["PRODACCESS_AUDIT_BUCKET"]
    monkeypatch.delenv("PRODACCESS_AUDIT_BUCKET")
    lines = run("audit", "export").stdout
    assert json.loads(lines.splitlines()[0])["number"] == 6
    (tmp_path / "log.jsonl").write_text(lines)
    alone = run("audit", "verify", "--export", str(tmp_path / "log.jsonl"), *rig.key)
    assert (alone.exit_code, "which was not looked at" in alone.output) == (0, True), alone.output
    both = run("audit", "verify", "--export", str(tmp_path / "log.jsonl"), *rig.key, "--archive", bucket)
    assert (both.exit_code, "and were compared there" in both.output) == (0, True), both.output


def test_a_bundle_has_what_has_left_and_checks_itself(rig: Rig, tmp_path: Path) -> None:
    from bot.cli.audit import offline

    rig.leave()
    made = run("audit", "bundle", "--from", "2020-01-01", str(tmp_path / "evidence"))
    assert made.exit_code == 0, made.output
    table = (tmp_path / "evidence" / "requests.csv").read_text()
    assert all(id_ in table for id_ in (*OLD, "PA-3"))
    assert "INC-1 a look" in (tmp_path / "evidence" / "events.csv").read_text()
    assert offline.main([str(tmp_path / "evidence"), *rig.key], tmp_path) == 0


def test_a_person_whose_key_is_gone_is_left_out_and_it_is_said(rig: Rig) -> None:
    rig.leave()
    key = keys.words_key(DANA)
    reads = rig.ledger.read(key).versions()
    assert reads[key]
    rig.ledger.commit(Change("erased", rig.ledger.now(), reads, deletes=frozenset({key})))
    answer = run("report", "--since", "110d", "--rows", "grants", "--format", "csv")
    assert (answer.exit_code, "1 cannot be read, and is left out: PA-1." in answer.output) == (1, True)
    assert "PA-2" in answer.stdout


def test_an_archive_that_is_gone_is_one_sentence(rig: Rig) -> None:
    rig.leave()
    shutil.rmtree(Path(os.environ["PRODACCESS_AUDIT_BUCKET"]))
    answer = run("show", "PA-1")
    assert (answer.exit_code, "There is no request PA-1" in answer.output) == (1, True)
