"""`.env`: the variables of the processes. What is not known yet stands there empty, with where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.setup.answers import SLACK, TEAMS, Answers

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,~-]*")

_HEAD = """\
# The variables of prodaccess; `prodaccess up` reads this file. It is for secrets: keep it to yourself and out of git.
# A secret (marked *) may stand in a file instead: NAME_FILE=/run/secrets/name. What the environment says comes first."""


def env_text(answers: Answers, values: Mapping[str, str]) -> str:
    """`values`: variable -> what was given for it."""
    given = answers.given
    chats = [part for chat, part in ((SLACK, _slack(given.slack)), (TEAMS, _TEAMS)) if chat in given.chats]
    known = {**_known(answers), **values}
    public = TEAMS in given.chats or given.slack == "http"
    parts = [*chats, _LEDGER, _POLICY, _AWS, _PROCESSES + (_OPS_PORT if public else "")]
    parts = [_HEAD, *(_filled(part, known) for part in parts)]
    return "\n\n".join(parts) + "\n"


def _known(answers: Answers) -> Mapping[str, str]:
    """What the answers say themselves."""
    teams = answers.given.teams
    return {name: value for name, value in _ids(teams.app_id, teams.tenant_id) if value}


def _ids(app_id: str | None, tenant_id: str | None) -> Iterator[tuple[str, str | None]]:
    yield "TEAMS_APP_ID", app_id
    yield "TEAMS_TENANT_ID", tenant_id


def _filled(part: str, values: Mapping[str, str]) -> str:
    """Each `NAME=` of the part with its value."""
    lines = []
    for line in part.splitlines():
        name = line.removesuffix("=")
        lines.append(f"{line}{quoted(values[name])}" if line.endswith("=") and name in values else line)
    return "\n".join(lines)


def quoted(value: str) -> str:
    """As `.env` files have it: between apostrophes where a sign could mean something else."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _slack(mode: str) -> str:
    return _SLACK + (_SOCKET_MODE if mode == "socket-mode" else _HTTP)


_SLACK = """\
# --- Slack: api.slack.com/apps, your app
# * Posts and edits the cards. "OAuth & Permissions", Bot User OAuth Token; starts with xoxb-.
SLACK_BOT_TOKEN=
"""
_SOCKET_MODE = """\
# * Socket Mode: no address of ours has to be reachable. "Basic Information", App-Level Tokens, with connections:write; xapp-.
SLACK_APP_TOKEN="""
_HTTP = """\
# * HTTP: proves that a request came from Slack. "Basic Information", Signing Secret.
SLACK_SIGNING_SECRET="""
_TEAMS = """\
# --- Teams: the Azure Bot in portal.azure.com. All three, or none
# "Configuration", Microsoft App ID,
TEAMS_APP_ID=
# * the value of its client secret ("Manage Password"; it expires: note the day),
TEAMS_APP_PASSWORD=
# and App Tenant ID: the tenant whose people may use it.
TEAMS_TENANT_ID="""
_LEDGER = """\
# --- The record
# * Redis 7 or Valkey, redis:// or rediss://, with a password. Empty: `prodaccess up` starts a Valkey of its own.
REDIS_URL=
# Where that one keeps its files. This folder is the record: keep it and back it up.
PRODACCESS_DATA=data"""
_POLICY = """\
# --- The policy folder
PRODACCESS_CONFIG=config"""
_AWS = """\
# --- AWS, for the worker alone. Whatever boto3 reads works; a role of the machine needs nothing here.
# Not the read-only profile of `prodaccess init`: the worker gives access and takes it away.
# AWS_PROFILE="""
_PROCESSES = """\
# --- The processes
# Where web answers /healthz, /readyz, /metrics, and what chats send.
PORT=3000
# debug, info, warning or error; json for machines, console for people
LOG_LEVEL=info
LOG_FORMAT=console"""
_OPS_PORT = """
# The internet reaches PORT, so /readyz and /metrics have one of their own that it must not reach.
PRODACCESS_OPS_PORT=3001"""
