"""The scopes that the app asks for, and what is missing without each: the manifest says the same, and a test compares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Without these nothing works that anybody would miss less than all of it.
NEEDED: Mapping[str, str] = {
    "commands": "nobody can type the command",
    "chat:write": "nothing can be said",
    "users:read": "nobody is known",
    "users:read.email": "no Slack account can be told to be a person of the policy",
}
BETTER: Mapping[str, str] = {
    "chat:write.public": "no receipts in public incident channels that nobody invited the bot to",
    "im:write": "after a crash a direct message may come twice",
    "dnd:read": "owners are called who want no calls now",
    "usergroups:read": "nobody knows who is in a Slack user group that the policy names",
    "channels:read": "no public channel is known to be an incident's",
    "channels:join": "after a crash a card may come twice in a public channel that the bot is not in",
    "groups:read": "no private channel is known to be an incident's",
    "channels:history": "after a crash a card may come twice in a public channel",
    "groups:history": "after a crash a card may come twice in a private channel",
    "im:history": "after a crash a direct message may come twice",
}


def granted(headers: Mapping[str, str]) -> frozenset[str] | None:
    """The token's scopes, which Slack sends with each answer; None where it did not."""
    found = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    return None if found is None else frozenset(filter(None, (scope.strip() for scope in found.split(","))))


def left_out(scopes: Iterable[str], wanted: Mapping[str, str]) -> list[str]:
    """A sentence for each that the token lacks."""
    has = set(scopes)
    return [
        f"the Slack app lacks the scope {scope}: {lost}. Add it under OAuth & Permissions and install the app again"
        for scope, lost in wanted.items()
        if scope not in has
    ]
