"""Microsoft's playground: where it cannot start that is said, and it gets nothing that is not its business."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.sandbox.installation.installation import InstallationError
from bot.sandbox.installation.people import teams_world
from bot.sandbox.page import playground
from bot.sandbox.teams.server import TeamsServer


def npx(folder: Path, program: str) -> dict[str, str]:
    """An environment in which npx is this program."""
    path = folder / "npx"
    path.write_text(f"#!{sys.executable}\n{program}\n")
    path.chmod(0o755)
    return {"PATH": str(folder), "SLACK_BOT_TOKEN": "xoxb-1", "npm_config_registry": "https://npm.example.com"}


@pytest.fixture
def teams() -> TeamsServer:
    made = TeamsServer(teams_world)
    made.courier.service_url = "http://127.0.0.1:1/teams/"
    return made


def test_without_node_there_is_a_sentence(tmp_path: Path) -> None:
    assert playground.refusal({"PATH": str(tmp_path)}) == playground.NO_NODE
    assert playground.refusal(npx(tmp_path, "pass")) is None


def test_where_it_ends_at_once_its_own_last_words_are_told(tmp_path: Path, teams: TeamsServer) -> None:
    environ = npx(
        tmp_path, "import os; open(os.environ['M365_AGENTS_PLAYGROUND_LOGFILE'], 'w').write('no such port'); exit(3)"
    )
    with pytest.raises(InstallationError, match=r"exit code 3\. It says: no such port"):
        playground.running(environ, teams.relay, teams.world, tmp_path).__enter__()


SERVES = """
import http.server, json, os, sys
open("seen.json", "w").write(json.dumps([sys.argv, dict(os.environ)]))
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("-p") + 1])), Answers).serve_forever()
"""


def test_it_is_pinned_says_nothing_to_microsoft_and_gets_no_secret(tmp_path: Path, teams: TeamsServer) -> None:
    with playground.running(npx(tmp_path, SERVES), teams.relay, teams.world, tmp_path) as address:
        assert address.startswith("http://127.0.0.1:")
        seen = (tmp_path / "seen.json").read_text()
    assert "m365agentsplayground@0.2.28" in seen
    assert "--disable-telemetry" in seen
    assert teams.relay.endpoint in seen
    assert "npm.example.com" in seen
    assert "xoxb-1" not in seen
    assert "dana@example.com" in (tmp_path / "playground.yml").read_text()
