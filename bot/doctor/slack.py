"""Slack: the tokens, what they may do, and each channel that the policy names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk import WebClient

from bot.chat.surface import NotDone
from bot.doctor.allowance import USED_UP_S
from bot.doctor.context import SEE_SECRETS, Context, elsewhere, exchanged, once
from bot.settings import Settings
from bot.slack.answers import ask
from bot.slack.build import build_client
from bot.slack.health import BOT_TOKEN
from bot.slack.refused import error_word, slack_words
from bot.slack.scopes import BETTER, NEEDED, granted
from workflows.core.finding import Finding, attention, broken, ok, skipped, unknown
from workflows.core.identity import SLACK

TIMEOUT_S = 8
APP_TOKEN = "an app-level token with connections:write (Basic Information), xapp-..."  # noqa: S105 - no token, where to find one
_MANIFEST = "`prodaccess slack manifest` prints the app as it should be"
_INSTALL = f"add it under OAuth & Permissions and install the app again; {_MANIFEST}"
# Slack's own words for a channel that this token is shown nothing of.
_NOT_SHOWN = frozenset({"channel_not_found", "team_not_found", "access_denied"})


def look(context: Context) -> Iterator[Finding]:
    settings, places = context.settings, context.places(SLACK)
    if settings.slack_bot_token is None:
        yield from _not_here(context, places)
    else:
        yield from _bot(context, build_client(settings, TIMEOUT_S), places)
    if settings.slack_app_token is not None:
        yield _socket_mode(settings)
    elif settings.slack_signing_secret is not None:
        words = "it is set; whether it is the right one shows with the first request from Slack"
        yield ok("slack.signing-secret", "SLACK_SIGNING_SECRET", words)
    if settings.slack_is_on and context.whom == "worker":
        yield _votes(settings)


def _votes(settings: Settings) -> Finding:
    """Whether the worker can check again what Slack signed of votes in production."""
    name, what = "slack.signed-votes", "votes in production"
    if settings.slack_over_http:
        return ok(name, what, "the worker checks again what Slack has signed of each")
    words = "they are not checked again: " + (
        "in Socket Mode Slack signs nothing" if settings.socket_mode else "SLACK_SIGNING_SECRET is not set here"
    )
    return skipped(name, what, words, "where Slack comes over HTTP, give the worker the signing secret that web has")


def _not_here(context: Context, places: list[str]) -> Iterator[Finding]:
    if not places and context.settings.teams_is_on:
        return
    if context.needs("web", "worker") and not context.settings.teams_is_on:
        yield skipped("slack.token", "SLACK_BOT_TOKEN", "no chat is set: see Variables")
    elif context.needs("web", "worker") and places:
        words = f"the policy names {len(places)} channels in Slack, and SLACK_BOT_TOKEN is not set"
        yield broken("slack.token", "SLACK_BOT_TOKEN", words, f"set it to {BOT_TOKEN}; {_MANIFEST}")
    else:
        yield skipped("slack.token", "SLACK_BOT_TOKEN", "it is not set here", elsewhere("worker", "web"))


def _bot(context: Context, client: WebClient, places: list[str]) -> Iterator[Finding]:
    what = "SLACK_BOT_TOKEN"
    try:
        context.allowance.asked["slack:auth.test"] += 1
        answer = client.auth_test()
    except Exception as problem:
        yield broken("slack.token", what, once(slack_words(what, BOT_TOKEN, problem)), _mend(problem))
        yield skipped("slack.channel", "channels", "Slack cannot be asked about them")
        return
    yield ok("slack.token", what, f"Slack takes it: {answer.get('user')} in {answer.get('team')}")
    yield from exchanged(context, "slack.token", what)
    scopes = granted(answer.headers)
    yield from _scopes(scopes)
    for place in places:
        found = _channel(context, client, place, scopes or frozenset({"chat:write.public"}), str(answer.get("user")))
        if found is None:
            words = f"{len(places) - places.index(place)} more were not asked about: one look asks about so many"
            yield skipped("slack.channel", "channels", words)
            return
        yield found


def _mend(problem: Exception) -> str:
    if error_word(problem):
        return _MANIFEST
    return "let this machine reach SLACK_API_URL; where a proxy stands between, set HTTPS_PROXY"


def _scopes(scopes: frozenset[str] | None) -> Iterator[Finding]:
    if scopes is None:
        yield skipped("slack.scope", "scopes", "Slack tells none for a token of this kind")
        return
    lacking = False
    for wanted, tell in ((NEEDED, broken), (BETTER, attention)):
        for scope, lost in wanted.items():
            if scope not in scopes:
                lacking = True
                yield tell("slack.scope", f"scope {scope}", f"the app lacks it: {lost}", _INSTALL)
    if not lacking:
        yield ok("slack.scope", "scopes", f"the app has all {len(NEEDED) + len(BETTER)}")


def _channel(context: Context, client: WebClient, place: str, scopes: frozenset[str], bot: str) -> Finding | None:
    """None where one look asks about no more channels."""
    if context.allowance.take("slack:conversations.info", rate=1, burst=1) >= USED_UP_S:
        return None
    try:
        channel = ask(client.conversations_info, "channel", channel=place)["channel"]
    except NotDone as problem:
        return _not_told(context, place, problem, bot)
    return _judged(place, channel if isinstance(channel, Mapping) else {}, scopes, bot)


def _not_told(context: Context, place: str, problem: NotDone, bot: str) -> Finding:
    if problem.after_s:
        context.allowance.block("slack:conversations.info", problem.after_s)
    if problem.word in _NOT_SHOWN:
        words = f"Slack shows no such channel ({problem.word}): it is gone, or private and the bot is not in it"
        return broken("slack.channel", place, words, f"/invite @{bot} there, or name another channel in the policy")
    return unknown("slack.channel", place, f"Slack did not say ({problem.word})", "run it again in a minute")


def _judged(place: str, channel: Mapping[str, Any], scopes: frozenset[str], bot: str) -> Finding:
    what = f"#{channel.get('name')} ({place})"
    if channel.get("is_archived"):
        return broken("slack.channel", what, "it is archived", "unarchive it, or name another channel in the policy")
    if not channel.get("is_member") and "chat:write.public" not in scopes:
        return broken("slack.channel", what, "the bot is not in it and may not post there", f"/invite @{bot} there")
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        words = "it is shared with another organisation, whose people read what is posted there"
        return attention("slack.channel", what, words, "name a channel of your own in the policy")
    where = "the bot is in it" if channel.get("is_member") else "the bot may post there, and need not be in it"
    return ok("slack.channel", what, where)


def _socket_mode(settings: Settings) -> Finding:
    """An address is asked for and not opened: the processes that listen keep their connections."""
    what, secret = "SLACK_APP_TOKEN", settings.secrets.of("slack_app_token")
    client = WebClient(base_url=settings.slack_api_url, timeout=TIMEOUT_S, retry_handlers=[])
    try:
        if secret is None:
            raise ValueError("no value")
        secret.presented(lambda token: client.apps_connections_open(app_token=token), lambda _: True)
    except Exception as problem:
        return broken("slack.socket-mode", what, once(slack_words(what, APP_TOKEN, problem)), _mend(problem))
    if secret.newest_is_refused():
        words = "Slack refuses the newest value of its file, and takes an older one"
        return attention("slack.socket-mode", what, words, SEE_SECRETS)
    return ok("slack.socket-mode", what, "Slack gives it an address for Socket Mode")
