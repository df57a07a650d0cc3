"""Somebody who can write to Redis, and knows how all of it is made, changes the past: `prodaccess audit verify` finds it.

A real Valkey, a real key, a folder as archive. Each attack makes all that stands in Redis fit again: digests, links, head, lists,
words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from tests.support.hand_sealer import AT, HandSealer, fingerprint, signed
from workflows.core import keys
from workflows.core.absent_words import NumberRanges
from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import linking
from workflows.core.canonical_json import canonical_json
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.seal.statement import key_change
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change

P = "prodaccess:"
# Sealed at these sizes; two entries more are not sealed yet.
SIZES, ALL = (5, 9), 11


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", *words])


@dataclass
class Rig:
    """`archive`, `key`: what the auditor's command is told."""

    client: redis.Redis
    ledger: RedisLedger
    sealer: HandSealer
    folder: Path

    def entries(self, count: int) -> None:
        for _ in range(count):
            now, number = self.ledger.now(), self.ledger.head() + 1
            private = {"actor_name": "Dana", "reason": f"reason {number}"}
            facts = {"environment": "orders-prod", "n": str(number)}
            subject = f"PA-{(number + 1) // 2}"
            said = AuditEvent(Event.REQUEST_MADE, subject, now, f"{number:032x}", f"{number:032x}", facts, private)
            self.ledger.commit(Change(f"c{number}-{now}", now, {}, audit=(said,)))

    @property
    def archive(self) -> tuple[str, str]:
        return "--archive", str(self.folder / "archive")

    @property
    def key(self) -> tuple[str, str]:
        return "--key", str(self.sealer.public)

    def exported(self) -> tuple[str, str]:
        file = self.folder / f"export-{len(list(self.folder.iterdir()))}.jsonl"
        file.write_text(run("export").output, encoding="utf-8")
        return "--export", str(file)

    # ---------------------------------------------------------------- what an attacker does

    def stream(self) -> dict[int, dict[str, str]]:
        return {int(id_.partition("-")[0]): fields for id_, fields in self.client.xrange(f"{P}audit")}

    def rewrite(self, entries: list[tuple[dict[str, Any], str]]) -> None:
        """All of the log anew, from bodies and stored words: every copy of it that Redis has is made to fit."""
        self.client.delete(f"{P}audit", f"{P}audit:private", *self.client.keys(f"{P}audit:of:*"))
        link = ""
        for number, (body, words) in enumerate(entries, 1):
            text = canonical_json(body)
            digest = hashlib.sha256(text).hexdigest()
            link = linking(link, number, digest)
            self.client.xadd(f"{P}audit", {"body": text, "digest": digest, "link": link}, id=f"{number}-0")
            self.client.hset(f"{P}audit:private", str(number), words)
            self.client.rpush(f"{P}audit:of:{body['subject']}", number)
        self.client.set(f"{P}audit:head", f"{len(entries)}:{link}")

    def read(self) -> list[tuple[dict[str, Any], str]]:
        words = self.client.hgetall(f"{P}audit:private")
        return [(json.loads(fields["body"]), words[str(number)]) for number, fields in self.stream().items()]

    def seal_by(self, change: Callable[[SealState], SealState]) -> None:
        state = self.sealer.state()
        assert state is not None
        self.sealer.put(keys.SEAL, change(state))


@pytest.fixture
def rig(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.delenv("PRODACCESS_AUDIT_BUCKET", raising=False)
    # Where the ledger was set back, what is waited for never comes.
    monkeypatch.setattr("bot.cli.audit.sources.time", SimpleNamespace(sleep=lambda _seconds: None))
    ledger = RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)
    made = Rig(redis_client, ledger, HandSealer(ledger, tmp_path), tmp_path)
    for size in SIZES:
        made.entries(size - made.ledger.head())
        made.sealer.seal()
    made.entries(ALL - made.ledger.head())
    return made


# ---------------------------------------------------------------- an untouched log


def test_an_untouched_log_is_whole_up_to_its_newest_head(rig: Rig) -> None:
    state = rig.sealer.state()
    assert state is not None
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert answer.exit_code == 0, answer.output
        assert answer.output.splitlines() == [
            "11 entries, 0 faults.",
            f"Whole up to head 9:{state.root[:12]} of 2026-11-27 09:00:00 UTC. 2 entries since are not sealed yet.",
            f"Signed by your key {fingerprint(rig.sealer.signer.public)[:12]}.",
            "9 entries compared with the archive.",
        ]


def test_without_a_key_of_the_readers_own_it_says_that_no_signature_was_checked(rig: Rig) -> None:
    answer = run("verify")
    assert answer.exit_code == 0
    assert "Signatures were not checked against a key of yours: give --key." in answer.output
    assert "looks whole from here: compare this head with the newest digest" in answer.output


def test_the_fingerprint_alone_is_enough(rig: Rig) -> None:
    for more in (), rig.exported(), rig.archive:
        answer = run("verify", *more, "--key", fingerprint(rig.sealer.signer.public))
        assert (answer.exit_code, "Signed by your key" in answer.output) == (0, True), answer.output


def test_a_key_that_was_never_here_is_found_out(rig: Rig) -> None:
    other = rig.sealer.new_key("other")
    answer = run("verify", "--key", str(rig.folder / "other.pub.pem"))
    assert answer.exit_code == 1
    assert f"is signed by another key ({fingerprint(rig.sealer.signer.public)[:12]}) than yours" in answer.output
    answer = run("verify", "--key", fingerprint(other.public), *rig.archive)
    assert (answer.exit_code, "No key here has the fingerprint" in answer.output) == (1, True)


def test_a_head_from_chat_is_held_against_it(rig: Rig) -> None:
    state = rig.sealer.state()
    assert state is not None
    shown = f"9:{state.root[:12]}"
    assert run("verify", "--expect-head", shown).exit_code == 0
    wrong = run("verify", "--expect-head", "9:000000000000")
    assert (wrong.exit_code, "The head that you expect of #9 has another root" in wrong.output) == (1, True)
    beyond = run("verify", "--expect-head", "12:000000000000")
    assert (beyond.exit_code, "#12 is gone from the end" in beyond.output) == (1, True)


def test_it_is_told_to_a_program_too(rig: Rig) -> None:
    answer = run("verify", *rig.key, *rig.archive, "--json")
    found = json.loads(answer.output)
    assert (found["entries"], found["faults"], found["unsealed"], found["compared_with_archive"]) == (11, 0, 2, 9)
    assert found["whole_up_to"]["size"] == 9
    assert found["key"] == fingerprint(rig.sealer.signer.public)
    rig.client.xdel(f"{P}audit", "3-0")
    broken = run("verify", *rig.key, *rig.archive, "--json")
    assert (broken.exit_code, json.loads(broken.output)["first"]) == (1, 3)


def test_a_head_that_is_about_to_be_noted_is_no_cut(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the archive before it stands on the ledger."""
    before, noted = rig.sealer.state(), list[float]()
    later = rig.sealer.seal()
    assert before is not None
    rig.sealer.put(keys.SEAL, before)

    def note(seconds: float) -> None:
        noted.append(seconds)
        rig.sealer.put(keys.SEAL, later)

    monkeypatch.setattr("bot.cli.audit.sources.time", SimpleNamespace(sleep=note))
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 0, answer.output
    assert len(noted) == 1


# ---------------------------------------------------------------- attacks


def edit(rig: Rig) -> None:
    entries = rig.read()
    entries[2][0]["facts"]["environment"] = "orders-staging"
    rig.rewrite(entries)


def edit_words(rig: Rig) -> None:
    entries = rig.read()
    words = {"salt": "0" * 32, "private": {"actor_name": "Eve", "reason": "mine"}}
    entries[2][0]["private"] = hashlib.sha256(canonical_json([words["salt"], words["private"]])).hexdigest()
    entries[2] = (entries[2][0], canonical_json(words).decode())
    rig.rewrite(entries)


def delete(rig: Rig) -> None:
    entries = rig.read()
    del entries[2]
    rig.rewrite(entries)


def insert(rig: Rig) -> None:
    entries = rig.read()
    body = {**entries[1][0], "nonce": "f" * 32}
    rig.rewrite([*entries[:2], (body, entries[1][1]), *entries[2:]])


def reorder(rig: Rig) -> None:
    entries = rig.read()
    entries[2], entries[3] = entries[3], entries[2]
    rig.rewrite(entries)


def renumber(rig: Rig) -> None:
    """An entry goes to the end of what is sealed, and all between move up."""
    entries = rig.read()
    entries.insert(8, entries.pop(2))
    rig.rewrite(entries)


REWRITTEN = (edit, edit_words, delete, insert, reorder, renumber)


@pytest.mark.parametrize("attack", REWRITTEN)
def test_a_log_that_was_rewritten_to_fit_does_not_fit_its_head(rig: Rig, attack: Callable[[Rig], None]) -> None:
    """The ledger's own seal alone says between which heads it lies."""
    attack(rig)
    for more in (), rig.key, (*rig.exported(), *rig.key):
        answer = run("verify", *more)
        assert answer.exit_code == 1
        assert "#1 to #9 are not what was sealed: the ledger's own seal of #9" in answer.output
        assert "Begin at #1: before it nothing is at fault." in answer.output
        assert "Whole up to head" not in answer.output


@pytest.mark.parametrize("attack", REWRITTEN)
def test_with_the_archive_the_first_bad_entry_is_named(rig: Rig, attack: Callable[[Rig], None]) -> None:
    attack(rig)
    for more in rig.key, (*rig.exported(), *rig.key):
        answer = run("verify", *more, *rig.archive)
        assert answer.exit_code == 1
        assert answer.output.startswith("#3 was changed after it was sealed: its digest was "), answer.output
        assert "Begin at #3: before it nothing is at fault." in answer.output


def test_a_digest_in_chat_finds_it_too_without_key_and_archive(rig: Rig) -> None:
    """Somebody has exchanged the ledger's seal as well, for one of their own making."""
    state = rig.sealer.state()
    assert state is not None
    edit(rig)
    eve = rig.sealer.new_key("eve")
    rig.sealer.put(keys.INSTALLATION, Installation(rig.sealer.log, AT))
    rig.sealer.seal(archived=False, by=eve)
    assert run("verify").exit_code == 0, "without anything from outside nobody can know: documented"
    answer = run("verify", "--expect-head", f"9:{state.root[:12]}")
    assert (answer.exit_code, "the head that you expect of #9" in answer.output) == (1, True)


def test_the_tail_is_cut(rig: Rig) -> None:
    rig.rewrite(rig.read()[:7])
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key)
        assert answer.exit_code == 1
        assert "#8 to #9 are gone from the end: the ledger's own seal has 9 entries" in answer.output


def test_a_cut_behind_the_seal_is_found_by_nobody_and_said_so_in_the_docs(rig: Rig) -> None:
    """What is not sealed yet is not promised: two seconds."""
    rig.rewrite(rig.read()[:9])
    assert run("verify", *rig.key, *rig.archive).exit_code == 0


def roll_back(rig: Rig) -> None:
    """Entries, and the ledger's seal, as they were at the first head: all of it was true once, and truly signed."""
    older = json.loads((rig.folder / "archive" / rig.sealer.log / "heads" / f"{SIZES[0]:016d}.json").read_text())
    rig.rewrite(rig.read()[: SIZES[0]])
    root = json.loads(older["statement"])["root"]
    rig.seal_by(
        lambda now: replace(
            now,
            size=SIZES[0],
            root=root,
            seal=replace(now.seal, statement=older["statement"], signature=older["signature"]),
        )
    )


def test_a_log_that_was_set_back_whole_is_found_by_what_stands_outside(rig: Rig) -> None:
    newest = rig.sealer.state()
    assert newest is not None
    roll_back(rig)
    alone = run("verify", *rig.key)
    assert alone.exit_code == 0
    assert "looks whole from here" in alone.output, "it says what it cannot know"
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert answer.exit_code == 1
        assert "#6 to #9 are gone from the end: the archive's head has 9 entries" in answer.output
        assert "The ledger's seal was set back, or exchanged for an older one: it ends at #5" in answer.output
        answer = run("verify", *more, *rig.key, "--expect-head", f"9:{newest.root[:12]}")
        assert (answer.exit_code, "the head that you expect has 9 entries" in answer.output) == (1, True)


def test_only_the_seal_is_set_back(rig: Rig) -> None:
    entries = rig.read()
    roll_back(rig)
    rig.rewrite(entries)
    answer = run("verify", *rig.key, *rig.archive)
    assert (answer.exit_code, "The ledger's seal was set back" in answer.output) == (1, True)


def test_a_seal_of_another_log_is_put_in_its_place(rig: Rig) -> None:
    """Truly signed by the same key, for another installation."""
    rig.sealer.log = "cd" * 16
    other = rig.sealer.seal(archived=False)
    rig.sealer.put(keys.SEAL, other)
    answer = run("verify", *rig.key)
    assert (answer.exit_code, "belongs to the log of another installation" in answer.output) == (1, True)


def test_the_seals_words_are_changed_under_its_signature(rig: Rig) -> None:
    def forged(now: SealState) -> SealState:
        statement = now.seal.statement.replace("09:00:00", "08:00:00")
        return replace(now, seal=replace(now.seal, statement=statement))

    rig.seal_by(forged)
    answer = run("verify", *rig.key)
    assert (answer.exit_code, "carries a signature that does not fit" in answer.output) == (1, True)


def test_the_key_is_replaced_and_all_of_it_signed_anew(rig: Rig) -> None:
    """Redis and the archive's folder, too: everything is of one piece, but not of the auditor's key."""
    edit(rig)
    eve = rig.sealer.new_key("eve")
    for head in (rig.folder / "archive" / rig.sealer.log / "heads").iterdir():
        head.unlink()
    for archived in (rig.folder / "archive" / rig.sealer.log / "runs").iterdir():
        archived.unlink()
    rig.client.delete(f"{P}record:{keys.SEAL}")
    rig.sealer.seal(by=eve)
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert answer.exit_code == 1
        assert f"is signed by another key ({fingerprint(eve.public)[:12]}) than yours" in answer.output
        unknown = run("verify", *more, "--key", fingerprint(rig.sealer.signer.public), *rig.archive)
        assert (unknown.exit_code, "No key here has the fingerprint" in unknown.output) == (1, True)


def test_a_change_of_the_key_that_the_old_key_has_not_signed_is_none(rig: Rig) -> None:
    edit(rig)
    eve, ours = rig.sealer.new_key("eve"), rig.sealer.signer.public
    forged = replace(signed(eve, key_change(rig.sealer.log, ours, eve.public, 5, AT).statement), key=ours.fingerprint)
    rig.seal_by(lambda now: replace(now, key_changes=(forged,)))
    rig.sealer.seal(archived=False, by=eve)
    answer = run("verify", *rig.key)
    assert answer.exit_code == 1
    assert "is not signed by the key before it: somebody replaced the key." in answer.output


def test_a_log_that_is_begun_anew_under_another_name_is_found_in_the_archive(rig: Rig) -> None:
    """Installation and seal are deleted: the true sealer would sign what is there now, in a folder of its own."""
    edit(rig)
    rig.client.delete(f"{P}record:{keys.SEAL}")
    rig.sealer.log = "cd" * 16
    rig.sealer.put(keys.INSTALLATION, Installation(rig.sealer.log, AT))
    rig.sealer.seal()
    assert run("verify", *rig.key).exit_code == 0
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 1
    assert "The archive has another log of this key, abababababab, with a head of #9" in answer.output


def test_words_are_changed_without_the_digest(rig: Rig) -> None:
    rig.client.hset(f"{P}audit:private", "4", json.dumps({"salt": "0" * 32, "private": {"actor_name": "Eve"}}))
    for more in (), rig.exported():
        answer = run("verify", *more)
        assert (answer.exit_code, "#4: its names or words were changed" in answer.output) == (1, True)


def test_words_that_somebody_took_away_are_a_fault(rig: Rig) -> None:
    rig.client.hdel(f"{P}audit:private", "4", "5", "11")
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert (answer.exit_code, "Begin at #4: before it nothing is at fault." in answer.output) == (1, True)
        assert "The words of #4 to #5 are missing, and no entry says that they were erased" in answer.output
        assert "The words of #11 are missing, and no entry says that they were erased" in answer.output


def erase(rig: Rig, *numbers: int) -> None:
    now = rig.ledger.now()
    facts = {"numbers": str(NumberRanges.of(numbers))}
    said = AuditEvent(Event.PERSON_ERASED, "erased-1", now, "1" * 32, "2" * 32, facts, {"actor_name": "Rosa Ops"})
    rig.ledger.commit(Change(f"erased-{now}", now, {}, audit=(said,), forget=numbers))


def test_erased_words_are_no_fault_where_an_entry_lists_them(rig: Rig) -> None:
    erase(rig, 4, 5, 8)
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert (answer.exit_code, "The words of 3 were erased." in answer.output) == (0, True), answer.output
    rig.client.hdel(f"{P}audit:private", "6", "12")
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert (answer.exit_code, "The words of 3 were erased." in answer.output) == (1, True)
        assert "The words of #6 are missing" in answer.output
        assert "The words of #12 are missing" in answer.output, "an entry says nothing of its own words"


def test_words_that_are_erased_while_the_log_is_read_are_no_fault(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    read, erased = RedisLedger.stored_entries, []

    def reads(self: RedisLedger, **where: int) -> Any:
        if not erased:
            erased.append(erase(rig, 4))
        return read(self, **where)

    monkeypatch.setattr(RedisLedger, "stored_entries", reads)
    answer = run("verify", *rig.key, *rig.archive)
    assert (answer.exit_code, answer.output.splitlines()[0]) == (
        0,
        f"{ALL} entries, 0 faults. The words of 1 were erased.",
    )


def test_the_archive_is_changed_and_the_ledger_is_right(rig: Rig) -> None:
    run_file = rig.folder / "archive" / rig.sealer.log / "runs" / f"{1:016d}-{5:016d}.jsonl"
    run_file.chmod(0o640)
    run_file.write_text(run_file.read_text().replace("orders-prod", "orders-test", 1))
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 1
    assert "#1 was changed in the archive: its digest is another one." in answer.output


def test_an_archive_that_is_not_there_is_no_comparison(rig: Rig) -> None:
    (rig.folder / "file").write_text("")
    answer = run("verify", "--archive", str(rig.folder / "file" / "x"))
    assert answer.exit_code == 1
    assert "The archive could not be read to its end" in answer.output


def test_a_number_that_was_never_given_out_is_one_fault_and_no_endless_search(rig: Rig) -> None:
    rig.client.xadd(f"{P}audit", rig.stream()[11], id=f"{10**15}-0")  # type: ignore[arg-type]  # the client's own types
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert answer.exit_code == 1
        assert "#12 to #999999999999999 are missing" in answer.output


# ---------------------------------------------------------------- another epoch


def accepted(rig: Rig) -> None:
    """As `ledger accept` writes it."""
    now, number = rig.ledger.now(), rig.ledger.head() + 1
    nonce = f"{number:032x}"
    said = AuditEvent(Event.LEDGER_ACCEPTED, "ledger-1", now, nonce, nonce, {"epoch": "2"}, {"reason": "a snapshot"})
    rig.ledger.commit(Change(f"accepted-{number}", now, {}, audit=(said,)))


@pytest.mark.parametrize("says_so", [False, True])
@pytest.mark.parametrize("attack", REWRITTEN)
def test_who_begins_an_epoch_has_the_past_signed_anew_and_is_found_by_the_one_before(
    rig: Rig, attack: Callable[[Rig], None], says_so: bool
) -> None:
    """Redis alone: the log is rewritten, and its epoch raised, so that the sealer itself signs all of it. An entry that says that
    an older copy was accepted does not make entries true that say that they were there before.
    """
    rig.sealer.when = rig.ledger.now() + timedelta(seconds=1)
    rig.entries(1)
    rig.sealer.seal()
    attack(rig)
    if says_so:
        accepted(rig)
    rig.sealer.begin(epoch=2)
    rig.sealer.seal()
    assert run("verify", *rig.key).exit_code == 0, "without anything from outside nobody can know: documented"
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert answer.exit_code == 1, answer.output
        assert "#3 is not what was sealed up to head 12:" in answer.output
        assert "the past was rewritten" in answer.output
        # An honest split brain looks the same, and is not called an attack.
        assert ("two copies of the ledger were written to at that time" in answer.output) is says_so


def test_who_begins_an_epoch_and_cuts_the_log_is_found(rig: Rig) -> None:
    rig.rewrite(rig.read()[:7])
    rig.sealer.begin(epoch=2)
    rig.sealer.seal()
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 1
    assert "#8 to #9 of head 9:" in answer.output
    assert "no entry says that an older copy of the ledger was accepted" in answer.output


def test_an_older_copy_that_was_accepted_is_said_and_is_no_fault(rig: Rig) -> None:
    rig.rewrite(rig.read()[:7])
    rig.entries(1)
    accepted(rig)
    rig.entries(2)
    rig.seal_by(lambda now: replace(now, archived=now.size))
    rig.sealer.put(keys.INSTALLATION, Installation(rig.sealer.log, AT, 2))
    assert "in the archive, and 0 of them are" not in run("verify", *rig.key, *rig.archive).output, "not sealed yet"
    rig.sealer.begin(epoch=2)
    rig.sealer.seal()
    for more in (), rig.exported():
        answer = run("verify", *more, *rig.key, *rig.archive)
        assert answer.exit_code == 0, answer.output
        assert (
            "An older copy of the ledger was accepted in #9: the archive alone has #8 to #9 of head 9:" in answer.output
        )


def test_an_epoch_that_lost_nothing_is_not_spoken_of(rig: Rig) -> None:
    accepted(rig)
    rig.sealer.begin(epoch=2)
    rig.sealer.seal()
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 0, answer.output
    assert "accepted" not in answer.output


def test_a_key_that_was_lost_hands_over_to_nobody_and_that_is_said_to_either_auditor(rig: Rig) -> None:
    accepted(rig)
    next_key = rig.sealer.new_key("next")
    rig.sealer.begin(epoch=2)
    rig.sealer.seal(by=next_key)
    old, new = fingerprint(rig.sealer.signer.public)[:12], fingerprint(next_key.public)[:12]
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 1
    assert f"The chain of keys does not lead from your key {old} to {new}" in answer.output
    answer = run("verify", "--key", fingerprint(next_key.public), *rig.archive)
    assert answer.exit_code == 0, answer.output
    assert f"is signed by another key, {old}: the chain of keys does not lead from that one to yours." in answer.output


# ---------------------------------------------------------------- the archive


def junk(rig: Rig, *names: str) -> None:
    for name in names:
        rig.sealer.archive.put(f"{rig.sealer.at}/{name}", b"nothing that anybody signed")


def test_junk_on_top_of_a_log_does_not_hide_it(rig: Rig) -> None:
    """Somebody with Redis and the archive's write right lets the worker begin anew under another name."""
    junk(rig, f"heads/{'9' * 16}.json", "heads/zzz.json")
    rig.sealer.log = "cd" * 16
    rig.client.delete(f"{P}record:{keys.SEAL}")
    rig.sealer.put(keys.INSTALLATION, Installation(rig.sealer.log, AT))
    rig.sealer.seal()
    answer = run("verify", *rig.key, *rig.archive)
    assert answer.exit_code == 1
    assert "The archive has another log of this key, abababababab, with a head of #9" in answer.output


def test_an_archive_that_lacks_what_the_ledger_has_as_archived_is_found(rig: Rig) -> None:
    """Somebody has put an empty archive in the place of the true one, or said that all is archived."""
    rig.seal_by(lambda now: replace(now, archived=now.size))
    assert run("verify", *rig.key, *rig.archive).exit_code == 0
    answer = run("verify", *rig.key, "--archive", str(rig.folder / "another"))
    assert answer.exit_code == 1
    assert "The ledger says that 9 entries are in the archive, and 0 of them are" in answer.output


# ---------------------------------------------------------------- what is typed wrongly


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--key", "nothing.pem"), "is no fingerprint (64 of 0-9 and a-f), and no file"),
        (("--key", "pyproject.toml"), "holds no public key in PEM"),
        (("--archive", "Bucket Name"), "--archive must be s3://BUCKET/PREFIX"),
        (("--expect-head", "1042"), "A head is a number, a colon and 12 digits or more"),
    ],
)
def test_a_slip_is_one_sentence(rig: Rig, words: tuple[str, str], said: str) -> None:
    answer = run("verify", *words)
    assert (answer.exit_code, said in answer.output) == (2, True), answer.output


def test_an_export_that_was_cut_says_so(rig: Rig) -> None:
    _, file = rig.exported()
    lines = Path(file).read_text().splitlines(keepends=True)
    Path(file).write_text("".join(lines[:-1]))
    answer = run("verify", "--export", file)
    assert (answer.exit_code, "does not end with the log's state" in answer.output) == (1, True)
    Path(file).write_text("".join([*lines[:3], "no json\n", *lines[4:]]))
    answer = run("verify", "--export", file)
    assert (answer.exit_code, f"{file}:4 is no entry of an export." in answer.output) == (1, True)
    Path(file).write_text("".join([*lines[:3], *lines[4:]]))
    assert "#4 is missing" in run("verify", "--export", file, *rig.key).output


def test_lines_of_an_export_are_what_they_were_and_more(rig: Rig) -> None:
    first, *_, last = [json.loads(line) for line in run("export").output.splitlines()]
    assert list(first)[:4] == ["number", "digest", "event", "subject"] or {"number", "digest", "words"} <= first.keys()
    assert first["words"] == {"actor_name": "Dana", "reason": "reason 1"}
    assert "log" not in first
    assert last["log"]["seal"]["size"] == 9
    assert last["number"] == ALL
