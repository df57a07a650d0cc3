"""What is left to do after the files are there, in the order in which it is done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.setup.answers import SLACK, TEAMS, Answers, roles_of

_RIGHTS = "Give the worker, and nobody else, its rights in AWS: the first page says how, the others are the rights."
_FILES = {
    "aws-identity-center": "worker-policy.identity-center.json",
    "aws-identity-center-group": "worker-policy.identity-center-groups.json",
    "aws-iam-policy": "worker-policy.iam-policy.json",
    "aws-iam-group": "worker-policy.iam-group.json",
}
_TEAMS_ID = "MICROSOFT-APP-ID"


def next_steps(answers: Answers, values: Mapping[str, str], folder: Path) -> str:
    """Numbered, each with what is typed on a line of its own."""
    steps = [*_steps(answers, values, folder)]
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def _steps(answers: Answers, values: Mapping[str, str], folder: Path) -> Iterator[str]:
    if folder.resolve() != Path.cwd():
        yield f"Go there:\n     cd {shlex.quote(str(folder))}"
    if SLACK in answers.given.chats:
        yield from _slack(answers, values)
    if TEAMS in answers.given.chats:
        yield from _teams(answers, values)
    yield "\n     ".join((_RIGHTS, *(f"prodaccess docs deploy/aws/{name}" for name in rights(answers))))
    if any(role.target.kind.startswith("aws-iam-") for role in roles_of(answers).values()):
        yield "Tag each IAM user with the address of its person: prodaccess:person = dana@example.com"
    yield "See what the policy means, in words:\n     prodaccess config render"
    yield "See that chat, AWS, people and Redis are what the policy says:\n     prodaccess doctor"
    yield "Start it: web, worker and clock, with a Valkey of its own where REDIS_URL is empty:\n     prodaccess up"


def rights(answers: Answers) -> Iterator[str]:
    """The files of deploy/aws that these roles and groups need."""
    yield "README.md"
    yield from dict.fromkeys(_FILES[role.target.kind] for role in roles_of(answers).values())
    if any(group.identity_center_group for group in answers.given.groups.values()):
        yield "worker-policy.policy-groups.json"


def _slack(answers: Answers, values: Mapping[str, str]) -> Iterator[str]:
    http = answers.given.slack == "http"
    option = " --url https://YOUR-HOST" if http else ""
    yield (
        "Make the Slack app: api.slack.com/apps, Create New App, From a manifest, YAML. Paste what this prints, and install it:\n"
        f"     prodaccess slack manifest{option}"
    )
    wanted = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET" if http else "SLACK_APP_TOKEN")
    yield from _fill_in(wanted, values)
    yield "Invite the app to each private channel that the policy names: /invite @prodaccess"


def _teams(answers: Answers, values: Mapping[str, str]) -> Iterator[str]:
    app_id = answers.given.teams.app_id or values.get("TEAMS_APP_ID", "")
    known = {**values, **({"TEAMS_TENANT_ID": "known"} if answers.given.teams.tenant_id else {})}
    known |= {"TEAMS_APP_ID": app_id} if app_id else {}
    yield "Make the Azure Bot, and let it read people, as parts 1 and 2 of this page say:\n     prodaccess docs teams"
    yield from _fill_in(("TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_TENANT_ID"), known)
    yield (
        "Make the app for the Teams admin centre, and upload it there:\n"
        f"     prodaccess teams package --app-id {app_id or _TEAMS_ID}"
    )


def _fill_in(wanted: tuple[str, ...], values: Mapping[str, str]) -> Iterator[str]:
    missing = [name for name in wanted if not values.get(name)]
    if missing:
        yield f"Fill in {_and(missing)} in .env; it says beside each where to find it."


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
