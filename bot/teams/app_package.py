"""The app as Teams takes it: a zip with its manifest and two icons, made for the bot of one installation.

Nothing in it is secret, and none of it decides anything: the address of the bot stands in the Azure Bot resource alone.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from bot.teams import icons

# The oldest version of the schema that has all that we use: tenants that are behind refuse newer ones.
SCHEMA = "1.25"
# Teams takes another manifest in place of the one it has only where this is higher.
RELEASE = "1.0.0"
NAME_LENGTH_MAX = 30
# Of a list of commands (developer.microsoft.com/json-schemas/teams/v1.25/MicrosoftTeams.schema.json).
COMMANDS_MAX = 12
MANIFEST, COLOR, OUTLINE = "manifest.json", "color.png", "outline.png"

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RELEASE = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.(?:0|[1-9][0-9]{0,5})){2}")
_WEBSITE = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[!-~]*)?")
# In the order of zips of the DOS age, the first moment that they know: the same content makes the same bytes.
_MOMENT = (1980, 1, 1, 0, 0, 0)

COMMANDS: Mapping[str, str] = {
    "help": "What can be typed, on one page",
    "request": "ENV ROLE [DURATION] [at TIME] REASON: asks for access; alone it opens the form",
    "again": "[REASON]: asks for the last access once more",
    "for": "WHO ENV ROLE [DURATION] REASON: asks for somebody else",
    "break-glass": "ENV ROLE [DURATION] REASON: emergency access at once, seen by everybody and reviewed afterwards",
    "approve": "ID: approves a request; the button does the same",
    "less": "ID [ROLE] [DURATION]: approves for less",
    "deny": "ID REASON: denies a request",
    "withdraw": "ID: cancels your request",
    "decline": "ID: says no to a request that somebody made for you",
    "extend": "ID DURATION REASON: asks for more time",
    "end": "ID [REASON]: gives back your access, or revokes somebody else's",
    "revoke-all": "person WHO REASON, or env ENV REASON: revokes all of it",
    "delegate": "@NAME until fri: who decides in your place while you are away; off ends it",
    "acknowledge": "ID [NOTE]: reviews a break-glass, all was well",
    "flag": "ID NOTE: reviews a break-glass, and calls security",
    "lift": "WHO REASON: lets somebody ask again after a flag or a revoke-all",
    "person": "confirm WHO REASON: whose an account on hold is",
    "show": "ID: one request with its receipts",
    "list": "[ENV]: who has access now",
    "mine": "What is yours: access, requests, reviews",
    "pending": "What waits, and what waits for you",
    "history": "[ENV or WHO]: the last requests, and what became of them",
    "envs": "What there is to ask for",
    "who": "ENV: who owns it, and who may ask",
    "explain": "ENV ROLE [WHO]: who may ask, who could approve, and why",
}
# What each place offers while somebody types. All commands work in all of them; a list has twelve at most.
OFFERED: Mapping[str, Sequence[str]] = {
    "personal": (
        *("request", "mine", "pending", "list", "again", "for"),
        *("extend", "end", "delegate", "envs", "explain", "help"),
    ),
    "team": (
        *("request", "approve", "less", "deny", "show", "break-glass"),
        *("acknowledge", "flag", "revoke-all", "who", "history", "help"),
    ),
    "groupChat": (
        *("request", "approve", "deny", "extend", "end", "withdraw"),
        *("decline", "break-glass", "lift", "person", "list", "help"),
    ),
}


def problem(app_id: str, name: str, website: str, release: str) -> str:
    """What Teams would not take, in one sentence; empty where all is well."""
    if not _GUID.fullmatch(app_id.lower()):
        return (
            "The app id is no GUID: copy the Microsoft App ID of the Azure Bot, 8-4-4-4-12 digits and letters a to f."
        )
    if not name.strip() or name != name.strip() or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        return f"The name has to be 1 to {NAME_LENGTH_MAX} characters that can be seen, without blanks at its ends."
    if not _WEBSITE.fullmatch(website):
        return "The website has to be an https:// address: people reach it from the app's page in Teams."
    if not _RELEASE.fullmatch(release):
        return "The release has to be three numbers, such as 1.0.1, higher than the one that Teams has."
    return ""


def manifest(app_id: str, *, name: str, website: str, release: str = RELEASE) -> dict[str, Any]:
    """For the bot with this id (a GUID). Standard channels alone: nothing says that it supports shared or private ones."""
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA}/MicrosoftTeams.schema.json",
        "manifestVersion": SCHEMA,
        "version": release,
        "id": app_id.lower(),
        "developer": {"name": "prodaccess", "websiteUrl": website, "privacyUrl": website, "termsOfUseUrl": website},
        "name": {"short": name, "full": f"{name}: temporary production access"},
        "description": {
            "short": "Temporary production access, asked for and approved in chat",
            "full": "Ask for access to an environment, say why and for how long. Its owners approve or deny in chat, and "
            "the access ends automatically. Every step is on the record. Type help to see what can be typed.",
        },
        "icons": {"color": COLOR, "outline": OUTLINE},
        "accentColor": "#1D2B3A",
        "defaultInstallScope": "personal",
        "bots": [
            {
                "botId": app_id.lower(),
                "scopes": list(OFFERED),
                "supportsFiles": False,
                "isNotificationOnly": False,
                "commandLists": [_commands(scope, titles) for scope, titles in OFFERED.items()],
            }
        ],
        "validDomains": [],
    }


def _commands(scope: str, titles: Sequence[str]) -> dict[str, Any]:
    return {
        "scopes": [scope],
        "commands": [{"title": title, "description": COMMANDS[title]} for title in titles],
    }


def files(app_id: str, *, name: str, website: str, release: str = RELEASE) -> dict[str, bytes]:
    """File name -> content."""
    text = json.dumps(manifest(app_id, name=name, website=website, release=release), indent=2, ensure_ascii=False)
    return {MANIFEST: text.encode() + b"\n", COLOR: icons.color(), OUTLINE: icons.outline()}


def package(app_id: str, *, name: str, website: str, release: str = RELEASE) -> bytes:
    """The zip, its three files at its root. The same arguments give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, content in files(app_id, name=name, website=website, release=release).items():
            entry = zipfile.ZipInfo(file, _MOMENT)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
