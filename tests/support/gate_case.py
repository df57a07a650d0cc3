"""A gate of one environment of a running installation: what was asked there, and a try to use an approval once more."""

from __future__ import annotations

import secrets
import time

import redis

from tests.support.installation import Case
from tests.support.waiting import eventually
from workflows.core import keys
from workflows.core.records.request import Request
from workflows.core.refusal import Refused
from workflows.ledger.redis_directory import RedisDirectory
from workflows.policy_file import PolicyFolder
from workflows.usecases.gates.redeem import redeem
from workflows.usecases.shared.context import Context


def asked(case: Case, change: str = "") -> str:
    """The id of the ask that waits in this environment. `change`: what it is for, where several wait there."""
    ledger, index = case.at.ledger(), keys.of_environment(keys.PENDING, case.name)

    def look() -> str | None:
        for id_ in ledger.members(index):
            request = ledger.read(keys.request(id_)).get(keys.request(id_), Request)
            if request is not None and change in request.reason:
                return id_
        return None

    found = eventually(look, f"the pipeline has asked {change}")
    assert found is not None
    return found


class _Chance:
    def hex(self, digits: int) -> str:
        return secrets.token_hex(digits)[:digits]


def taken_again(case: Case, id_: str) -> Refused:
    """Whoever has its wait ticket tries once more."""
    at = case.at
    with redis.Redis.from_url(at.redis.url) as client:
        ctx = Context(
            ledger=at.ledger(),
            directory=RedisDirectory(client),
            policy=PolicyFolder(at.config, monotonic=time.monotonic),
            wake=lambda *_: None,
            chance=_Chance(),
            fault=lambda what, *_, **__: what,
        )
        answer = redeem(ctx, id_, None, secrets.token_hex(8))
    assert isinstance(answer, Refused), answer
    return answer
