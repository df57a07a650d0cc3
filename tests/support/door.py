"""A Bolt app behind HTTP, as Slack calls it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from slack_bolt import App, BoltRequest

from bot.sandbox.slack import SlackServer


class _Door(BaseHTTPRequestHandler):
    bolt: App

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name: [value] for name, value in self.headers.items()}
        response = self.bolt.dispatch(BoltRequest(body=body, headers=headers))
        content = response.body.encode()
        self.send_response(response.status)
        for name, values in response.headers.items():
            self.send_header(name, values[0])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(app: App, slack: SlackServer) -> Iterator[None]:
    """The stand-in for Slack sends everything there."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("ThisDoor", (_Door,), {"bolt": app}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    slack.app.request_url = f"http://127.0.0.1:{server.server_port}/slack/events"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
