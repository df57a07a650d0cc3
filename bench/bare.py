"""A Bolt app that only acknowledges, under our own server and adapter: the limit that `bench.acks` measures against.

python -m bench.bare PORT SECRET
"""

from __future__ import annotations

import re
import sys

import uvicorn
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.runtime.operations import Operations, app_of
from bot.settings.secret import Secret
from bot.slack.front import Events


def bare_app(secret: str) -> App:
    """Built as ours is (`bot/slack/app.py`), with listeners that do nothing."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-none")  # no token at all

    app = App(
        client=WebClient(token="xoxb-none"),  # as above
        authorize=authorize,
        signing_secret=secret,
        process_before_response=True,
        raise_error_for_unhandled_request=False,
    )
    app.command("/prodaccess")(_acknowledge)
    app.action(re.compile(r"^.*$"))(_acknowledge)
    return app


def events(secret: str) -> Events:
    return Events(bare_app(secret), Secret("slack_signing_secret", (secret,)))


def _acknowledge(ack: Ack) -> None:
    ack()


def main() -> None:
    port, secret = int(sys.argv[1]), sys.argv[2]
    app = app_of(events(secret).routes(), Operations(lambda: ([], [])))
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, server_header=False)


if __name__ == "__main__":
    main()
