"""What is wrong at the first start is a sentence in the log and in /readyz, and is taken up by itself once it is right."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from structlog.testing import capture_logs

from bot.observability.readiness import REDIS_ANSWERS
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.sandbox.slack import SlackServer
from bot.settings import Settings
from bot.wiring import build_clock
from tests.support.installation import ROOT, eventually, free_port, slack_world
from tests.support.readyz import read, status

REFUSED = "Slack refuses SLACK_APP_TOKEN (invalid_auth)"


@contextmanager
def web(log: Path, **environment: str) -> Iterator[None]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLACK_", "PRODACCESS_"))}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "web"], cwd=ROOT, env=env | environment, stdout=out, stderr=out
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def missing(port: str) -> list[str]:
    return list(read(port)["missing"])


def test_a_refused_token_and_no_redis_are_a_sentence_each_and_web_answers_meanwhile(tmp_path: Path) -> None:
    port, nobody, log = str(free_port()), free_port(), tmp_path / "log"
    with SlackServer(slack_world()) as slack:
        right, slack.app.app_token = slack.app.app_token, "xapp-another"
        given = {
            "SLACK_BOT_TOKEN": slack.app.bot_token,
            "SLACK_APP_TOKEN": right,
            "SLACK_API_URL": slack.api_url,
            "REDIS_URL": f"redis://127.0.0.1:{nobody}/0",
            "PORT": port,
        }
        with web(log, **given):

            def told(start: str) -> str | None:
                return next((each for each in missing(port) if each.startswith(start)), None)

            eventually(lambda: told(REFUSED) and told("Redis cannot be reached"), "both are in /readyz")
            slack.app.app_token = right
            eventually(lambda: told("Redis cannot be reached") and not told(REFUSED), "the token is taken by itself")
            slack.sockets.disconnect(abruptly=True)
            eventually(lambda: slack.sockets.connections, "a connection that broke is opened again")
    text = log.read_text()
    assert "Traceback" not in text
    assert (text.count(REFUSED), text.count("Redis cannot be reached")) == (1, 1)
    assert text.count("invalid_auth") == 1, "the SDK does not say it, too"
    assert right not in text


def test_a_process_that_needs_redis_waits_for_it(durable_redis: EmbeddedValkey) -> None:
    url = durable_redis.url
    durable_redis.kill()
    built = threading.Event()

    def build() -> None:
        build_clock(Settings.model_validate({"redis_url": url})).close()
        built.set()

    with capture_logs() as logs:
        threading.Thread(target=build, daemon=True).start()
        eventually(lambda: logs, "it says that Redis is not there")
        assert not built.is_set()
        durable_redis.restart()
        assert built.wait(60)
    assert [line["event"].partition(" (")[0] for line in logs] == ["Redis cannot be reached", REDIS_ANSWERS]


def test_a_port_for_whoever_runs_it_answers_what_the_other_one_does_not(tmp_path: Path) -> None:
    """Taken at first: the other port goes on meanwhile."""
    port, log = str(free_port()), tmp_path / "log"
    taken = socket.create_server(("127.0.0.1", 0))
    ops = str(taken.getsockname()[1])
    with SlackServer(slack_world()) as slack:
        given = {
            "SLACK_BOT_TOKEN": slack.app.bot_token,
            "SLACK_SIGNING_SECRET": "e" * 32,
            "SLACK_API_URL": slack.api_url,
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
            "PORT": port,
            "PRODACCESS_HOST": "127.0.0.1",
            "PRODACCESS_OPS_PORT": ops,
        }
        with taken, web(log, **given):
            eventually(lambda: status(port, "/healthz") == 200, "PORT answers")
            assert [status(port, path) for path in ("/readyz", "/metrics")] == [404, 404]
            assert status(port, "/slack/events") == 405, "it is there, and takes POST alone"
            taken.close()
            eventually(lambda: status(ops, "/readyz") == 503, "it says there that Redis is not")
            assert [status(ops, path) for path in ("/healthz", "/metrics", "/slack/events")] == [200, 200, 404]
            assert not [each for each in missing(ops) if "port" in each.lower()]
    text = log.read_text()
    assert f"Port {ops} is taken by another program: end that one, or set PRODACCESS_OPS_PORT to another." in text
    assert "Traceback" not in text
