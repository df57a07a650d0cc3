"""The chats that are set up: what talks to them, who they say people are, and what they prove of a channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from redis import Redis

from bot.chat.surface import Messenger, Surface, Traits
from bot.directory.external_groups import OutsideGroups
from bot.directory.other_groups import OtherGroups
from bot.monotonic import monotonic_s
from bot.settings import Settings
from workflows.core.destination import read_destination
from workflows.core.identity import SLACK, TEAMS, WEBHOOK
from workflows.core.people import Listed
from workflows.core.policy import Policy, Webhook
from workflows.core.provider import Connection
from workflows.core.records.request import Origin
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.ledger.redis_directory import RedisDirectory
from workflows.policy_file import PolicyFolder
from workflows.ports import DirectoryStore, Signatures

if TYPE_CHECKING:
    from bot.chat.chats import Chats
    from bot.directory.chats import ChatDirectories

OWN_WEBHOOK = "TEAMS_WEBHOOK_URL"


def own_webhooks(settings: Settings) -> tuple[Webhook, ...]:
    """The one that a variable names: of all environments, of both kinds, called after the variable."""
    return (Webhook(OWN_WEBHOOK, OWN_WEBHOOK),) if settings.teams_webhook_url else ()


def build_webhooks(settings: Settings, folder: PolicyFolder) -> Messenger:
    """When the first message goes to one: a policy can name webhooks while we run. Addresses are read each time."""
    from bot.teams.webhook import Webhooks  # noqa: PLC0415 - Slack alone does without

    own = settings.secrets.of("teams_webhook_url")

    def address(name: str) -> str | None:
        if name == OWN_WEBHOOK:
            return own.best() if own is not None else None
        found = env_of(name)
        return settings.secrets.named_value(found) if found else None

    def refused(name: str) -> bool:
        if name == OWN_WEBHOOK:
            return own is not None and own.refused(own.best())
        found = env_of(name)
        return found is not None and settings.secrets.named_refused(found)

    def env_of(name: str) -> str | None:
        named = folder.known.webhooks if folder.known else ()
        found = next((hook for hook in named if hook.name == name), None)
        return found.url_env if found else None

    return Webhooks(address, refused)


Prove = Callable[[Policy, Origin], Origin]


def build_chats(
    settings: Settings,
    folder: PolicyFolder,
    redis: Redis,
    buckets: RedisBuckets,
    directory: RedisDirectory,
    now: Callable[[], datetime],
    members: Callable[[Connection, str], Listed],
) -> tuple[Chats, ChatDirectories, Prove]:
    """The chats that are set up, for a worker: what talks to them, who they say people are, and what they prove of a channel."""
    from bot.chat.chats import Chats  # noqa: PLC0415 - the clock does without
    from bot.directory.chats import ChatDirectories, OneChat  # noqa: PLC0415 - as above

    outside = OutsideGroups(
        settings.secrets.named_value, settings.pagerduty_api_url, monotonic_s, settings.secrets.named_refused
    ).members
    store = store_of_one(settings, directory)
    surfaces: list[Surface] = []
    people: dict[str, OneChat] = {}
    proofs: dict[str, Prove] = {}
    if settings.slack_is_on:
        from bot.slack import build as slack  # noqa: PLC0415 - where there is Slack
        from bot.slack.origin import prove_origin  # noqa: PLC0415 - as above
        from bot.slack.surface import Slack  # noqa: PLC0415 - as above

        client = slack.build_client(settings)
        surfaces.append(Slack(client))
        people[SLACK] = slack.build_directory(client, buckets, store, now, members, outside)
        proofs[SLACK] = partial(prove_origin, client)
    if settings.teams_is_on:
        from bot.teams import build as teams  # noqa: PLC0415 - where there is Teams
        from bot.teams.people import origin  # noqa: PLC0415 - as above

        chat = teams.build_messenger(settings, redis)
        surfaces.append(chat)
        people[TEAMS] = teams.build_directory(settings, chat, buckets, store, now, members, outside)
        proofs[TEAMS] = origin.prove_origin
    others = OtherGroups(directory, now, members, outside)
    chats = Chats(*surfaces, later=webhooks_when_needed(settings, folder))
    return chats, ChatDirectories(people, directory, others), partial(_proved, proofs)


def build_signatures(settings: Settings) -> Signatures | None:
    """What checks again what Slack signed: where its requests come over HTTP, and the secret is here."""
    secret = settings.secrets.of("slack_signing_secret")
    if not settings.slack_over_http or secret is None:
        return None
    from bot.slack.signed import SlackSignatures  # noqa: PLC0415 - where there is Slack, over HTTP
    from bot.terminal_access.witness import WithTerminal  # noqa: PLC0415 - as above

    return WithTerminal(SlackSignatures(secret), secret)


def webhooks_when_needed(settings: Settings, folder: PolicyFolder) -> dict[str, Callable[[], Messenger]]:
    return {WEBHOOK: lambda: build_webhooks(settings, folder)}


def traits_of(place: str) -> Traits:
    """Of the chat in which a place is, whether or not it is set up where somebody types this."""
    from bot.chat.places import surface_of  # noqa: PLC0415 - where it is asked for

    surface = surface_of(place)
    if surface == TEAMS:
        from bot.teams.client.traits import TRAITS as OF_TEAMS  # noqa: PLC0415 - as above

        return OF_TEAMS
    if surface == WEBHOOK:
        from bot.teams.webhook import TRAITS as OF_WEBHOOKS  # noqa: PLC0415 - as above

        return OF_WEBHOOKS
    from bot.slack.traits import TRAITS  # noqa: PLC0415 - as above

    return TRAITS


def store_of_one(settings: Settings, directory: RedisDirectory) -> DirectoryStore:
    """What one chat's directory writes into: with a second chat it may not say for both that nobody has an address."""
    if not (settings.slack_is_on and settings.teams_is_on):
        return directory
    from bot.directory.chats import of_one_chat  # noqa: PLC0415 - where there are two

    return of_one_chat(directory)


def _proved(proofs: Mapping[str, Prove], policy: Policy, origin: Origin) -> Origin:
    """By the chat of the channel, which an earlier version keeps when it writes a request again; of one that is not set up
    nothing is proved.
    """
    prove = proofs.get(read_destination(origin.channel).surface if origin.channel else origin.surface)
    return prove(policy, origin) if prove is not None else origin
