"""The bare app, which our acknowledgements are held against, acknowledges what is signed, and that alone."""

from __future__ import annotations

import asyncio
import time

import httpx
from starlette.applications import Starlette

from bench.bare import events
from bot.sandbox.slack.events.http import sign


def test_the_bare_app_acknowledges_what_is_signed_and_that_alone() -> None:
    body, at = b"command=%2Fprodaccess&text=help&user_id=U1&team_id=T1", str(int(time.time()))
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": at}
    app = Starlette(routes=list(events("the secret").routes()))

    async def answered(secret: str) -> int:
        signed = headers | {"X-Slack-Signature": sign(secret, at, body)}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bare") as client:
            return (await client.post("/slack/events", content=body, headers=signed)).status_code

    assert asyncio.run(answered("the secret")) == 200
    assert asyncio.run(answered("another")) == 401
