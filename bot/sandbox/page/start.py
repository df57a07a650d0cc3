"""What the page needs to know once: who is who, what can be typed, and the first life to try."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import yaml

from bot.chat.messages.help import usages
from bot.sandbox.installation.people import (
    DANA,
    INCIDENT,
    MAX,
    NIA,
    OLU,
    OWNERS_ROOM,
    PLAYERS,
    PRODUCTION,
    STAGING,
    SUE,
    TEAM_ROOM,
    Player,
)
from bot.sandbox.slack import SlackServer
from bot.shipped import slack_manifest
from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement, Environment, Policy, Risk

Json = dict[str, Any]


def start(slack: SlackServer, policy: Policy) -> Json:
    command = slack.app.commands[0]
    example = _example(policy, PRODUCTION)
    return {
        "command": command,
        "bot": {"user": slack.app.bot_user_id, "name": slack.app.bot_name},
        "people": [_person(player) for player in PLAYERS],
        "channels": _channels(slack),
        "environments": [_environment(each) for each in policy.environments.values()],
        "verbs": [
            {"usage": each.usage, "verb": each.verb, "says": each.says}
            for each in usages(command, f"{PRODUCTION} {example.role}")
        ],
        "shortcuts": _shortcuts("global"),
        "message_shortcuts": _shortcuts("message"),
        "hints": hints(policy, command),
        "now": slack.clock(),
    }


def _person(player: Player) -> Json:
    initials = "".join(word[0] for word in player.name.split())
    return {"id": player.id, "name": player.name, "part": player.part, "initials": initials}


def _channels(slack: SlackServer) -> list[Json]:
    with slack.workspace.lock:
        found = [channel for channel in slack.workspace.channels.values() if not channel.is_im]
        return [{"id": c.id, "name": c.name, "purpose": c.purpose, "private": c.is_private} for c in found]


def _environment(environment: Environment) -> Json:
    roles = [
        {
            "name": role.role,
            "allows": role.allows,
            "danger": role.danger,
            "durations": [format_duration(each) for each in role.durations],
        }
        for role in environment.roles.values()
    ]
    return {
        "name": environment.name,
        "title": environment.title,
        "tier": environment.tier.value,
        "roles": roles,
    }


def _shortcuts(kind: str) -> list[Json]:
    """By the manifest that a real workspace gets."""
    listed = yaml.safe_load(slack_manifest().read_text(encoding="utf-8"))["features"]["shortcuts"]
    return [{"id": each["callback_id"], "title": each["name"]} for each in listed if each["type"] == kind]


# ---------------------------------------------------------------- the first life


def hints(policy: Policy, command: str) -> list[Json]:
    """Step by step. A text that begins with the command is there to be typed; the others say what to do or to look at."""
    reading = _example(policy, PRODUCTION)
    changing = _example(policy, PRODUCTION, Risk.CHANGE)
    dangerous = _example(policy, PRODUCTION, Risk.ADMIN)
    staging = _example(policy, STAGING)
    ask = f"{command} {PRODUCTION} {reading.role}"
    short = _typed(min(reading.durations))
    long = format_duration(min(reading.durations))
    return [
        _hint(DANA, TEAM_ROOM, f"{ask} {short} INC-7 checkout errors", f"Ask for production, for {long}."),
        _hint(OLU, OWNERS_ROOM, "Be Olu, who owns production, and press Approve on the card."),
        _hint(DANA, TEAM_ROOM, f"Watch AWS: Dana has the access now, and {long} later it is gone, automatically."),
        _hint(OLU, OWNERS_ROOM, "The card has become one quiet line, and #access-log holds a receipt of each step."),
        _hint(MAX, TEAM_ROOM, f"{ask} {short} just looking", "Max has no say here. Let him ask, and see why not."),
        _hint(
            DANA,
            TEAM_ROOM,
            f"{command} {PRODUCTION} {changing.role} {_typed(min(changing.durations))} ORD-17 orders got stuck",
            "Ask to change something; then be Olu and deny it, with a reason.",
        ),
        _hint(
            NIA,
            INCIDENT,
            f"{ask} {short} INC-7 checkout errors",
            "Nia is on call: in an incident's channel a rule approves reading at once.",
        ),
        _hint(
            DANA,
            TEAM_ROOM,
            f"{command} {STAGING} {staging.role} {_typed(min(staging.durations))} trying the fix",
            "Staging is not production: the team approves itself there, by a rule.",
        ),
        _hint(DANA, TEAM_ROOM, f"{command} mine", "What is yours, and what you can do with it."),
        _hint(
            NIA,
            INCIDENT,
            f"{command} break-glass {PRODUCTION} {dangerous.role} 1m INC-7 all down",
            "An emergency: Nia gives herself access. Everybody sees it, and Olu or Pat has to review it: look at #orders-ops.",
        ),
        _hint(
            SUE,
            TEAM_ROOM,
            f"{command} revoke-all person {NIA.email} stolen laptop",
            "The panic switch: security revokes all that Nia has. It asks once before it does.",
        ),
        _hint(
            SUE,
            TEAM_ROOM,
            f"{command} person confirm @{DANA.key} she told me on the phone",
            f"{DANA.first}’s address changes: press that under Break something. Her account is then on hold, until Sue says "
            "that it is still hers.",
        ),
        _hint(OLU, OWNERS_ROOM, "Break something while somebody has access: kill the worker. It still ends on time."),
    ]


def _hint(player: Player, channel: str, text: str, says: str | None = None) -> Json:
    return {"as": player.id, "in": channel, "text": text, "says": says or text}


def _example(policy: Policy, environment: str, risk: Risk = Risk.READ) -> Entitlement:
    return next(role for role in policy.environments[environment].roles.values() if role.risk is risk)


def _typed(duration: timedelta) -> str:
    return format_duration(duration).replace(" ", "")
