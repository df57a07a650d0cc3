"""Redis on its worst days, under whole processes: it answers slowly, is a read-only replica, holds an older copy of itself, or
nothing at all. What is known ends on time, nothing is given on a guess, and what is not known is said.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from bot.sandbox.slack import words
from tests.chaos.rig import Rig, id_of
from tests.support.installation import CHAOS, RECEIPTS, ROOT, SHORT, SHORT_S
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import PATIENCE_S
from workflows.archive.folder import FolderArchive
from workflows.core.seal.layout import size_of_head
from workflows.core.seal.public_key import pem_of
from workflows.signing.keys import make_key

pytestmark = pytest.mark.fleet

SLOW_S = 2.0
HOUR = "1h INC-42 checkout errors"


class Behind(Rig):
    """All processes reach Redis through a link that can be slow."""

    link: TcpProxy

    def environment(self, process: str) -> dict[str, str]:
        if not hasattr(self, "link"):
            self.link = self._stack.enter_context(TcpProxy(self.redis.port))
        found = super().environment(process)
        return found | {"REDIS_URL": found["REDIS_URL"].replace(f":{self.redis.port}", f":{self.link.port}")}


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    with Behind(tmp_path, unlimited=False, numbers=CHAOS) as running:
        yield running
        running.aws.proxy.calm()


def test_a_redis_that_takes_two_seconds_for_each_answer_only_delays_the_end(behind: Behind) -> None:
    case = behind.case()
    card = case.active(rest=SHORT)
    behind.link.slow_s = SLOW_S
    slow_at = time.monotonic()
    behind.until(lambda: time.monotonic() - slow_at > SHORT_S + 4, "the deadline has passed")
    behind.link.slow_s = 0.0
    behind.until(lambda: behind.gone(case), "gone")
    behind.until(lambda: "Ended" in case.cards()[0].text, "said")
    behind.assert_once(id_of(card), "grant.active", "grant.ended")
    behind.until(lambda: behind.ready()["ready"], "ready by itself")


def test_a_redis_that_is_a_read_only_replica_gives_nothing_and_takes_up_where_it_was(rig: Rig) -> None:
    """As after a failover that nobody told the processes of."""
    case, other = rig.case(), rig.case()
    waiting = other.asked()
    card = case.active(rest=SHORT)
    with rig.connection() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        other.approve(waiting)
        rig.until(lambda: "is a replica and takes no writes" in str(rig.ready()["missing"]), "said")
        lasted = time.monotonic()
        rig.until(lambda: time.monotonic() - lasted > SHORT_S, "the deadline has passed")
        assert not rig.has(other)
        client.execute_command("REPLICAOF", "NO", "ONE")
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(lambda: "Ended" in case.cards()[0].text, "said")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    rig.until(lambda: rig.ready()["ready"], "ready by itself")
    other.approve(waiting)
    rig.until(lambda: rig.has(other), "and giving goes on")


def kept(rig: Rig) -> Callable[[], None]:
    """A copy of all that Redis holds; what is returned puts it back in one step."""
    with redis.Redis.from_url(rig.redis.url) as client:
        copy = {key: client.dump(key) for key in client.keys("*")}

    def put_back() -> None:
        with redis.Redis.from_url(rig.redis.url) as client, client.pipeline() as pipe:
            pipe.flushdb()
            for key, body in copy.items():
                if body is not None:
                    pipe.restore(key, 0, body)
            pipe.execute()

    return put_back


def typed(rig: Rig, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        check=False,
        cwd=ROOT,
        env=rig.environment("clock"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout + done.stderr


def test_an_older_copy_under_living_processes_gives_nothing_until_somebody_has_looked(rig: Rig) -> None:
    known, unknown, asked = rig.case(), rig.case(), rig.case()
    card = known.active(rest="30s INC-42 checkout errors")
    put_back = kept(rig)
    unknown.active(rest=HOUR)
    put_back()
    rig.until(lambda: "older copy of itself" in str(rig.ready()["missing"]), "every process was there, one says so")
    waiting = asked.asked(rest=HOUR)
    asked.press("olu", waiting, "approve")
    asked.whispered("olu", "perhaps an older copy")
    rig.until(
        lambda: any("older copy of itself" in words(one) for one in rig.messages(RECEIPTS)), "the channel hears of it"
    )
    rig.until(lambda: rig.gone(known) and rig.events(id_of(card))["grant.ended"], "what it knows ends on time")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    assert rig.has(unknown), "and what it does not know stays: that is why somebody has to look"
    assert not rig.has(asked)
    answer = typed(rig, "ledger", "accept", "--by", "Rosa Ops", "--reason", "I took away the other one by hand")
    assert "Access is given again." in answer
    asked.approve(waiting)
    rig.until(lambda: rig.has(asked), "given again")
    rig.until(lambda: rig.ready()["ready"], "ready")


class Sealed(Rig):
    """Its workers sign the audit log, and keep it in a folder."""

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def archive(self) -> str:
        return f"{self.folder / 'archive'}/"

    def environment(self, process: str) -> dict[str, str]:
        if not self.key.exists():
            (self.folder / "key.pub.pem").write_text(pem_of(make_key(self.key)))
        found = super().environment(process) | {"PRODACCESS_AUDIT_BUCKET": self.archive}
        return found | ({"PRODACCESS_AUDIT_KEY": str(self.key)} if process == "worker" else {})

    def is_archived(self) -> bool:
        """Whether all that is on record has a signed head in the archive."""
        found = [size_of_head(name) or 0 for name in FolderArchive(Path(self.archive)).names("") if "/heads/" in name]
        return bool(found) and max(found) == self.audit()[-1].number

    def rebuilds(self, *more: str) -> str:
        key = str(self.folder / "key.pub.pem")
        return typed(self, "ledger", "rebuild", "--archive", self.archive, "--key", key, "--by", "Rosa Ops", *more)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    with Sealed(tmp_path, unlimited=False, numbers=CHAOS) as running:
        yield running
        running.aws.proxy.calm()


def test_all_of_redis_is_lost_and_the_record_is_made_again_from_the_archive(sealed: Sealed) -> None:
    cases = [sealed.case(), sealed.case()]
    cards = [cases[0].active(rest=HOUR), cases[1].active(role="deploy", rest=HOUR)]
    sealed.until(sealed.is_archived, "archived")
    assert "Stop web, worker and clock first" in sealed.rebuilds()
    sealed.stop()
    with redis.Redis.from_url(sealed.redis.url) as client:
        client.flushall()
    answer = sealed.rebuilds()
    assert all(id_of(card) in answer for card in cards), answer
    for name in ("clock", "worker", "web"):
        sealed.launch(name)
    sealed.until(lambda: sealed.gone(cases[0]) and sealed.gone(cases[1], "deploy"), "nothing is left open")
    for card in cards:
        sealed.until(lambda card=card: sealed.events(id_of(card))["grant.revoked"], "read back, and on the record")  # type: ignore[misc]
        sealed.assert_once(id_of(card), "request.made", "grant.active", "grant.end_started", "grant.revoked")
    accepted = typed(sealed, "ledger", "accept", "--by", "Rosa Ops", "--reason", "nothing is open")
    assert "Access is given again." in accepted
    fresh = sealed.case()
    fresh.active(rest=HOUR)
    sealed.until(sealed.is_archived, "signed and archived again, from the first entry on")
    answer = typed(sealed, "audit", "verify", "--key", str(sealed.folder / "key.pub.pem"))
    assert "Whole up to head" in answer
    assert "There is nothing to do." in sealed.rebuilds("--dry-run")


def test_a_backup_put_back_while_nothing_ran_is_noticed_by_the_archive(sealed: Sealed) -> None:
    """Nobody's memory goes back that far, and nobody says it: the sealer's first look does."""
    known, unknown = sealed.case(), sealed.case()
    known.active(rest=HOUR)
    sealed.until(sealed.is_archived, "archived")
    put_back = kept(sealed)
    card = unknown.active(rest=HOUR)
    sealed.until(sealed.is_archived, "archived")
    sealed.stop()
    put_back()
    for name in ("clock", "worker", "web"):
        sealed.relaunch(name)
    # It looks when there is something to sign: the first thing that anybody does. The copy gives out the lost one's number.
    waiting = sealed.case().asked(rest=HOUR)
    assert id_of(waiting) == id_of(card)
    sealed.until(lambda: "older copy of itself" in str(sealed.ready()["missing"]), "said")
    sealed.stop()
    sealed.until(lambda: "Done." in sealed.rebuilds(), "once nobody is heard of any more")
    for name in ("clock", "worker", "web"):
        sealed.relaunch(name)
    sealed.until(lambda: sealed.gone(unknown), "taken away")
    sealed.until(lambda: "grant.revoked" in {entry.event.value for entry in sealed.audit()}, "on the record")
    assert sealed.has(known)
    assert not sealed.events(id_of(waiting))["grant.revoked"], "under a number of its own"
