"""`python -m bot.sandbox.slack [--port 0] [--seed FILE]`: the stand-in as a process, until it is interrupted.

Prints one line of JSON when it listens: `{"api_url": ..., "control_url": ..., "bot_token": ..., ...}`.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from bot.sandbox.slack.server import SlackServer


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bot.sandbox.slack", description="A Slack workspace on this machine."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one unless said")
    parser.add_argument("--seed", type=Path, help="JSON with app, users, groups, channels")
    options = parser.parse_args(arguments)
    seed = json.loads(options.seed.read_text()) if options.seed else {}
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with SlackServer(seed, port=options.port) as slack:
        sys.stdout.write(json.dumps(_announcement(slack)) + "\n")
        sys.stdout.flush()
        over.wait()


def _announcement(slack: SlackServer) -> dict[str, str]:
    return {
        "api_url": slack.api_url,
        "control_url": f"{slack.base_url}/_control/",
        "bot_token": slack.app.bot_token,
        "app_token": slack.app.app_token,
        "signing_secret": slack.app.signing_secret,
    }


if __name__ == "__main__":
    main()
