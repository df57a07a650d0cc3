"""Each secret is exchanged for another while everything runs: nothing is started again, nobody is turned away."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.slack import Delivered
from tests.chaos.from_files import FromFiles
from tests.chaos.rig import Rig
from tests.support.installation import CHAOS, GENERAL, SHORT
from tests.support.waiting import eventually

pytestmark = pytest.mark.fleet

USER = "prodaccess"
OLD_WORD, NEW_WORD = "old-redis-word-1", "new-redis-word-2"


class WithRedis(FromFiles):
    """Its processes read every secret from a file, and log in to Redis as a user whose password is exchanged."""

    HELD = ("REDIS_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")

    def environment(self, process: str) -> dict[str, str]:
        if not self.file("REDIS_URL").exists():
            self.hold("REDIS_URL", self.url_with(OLD_WORD))
        return super().environment(process)

    def url_with(self, word: str) -> str:
        return f"redis://{USER}:{word}@127.0.0.1:{self.redis.port}/0"

    def acl(self, *rules: str) -> None:
        with self.connection() as admin:
            admin.execute_command("ACL", "SETUSER", USER, *rules)

    def _start_slack(self) -> None:
        # Redis runs by now, and nothing of ours yet.
        self.acl("on", f">{OLD_WORD}", "~*", "&*", "+@all")
        super()._start_slack()


class Load:
    """Somebody types all the time."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._stop = threading.Event()
        self.outcomes: list[Delivered] = []
        self._thread = threading.Thread(target=self._type)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def more(self) -> None:
        """Some that came after this."""
        known = len(self.outcomes)
        eventually(lambda: len(self.outcomes) > known + 3, "more is typed")

    def _type(self) -> None:
        while not self._stop.wait(0.02):
            self.outcomes.append(self._rig.types("nia", "mine", GENERAL))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[WithRedis]:
    with WithRedis(tmp_path, numbers=CHAOS) as running:
        yield running
        running.slack.faults.clear()


def test_every_secret_is_rotated_while_access_is_given_and_ends(rig: WithRedis) -> None:
    app = rig.slack.app
    secrets = {app.signing_secret, app.bot_token, OLD_WORD, NEW_WORD}
    case = rig.case()
    with Load(rig) as load:
        # The signing secret: both are in the file, Slack changes over, the old one is taken out.
        old, new = app.signing_secret, "0f" * 16
        secrets.add(new)
        rig.hold("SLACK_SIGNING_SECRET", new, old)
        eventually(lambda: signed_with(rig, new), "the new one is taken")
        app.signing_secret = new
        load.more()
        rig.hold("SLACK_SIGNING_SECRET", new)
        eventually(lambda: not signed_with(rig, old), "the old one is turned away")
        load.more()

        # Redis: the new password is in the file before the server knows it.
        rig.hold("REDIS_URL", rig.url_with(NEW_WORD), rig.url_with(OLD_WORD))
        card = case.active(rest=SHORT)
        eventually(lambda: "newest value of REDIS_URL" in rig.attention(), "the refused one is named")
        assert NEW_WORD not in rig.attention()
        rig.acl(f">{NEW_WORD}")
        rig.hold("REDIS_URL", rig.url_with(NEW_WORD))
        eventually(lambda: "REDIS_URL" not in rig.attention(), "the new one is taken")
        rig.acl(f"<{OLD_WORD}")
        with rig.connection() as admin:
            # Each has to log in anew, as after a restart of the server.
            admin.client_kill_filter(_type="normal", skipme=True)
        load.more()
        rig.until(lambda: rig.gone(case), "access ends")
        rig.until(lambda: "Ended" in rig.one_card(case).text, "and it is said")

        # Slack's token: the new one is put above the old one, and the old one is revoked.
        old, app.bot_token = app.bot_token, "xoxb-the-new-token-of-the-app"
        secrets.add(app.bot_token)
        rig.hold("SLACK_BOT_TOKEN", app.bot_token, old)
        case.active(rest=SHORT)
        rig.hold("SLACK_BOT_TOKEN", app.bot_token)
        eventually(lambda: "SLACK_BOT_TOKEN" not in rig.attention(), "nothing is left to say")
        load.more()
    assert card.ts != case.cards()[-1].ts
    turned_away = [outcome for outcome in load.outcomes if not outcome.ok]
    assert not turned_away, (turned_away[:3], rig.logs())
    assert len(load.outcomes) > 30
    assert rig.exposed(secrets) == []


def signed_with(rig: Rig, secret: str) -> bool:
    """Whether web takes what is signed with this one, beside what Slack sends."""
    body, stamp = "payload=%7B%7D", str(int(time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": str(signature)}
    request = urllib.request.Request(str(rig.slack.app.request_url), body.encode(), headers)
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code != 401
    return True
