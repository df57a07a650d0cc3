"""Builds what talks to Teams. Imported where Teams is configured, and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from redis import Redis

from bot.chat.actions.dispatcher import Dispatcher
from bot.directory.other_groups import no_worker
from bot.directory.refresh import ChatDirectory
from bot.monotonic import monotonic_s
from bot.settings import Settings
from bot.teams.client.connector import TIMEOUT_S, Connector
from bot.teams.client.conversations import Conversations
from bot.teams.client.shelf import RedisShelf, Shelf
from bot.teams.client.surface import Teams
from bot.teams.client.tokens import Tokens
from bot.teams.front import TeamsFront
from bot.teams.guard import Expected
from bot.teams.health import TeamsCheck
from bot.teams.incoming.acting import Acts
from bot.teams.incoming.app import TeamsApp
from bot.teams.incoming.keys import Keys
from bot.teams.incoming.verify import Verifier
from bot.teams.people.directory import TeamsRefresher
from bot.teams.people.graph import Graph
from bot.teams.people.roster import Roster
from workflows.core.identity import Address
from workflows.core.people import Listed
from workflows.core.policy import Group
from workflows.core.provider import Connection
from workflows.ports import Buckets, DirectoryStore

# Somebody waits there who has pressed.
WEB_TIMEOUT_S = 4.0
# For whoever has not been heard of: "Send proactive messages" (learn.microsoft.com) names this one for all regions.
_EVERYWHERE = ("https://smba.trafficmanager.net/", "https://smba.trafficmanager.net/teams/")


def build_messenger(settings: Settings, redis: Redis, *, timeout_s: float = TIMEOUT_S) -> Teams:
    """`timeout_s`: of each call to Teams. Raises ValueError where Teams is not configured."""
    return _messenger(settings, RedisShelf(redis), timeout_s)


def build_app(settings: Settings, dispatcher: Dispatcher, teams: Teams, directory: ChatDirectory) -> TeamsApp:
    expected = Expected(str(settings.teams_app_id), str(settings.teams_tenant_id), settings.teams_service_url)
    keys = Keys(settings.teams_openid_url, monotonic_s)
    return TeamsApp(Verifier(expected, keys), keys, Acts(dispatcher, teams, directory))


def build_directory(
    settings: Settings,
    teams: Teams,
    buckets: Buckets,
    store: DirectoryStore,
    now: Callable[[], datetime],
    identity_center_members: Callable[[Connection, str], Listed],
    outside: Callable[[Group], frozenset[Address]] = no_worker,
    *,
    timeout_s: float = TIMEOUT_S,
) -> TeamsRefresher:
    """`teams`: as `build_messenger` built it. `timeout_s`: of each question to Graph."""
    graph = Graph(settings.graph_api_url, teams.tokens, buckets, timeout_s)
    roster = Roster(teams.connector, teams.conversations, buckets)
    tenant = str(settings.teams_tenant_id)
    clock_of = teams.conversations.clock_of
    return TeamsRefresher(graph, roster, tenant, store, now, identity_center_members, outside, clock_of)


def build_front(settings: Settings, dispatcher: Dispatcher, teams: Teams, directory: ChatDirectory) -> TeamsFront:
    return TeamsFront(
        settings, build_app(settings, dispatcher, teams, directory), TeamsCheck(teams.tokens, settings.graph_api_url)
    )


def _messenger(settings: Settings, shelf: Shelf, timeout_s: float) -> Teams:
    app_id, tenant, secret = settings.teams_app_id, settings.teams_tenant_id, settings.secrets.of("teams_app_password")
    if app_id is None or tenant is None or secret is None:
        raise ValueError("TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID are not all set")
    tokens = Tokens(settings.teams_login_url, tenant, app_id, secret, settings.graph_api_url)
    connector = Connector(tokens, settings.teams_service_url, timeout_s)
    first = settings.teams_service_url[0]
    elsewhere = _EVERYWHERE[1] if first == _EVERYWHERE[0] else first
    conversations = Conversations(shelf, elsewhere)
    return Teams(
        connector,
        conversations,
        tokens,
        shelf,
        app_id=app_id,
        tenant=tenant,
        command=settings.command,
        name=lambda: secrets.token_hex(12),
    )
