"""Webhooks that the policy names: whether each has an address. Nothing is posted: whether it works, the first line shows."""

from __future__ import annotations

from collections.abc import Iterator

from bot.doctor.context import Context, elsewhere
from bot.teams.webhook import usable
from bot.wiring.chats import OWN_WEBHOOK
from workflows.core.finding import Finding, broken, ok, skipped
from workflows.core.policy import Webhook

SEE = "docs/teams.md, Receipts by webhook"


def look(context: Context) -> Iterator[Finding]:
    for hook in context.policy.webhooks if context.policy else ():
        yield _told(context, hook)
    if context.settings.teams_webhook_url is not None:
        yield ok("webhooks.address", OWN_WEBHOOK, "it is an https address; nothing was posted there")


def _told(context: Context, hook: Webhook) -> Finding:
    address, what = context.secret(hook.url_env), f"webhook {hook.name}"
    if address is None:
        words = f"{hook.url_env} is not set"
        if context.needs("worker"):
            return broken("webhooks.address", what, words, f"set it where the worker runs; {SEE}")
        return skipped("webhooks.address", what, f"{words} here", elsewhere("worker"))
    if not usable(address):
        words = f"what {hook.url_env} holds is no https address"
        return broken("webhooks.address", what, words, f"copy the address of the Workflow again; {SEE}")
    return ok("webhooks.address", what, f"{hook.url_env} is an https address; nothing was posted there")
