"""`docs/backup.md`, command by command: what it says is what is run, and what it says of afterwards is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import redis

from bot.runtime.embedded_redis import EmbeddedValkey
from bot.runtime.heartbeat import KINDS, Heartbeats
from bot.runtime.redis_servers import find_servers
from tests.chaos.rig import Rig, id_of
from tests.support.archives import archived
from tests.support.installation import CHAOS, ROOT, SHORT, free_port
from tests.support.redis_users import FILE, url
from workflows.archive.folder import FolderArchive
from workflows.core.seal.public_key import pem_of
from workflows.ledger.redis_ledger import RedisLedger
from workflows.signing.keys import make_key
from workflows.signing.local import LocalSigner

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
_FENCED = re.compile(r"^ *```sh ([\w-]+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
BLOCKS = {name: dedent(body) for name, body in _FENCED.findall(PAGE)}
# What stands in for the system's own programs. The server is a real one; `valkey-cli` is not in its wheel.
CLI = """#!{python}
import sys
import redis
def show(found):
    for each in found if isinstance(found, (list, tuple)) else [found]:
        print(each.decode() if isinstance(each, bytes) else "OK" if each is True else each)
try:
    with redis.Redis.from_url(sys.argv[2], retry=None, socket_timeout=20) as client:
        client.response_callbacks.clear()
        show(client.execute_command(*sys.argv[3:]))
except redis.exceptions.ConnectionError as problem:
    if sys.argv[3] != "SHUTDOWN":
        sys.exit(f"Could not connect: {{problem}}")
except redis.exceptions.RedisError as problem:
    print(f"(error) {{problem}}")
"""
SYSTEMCTL = """#!/bin/bash
[ "$2" = valkey ] || exit 0
if [ "$1" = start ]; then
    valkey-server "$CONF" --daemonize yes >/dev/null
    until valkey-cli -u "$ADMIN_URL" PING 2>/dev/null | grep -q PONG; do sleep 0.05; done
else
    pid=$(cat "$RUN/valkey.pid") && kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
"""


class OwnServer(EmbeddedValkey):
    """One that is run as operators run it: by a file of theirs, with the users of `deploy/redis/`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "data")
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        self.data.mkdir()
        lines = [re.sub(r"^(user (prodaccess-\S+) on resetpass)", r"\1 >\2", line) for line in _users()]
        (folder / "users.acl").write_text("\n".join([*lines, "user admin on >admin ~* &* +@all", ""]))
        conf = (FILE.parent / "valkey.conf").read_text().replace("/etc/prodaccess/users.acl", f"{folder}/users.acl")
        more = f"port {self.port}\nbind 127.0.0.1\ndir {self.data}\npidfile {folder}/valkey.pid\nlogfile {folder}/log\n"
        (folder / "valkey.conf").write_text(f"{conf}\n{more}")
        self._shims()

    @property
    def url(self) -> str:
        return url("admin", self.port)

    def start(self) -> None:
        self.run("systemctl start valkey")

    def stop(self) -> None:
        self.run("systemctl stop valkey")

    def run(self, commands: str, **more: str) -> str:
        """As a shell does that stops at the first failure."""
        env = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "REDIS_URL": url("prodaccess-operator", self.port),
            "ADMIN_URL": self.url,
            "DATA": str(self.data),
            "CONF": str(self.folder / "valkey.conf"),
            "RUN": str(self.folder),
            **more,
        }
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", commands],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (commands, done.stdout, done.stderr)
        return done.stdout

    def _shims(self) -> None:
        program = find_servers()[0]
        shims = {
            "valkey-cli": CLI.format(python=sys.executable),
            "valkey-server": f'#!/bin/bash\nexec {program} "$@"\n',
            "valkey-check-aof": f'#!/bin/bash\nexec -a valkey-check-aof {program} "$@"\n',
            "systemctl": SYSTEMCTL,
            "prodaccess": f'#!/bin/bash\nexec {sys.executable} -m bot "$@"\n',
        }
        for name, text in shims.items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)


def _users() -> list[str]:
    return FILE.read_text().splitlines()


class Operated(Rig):
    def redis_server(self) -> EmbeddedValkey:
        return OwnServer(self.folder / "redis")

    def environment(self, process: str) -> dict[str, str]:
        return super().environment(process) | {"REDIS_URL": url(f"prodaccess-{process}", self.redis.port)}

    def types_in(self, block: str) -> str:
        """What stands in this block of the page."""
        assert isinstance(self.redis, OwnServer)
        backup = self.folder / "backup"
        backup.mkdir(exist_ok=True)
        outside = {"ARCHIVE": str(self.folder / "archive"), "AUDIT_KEY": str(self.folder / "key.pub.pem")}
        return self.redis.run(BLOCKS[block], BACKUP=str(backup), PRODACCESS_CONFIG=str(self.config), **outside)

    def archives(self) -> None:
        """All that is on record now, as the sealer writes it."""
        public = make_key(self.folder / "key.pem")
        signer = LocalSigner((self.folder / "key.pem").read_bytes(), "the key")
        (self.folder / "key.pub.pem").write_text(pem_of(public))
        with redis.Redis.from_url(self.redis.url) as client:
            ledger = RedisLedger(client, durability="verify", monotonic=time.monotonic)
            outside = FolderArchive(self.folder / "archive")
            archived(ledger, outside, key=public, by=lambda _, message: signer.sign(message))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Operated]:
    with Operated(tmp_path, numbers=CHAOS) as running:
        yield running


@pytest.mark.fleet
@pytest.mark.parametrize("kind", ["append-only", "snapshot"])
def test_a_backup_is_put_back_as_the_page_says_and_all_that_it_says_of_afterwards_is_so(
    rig: Operated, kind: str
) -> None:
    goes_on, ended_since, over_since, given_since = (rig.case() for _ in range(4))
    goes_on.active()
    ended = ended_since.active()
    short = over_since.active(rest=SHORT)
    rig.types_in(kind)

    rig.end(id_of(ended))
    rig.until(lambda: rig.gone(ended_since), "ended early")
    unknown = given_since.active()
    rig.stop()
    rig.types_in("check")
    rig.types_in("stop")
    rig.types_in(f"restore-{kind}")
    assert "Nothing is given from now on" in rig.types_in("doubt")
    assert "PA-5001" in rig.types_in("raise-ids")
    assert id_of(ended) in rig.types_in("verify")
    rig.types_in("start")
    for name in ("clock", "worker", "web"):
        rig.launch(name)
    rig.until(lambda: [word for word in rig.ready()["missing"] if "older copy" not in word] == [], "ready but for that")

    rig.until(lambda: rig.gone(over_since), "what is over is taken away")
    rig.until(lambda: rig.events(id_of(short))["grant.ended"], "and it is on the record")
    assert rig.has(goes_on)
    # Its end is not on the record, and what was given since is not known at all.
    assert not rig.events(id_of(ended))["grant.ended"]
    assert rig.has(given_since)
    assert not rig.events(id_of(unknown))
    fresh = rig.case()
    waiting = fresh.asked(rest=SHORT)
    fresh.press("olu", waiting, "approve")
    fresh.whispered("olu", "perhaps an older copy")
    assert "Access is given again." in rig.types_in("accept")
    fresh.approve(waiting)
    card = fresh.card("Active")
    assert int(id_of(card).removeprefix("PA-")) > 5000
    rig.until(lambda: rig.gone(fresh), "what is given now ends")
    rig.until(lambda: "PA-" in rig.end(id_of(goes_on.cards()[0])), "and what was given before can be ended")
    rig.until(lambda: rig.gone(goes_on), "gone")
    assert rig.ready()["missing"] == []


@pytest.mark.fleet
def test_what_was_given_since_ends_when_the_record_is_made_again_from_the_archive_as_the_page_says(
    rig: Operated,
) -> None:
    goes_on, given_since = rig.case(), rig.case()
    goes_on.active()
    rig.types_in("append-only")
    unknown = given_since.active()
    rig.archives()
    rig.stop()
    for block in ("stop", "restore-append-only", "doubt", "raise-ids"):
        rig.types_in(block)
    # The copy tells of processes that ran until it was made; it is ten seconds before they count as stopped.
    with redis.Redis.from_url(rig.redis.url) as client:
        rig.until(lambda: not any(Heartbeats(client).alive(kind) for kind in KINDS), "no process is heard of")
    answer = rig.types_in("rebuild")
    assert id_of(unknown) in answer
    assert "Nothing was done (--dry-run)." in answer
    assert "Done. Start clock, worker and web" in answer
    assert id_of(unknown) in rig.types_in("verify")
    rig.types_in("start")
    for name in ("clock", "worker", "web"):
        rig.launch(name)
    rig.until(lambda: rig.gone(given_since), "taken away")
    rig.until(lambda: rig.events(id_of(unknown))["grant.revoked"], "and it is on the record")
    assert rig.has(goes_on)
    assert "Access is given again." in rig.types_in("accept")
    rig.case().active(rest=SHORT)


def test_what_is_put_back_belongs_to_whom_the_old_files_belonged(tmp_path: Path) -> None:
    """Who restores is root, and the server is not: it could not open what root's `cp` and `mkdir` made."""
    shell, backup = OwnServer(tmp_path / "shell"), tmp_path / "backup"
    (backup / "appendonlydir").mkdir(parents=True)
    (backup / "appendonlydir" / "appendonly.aof.manifest").touch()
    (shell.folder / "systemctl").write_text("#!/bin/bash\n")
    shell.data.chmod(0o750)
    if os.geteuid() == 0:
        os.chown(shell.data, 54321, 54322)
    old = shell.data.stat()
    shell.run(BLOCKS["stop"])
    shell.run(BLOCKS["restore-append-only"], BACKUP=str(backup))
    assert shell.data.stat().st_mode == old.st_mode
    for path in (shell.data, *shell.data.rglob("*")):
        assert (path.stat().st_uid, path.stat().st_gid) == (old.st_uid, old.st_gid)
    owned, started = 'chown -R --reference="$DATA.broken" "$DATA"', "systemctl start valkey"
    for block in ("restore-append-only", "restore-snapshot"):
        assert BLOCKS[block].rstrip().endswith(f"{owned}\n{started}"), "after the last thing that writes as root"


@pytest.mark.fleet
def test_the_embedded_server_is_copied_and_put_back(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    backup.mkdir()
    with EmbeddedValkey(data) as server, redis.Redis.from_url(server.url) as client:
        client.set("prodaccess:ids", 7)
    shell = OwnServer(tmp_path / "shell")
    where = {"PRODACCESS_DATA": str(data), "BACKUP": str(backup), "PRODACCESS_CONFIG": str(ROOT / "config")}
    shell.run(BLOCKS["embedded"], **where)
    assert "PA-5001" in shell.run(BLOCKS["restore-embedded"], **where)
    with EmbeddedValkey(data) as server, redis.Redis.from_url(server.url) as client:
        assert client.get("prodaccess:ids") == b"5000"


def test_every_command_of_the_page_is_run() -> None:
    used = set(re.findall(r"\"([a-z-]+)\"", Path(__file__).read_text()))
    assert BLOCKS.keys() <= used | {"restore-append-only", "restore-snapshot"}
    assert PAGE.count("```sh") == len(BLOCKS)
