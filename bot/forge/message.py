"""What GitHub says when a deployment waits for a protection rule. Nothing here is looked at before it is proved to be GitHub's.

Sources: https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_protection_rule and
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.gate.strict_json import object_of
from workflows.core.records.forge import ForgeWait
from workflows.usecases.gates.forge_wait import wait_id

_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Owner and name, as GitHub lets them be.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}(?:_[A-Za-z0-9]+)?/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
_NUMBER_MAX = 2**63
_ENVIRONMENT_LENGTH_MAX = 255
# The record sets when it was heard.
_NEVER = datetime.fromtimestamp(0, UTC)


class Odd(ValueError):
    """What is wrong with a message, in words that hold nothing of it."""


def is_signed(secrets: Iterable[str], body: bytes, signature: str) -> bool:
    """`secrets`: any of them proves, and each is tried, so that the time taken does not tell which."""
    given = _SIGNATURE.fullmatch(signature)
    made = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    return any([given is not None and hmac.compare_digest(one, given[1]) for one in made])


def wait_of(body: bytes, api_url: str) -> ForgeWait | None:
    """The deployment that waits; None where the message asks for nothing. Raises Odd.

    The address for the answer is never called: it must be the one that can be made of the rest, and its run is all that is taken
    from it.
    """
    try:
        said = object_of(body)
    except ValueError:
        raise Odd("it is not a JSON object") from None
    if said.get("action") != "requested":
        return None
    repository, deployment = _part(said, "repository"), _part(said, "deployment")
    name, owner = _name(repository), _number(_part(repository, "owner"), "id")
    number, waits = _number(repository, "id"), _number(deployment, "id")
    environment, run = _environment(said, deployment), _run(said, name, api_url)
    return ForgeWait(
        id=wait_id(str(number), run, environment, str(waits)),
        ticket="",
        repository=name,
        repository_id=str(number),
        owner_id=str(owner),
        installation=str(_number(_part(said, "installation"), "id")),
        environment=environment,
        deployment=str(waits),
        commit=_commit(deployment),
        run=run,
        people=tuple(dict.fromkeys((*_person(said, "sender"), *_person(deployment, "creator")))),
        since=_NEVER,
    )


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    if not isinstance(found, dict):
        raise Odd(f"it has no {name!r}")
    return found


def _number(said: Mapping[str, Any], name: str) -> int:
    found = said.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < _NUMBER_MAX:
        raise Odd(f"{name!r} is no number of GitHub's")
    return found


def _name(repository: Mapping[str, Any]) -> str:
    found = repository.get("full_name")
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise Odd("'full_name' is no repository's name")
    return found


def _environment(said: Mapping[str, Any], deployment: Mapping[str, Any]) -> str:
    found = said.get("environment")
    usable = isinstance(found, str) and 0 < len(found) <= _ENVIRONMENT_LENGTH_MAX and found.isprintable()
    if not usable or not isinstance(found, str) or deployment.get("environment", found) != found:
        raise Odd("'environment' is no name, or the deployment has another one")
    return found


def _commit(deployment: Mapping[str, Any]) -> str:
    found = deployment.get("sha")
    if not isinstance(found, str) or not _COMMIT.fullmatch(found):
        raise Odd("'sha' is no commit")
    return found


def _run(said: Mapping[str, Any], name: str, api_url: str) -> str:
    found = said.get("deployment_callback_url")
    whole = rf"{re.escape(f'{api_url}/repos/{name}/actions/runs/')}([1-9][0-9]{{0,18}})/deployment_protection_rule"
    run = re.fullmatch(whole, found) if isinstance(found, str) and found.isascii() else None
    if run is None:
        raise Odd("its address for the answer is not the one of this repository at GITHUB_API_URL")
    return run[1]


def _person(said: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """A bot bars nobody."""
    found = said.get(name)
    if not isinstance(found, dict) or found.get("type") == "Bot":
        return ()
    try:
        return (_number(found, "id"),)
    except Odd:
        return ()
