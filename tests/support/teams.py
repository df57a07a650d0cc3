"""Activities as Teams sends them, and the keys that sign them, for tests without a server."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from bot.sandbox.made_once import made_once
from bot.teams.guard import Expected

APP = "11111111-2222-3333-4444-555555555555"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
DANA = "dddddddd-0000-0000-0000-000000000001"
OLU = "dddddddd-0000-0000-0000-000000000002"
SERVICE = "https://smba.trafficmanager.net/emea/"
ISSUER = "https://api.botframework.com"
OPENID = "https://login.botframework.com/v1/.well-known/openidconfiguration"
KEYS = "https://login.botframework.com/v1/.well-known/keys"
EXPECTED = Expected(APP, TENANT, ("https://smba.trafficmanager.net/",))
KID = "first"
PERSONAL, CHANNEL = "a:1personal-of-dana", "19:ops@thread.tacv2"


@made_once
def key(name: str = KID) -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def jwk(name: str = KID, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key(name).public_key()))
    return found | {"kid": name, "endorsements": ["msteams"]} | more


def claims(**more: Any) -> dict[str, Any]:
    """Those of a good token; None leaves one out."""
    now = int(time.time())
    found = {"iss": ISSUER, "aud": APP, "serviceurl": SERVICE, "iat": now, "nbf": now, "exp": now + 3600} | more
    return {name: value for name, value in found.items() if value is not None}


def signed(said: dict[str, Any] | None = None, name: str = KID, kid: str | None = None) -> dict[str, str]:
    """Headers with a token over these claims. `kid`: in place of the key's own name."""
    token = jwt.encode(said or claims(), key(name), "RS256", headers={"kid": kid or name})
    return {"authorization": f"Bearer {token}"}


def message(text: str = "help", **more: Any) -> dict[str, Any]:
    """What Dana types in her own chat with the bot."""
    return {
        "type": "message",
        "id": "1700000000001",
        "serviceUrl": SERVICE,
        "channelId": "msteams",
        "from": {"id": "29:1dana", "name": "Dana Dev", "aadObjectId": DANA},
        "conversation": {"id": PERSONAL, "conversationType": "personal", "tenantId": TENANT},
        "recipient": {"id": f"28:{APP}", "name": "prodaccess"},
        "channelData": {"tenant": {"id": TENANT}},
        "text": text,
    } | more


def in_channel(text: str, thread: str = "1700000000001", **more: Any) -> dict[str, Any]:
    talk = {
        "id": f"{CHANNEL};messageid={thread}",
        "conversationType": "channel",
        "tenantId": TENANT,
        "isGroup": True,
    }
    data = {"tenant": {"id": TENANT}, "team": {"id": "19:team@thread.tacv2"}, "channel": {"id": CHANNEL, "name": "ops"}}
    return message(text, conversation=talk, channelData=data) | more


def pressed(verb: str, data: Any, reply_to: str = "1600000000001", **more: Any) -> dict[str, Any]:
    found = message("", type="invoke", name="adaptiveCard/action") | {"replyToId": reply_to}
    found["value"] = {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}
    return found | more


def changed(activity: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """With another value at `conversation.tenantId`; None leaves it out."""
    found = copy.deepcopy(activity)
    *folders, name = path.split(".")
    at = found
    for folder in folders:
        at = at[folder]
    if value is None:
        del at[name]
    else:
        at[name] = value
    return found


class MemoryShelf:
    """A `bot.teams.client.shelf.Shelf` that forgets nothing."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.held.get(name)

    def put(self, name: str, body: bytes, keep_s: int | None = None) -> None:
        self.held[name] = body

    def take(self, name: str) -> bytes | None:
        return self.held.pop(name, None)

    def swap(self, name: str, body: bytes, keep_s: int) -> bytes | None:
        before, self.held[name] = self.held.get(name), body
        return before
