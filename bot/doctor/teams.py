"""Teams: the app's secret, Microsoft Graph, the keys that prove what comes in, and each channel that the policy names."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Protocol

from bot.chat.surface import Means, NotDone
from bot.directory.http_json import NotFetched, fetch_json
from bot.doctor.context import Context, elsewhere, exchanged, once
from bot.monotonic import monotonic_s
from bot.settings import Settings
from bot.teams.client.connector import Connector
from bot.teams.client.conversations import Conversations
from bot.teams.client.shelf import RedisShelf
from bot.teams.client.tokens import Tokens, TokensUnavailable
from bot.teams.client.traits import TRAITS
from bot.teams.health import GRAPH_TIMEOUT_S, NO_PERMISSION, token_words
from bot.teams.incoming.keys import Keys
from workflows.core.destination import read_destination
from workflows.core.finding import Finding, attention, broken, ok, skipped, unknown
from workflows.core.identity import TEAMS

TIMEOUT_S = 6.0
CHANNELS_MAX = 20
SEE = "docs/teams.md"


class _Tokens(Protocol):
    def bot(self) -> str: ...


def look(context: Context) -> Iterator[Finding]:
    settings, places = context.settings, context.places(TEAMS)
    if not settings.teams_is_on:
        yield from _not_here(context, places)
        return
    tokens = tokens_of(settings)
    problem = _refused(tokens)
    if problem is not None:
        yield broken("teams.token", "TEAMS_APP_PASSWORD", once(token_words(problem)), SEE)
    else:
        yield ok("teams.token", "TEAMS_APP_PASSWORD", "Microsoft's login takes it")
        yield from exchanged(context, "teams.token", "TEAMS_APP_PASSWORD")
        yield _graph(context, tokens)
        yield from _channels(context, tokens, places)
    yield _keys(settings)
    yield from _addresses(settings)


def tokens_of(settings: Settings) -> Tokens:
    """Raises ValueError where Teams is not set up."""
    app_id, tenant, secret = settings.teams_app_id, settings.teams_tenant_id, settings.secrets.of("teams_app_password")
    if app_id is None or tenant is None or secret is None:
        raise ValueError("Teams is not set up")
    return Tokens(settings.teams_login_url, tenant, app_id, secret, settings.graph_api_url)


def _not_here(context: Context, places: list[str]) -> Iterator[Finding]:
    if not places:
        return
    words = f"the policy names {len(places)} channels in Teams, and TEAMS_APP_ID is not set here"
    if context.needs("web", "worker"):
        yield broken("teams.token", "Teams", words, f"set TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID; {SEE}")
    else:
        yield skipped("teams.token", "Teams", words, elsewhere("worker", "web"))


def _refused(tokens: _Tokens) -> TokensUnavailable | None:
    try:
        tokens.bot()
    except TokensUnavailable as problem:
        return problem
    return None


def _graph(context: Context, tokens: Tokens) -> Finding:
    """One person's id is enough: whoever may not read people is refused that, too."""
    what = "Microsoft Graph"
    context.allowance.asked["teams:graph"] += 1
    try:
        headers = {"Authorization": f"Bearer {tokens.graph()}"}
        url = f"{context.settings.graph_api_url.rstrip('/')}/users?$select=id&$top=1"
        fetch_json(url, headers, timeout_s=GRAPH_TIMEOUT_S)
    except TokensUnavailable as problem:
        return broken("teams.graph", what, once(token_words(problem)), SEE)
    except NotFetched as problem:
        if problem.status == HTTPStatus.FORBIDDEN:
            return broken("teams.graph", what, NO_PERMISSION, f"User.Read.All and admin consent; {SEE}")
        words = f"Microsoft Graph {problem}"
        return broken("teams.graph", what, words, "let this machine reach it; or run it again in a minute")
    return ok("teams.graph", what, "the app may read people")


def _keys(settings: Settings) -> Finding:
    why = Keys(settings.teams_openid_url, monotonic_s).fetch_now()
    what = "Teams' keys"
    if why:
        words = f"nothing from Teams can be believed without them: {settings.teams_openid_url} {why}"
        return broken("teams.keys", what, words, "let web reach that address")
    return ok("teams.keys", what, "they can be fetched, and prove what comes from Teams")


def _addresses(settings: Settings) -> Iterator[Finding]:
    if unusual := settings.unusual_addresses():
        words = f"{', '.join(unusual)} name other addresses than Microsoft's usual ones"
        yield attention("teams.addresses", "addresses", words, "leave them out, unless yours is a national cloud")


def _channels(context: Context, tokens: Tokens, places: list[str]) -> Iterator[Finding]:
    """By the roster of each, which Teams tells an app that is there. Where it is written to, an activity has told."""
    redis = context.server().redis
    if redis is None:
        if places:
            words = f"where they are written to stands in Redis, and {context.server().why}"
            yield skipped("teams.channel", "channels", words)
        return
    settings = context.settings
    connector = Connector(tokens, settings.teams_service_url, TIMEOUT_S)
    for place in places[:CHANNELS_MAX]:
        where = Conversations(RedisShelf(redis), settings.teams_service_url[0])
        id_ = read_destination(place).id
        yield _channel(connector, where.service_url(id_), id_)
    if len(places) > CHANNELS_MAX:
        words = f"{len(places) - CHANNELS_MAX} more were not asked about: one look asks about so many"
        yield skipped("teams.channel", "channels", words)


def _channel(connector: Connector, service_url: str, id_: str) -> Finding:
    try:
        connector.members(service_url, id_)
    except NotDone as problem:
        if problem.means is Means.PLACE:
            words = f"the app may not write there ({problem.word})"
            return broken("teams.channel", id_, words, TRAITS.remedy(problem.word))
        words = f"Teams did not say whether the app is there ({problem.word})"
        return unknown("teams.channel", id_, words, "run it again in a minute")
    return ok("teams.channel", id_, "the app is there")
