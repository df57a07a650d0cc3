"""Builds what talks to Slack. Imported where Slack is configured, and nowhere else; what listens is in `front`, for web alone."""

from __future__ import annotations

from collections.abc import Callable

from slack_sdk import WebClient

from bot.directory.other_groups import no_worker
from bot.settings import Settings
from bot.slack.client import RotatingClient
from bot.slack.directory import Clock, SlackRefresher
from bot.slack.lookups import Lookups
from bot.slack.tls import tls_for
from workflows.core.identity import Address
from workflows.core.people import Listed
from workflows.core.policy import Group
from workflows.core.provider import Connection
from workflows.ports import Buckets, DirectoryStore

TIMEOUT_S = 8
# A trigger opens a form for three seconds; after that whoever pressed should read that it did not open.
WEB_TIMEOUT_S = 4


def build_client(settings: Settings, timeout_s: int = TIMEOUT_S) -> WebClient:
    """Without the SDK's own retries: what is repeated goes through the ledger, and 429 through the shared buckets."""
    secret = settings.secrets.of("slack_bot_token")
    if secret is None:
        raise ValueError("SLACK_BOT_TOKEN is not set")
    url = settings.slack_api_url
    return RotatingClient(secret, base_url=url, timeout=timeout_s, retry_handlers=[], ssl=tls_for(url))


def build_directory(
    client: WebClient,
    buckets: Buckets,
    store: DirectoryStore,
    now: Clock,
    identity_center: Callable[[Connection, str], Listed],
    outside: Callable[[Group], frozenset[Address]] = no_worker,
) -> SlackRefresher:
    return SlackRefresher(Lookups(client, buckets), store, now, identity_center, outside)
