"""Whoever holds access is asked about now and then, where a chat says nothing by itself of who has left."""

from __future__ import annotations

from collections.abc import Collection

from workflows.core import keys
from workflows.core.identity import Identity, account_named, surface_of
from workflows.core.records.grant import Grant
from workflows.usecases.shared.context import Context

EVERY_S = 900.0
GRANTS_MAX = 10_000


def ask_about_holders(ctx: Context, silent: Collection[str]) -> None:
    """`silent`: the chats that tell nothing. A worker asks about each account in them, and the owners hear of who has left."""
    ids = ctx.ledger.members(keys.LIVE, limit=GRANTS_MAX)
    if not ids:
        return
    grants = ctx.ledger.read(*map(keys.grant, ids))
    found = (grants.readable(keys.grant(id_), Grant) for id_ in ids)
    people = dict.fromkeys(grant.holder for grant in found if grant is not None)
    known = ctx.ledger.read(*map(keys.identity, people)) if people else None
    for who in people:
        identity = known.readable(keys.identity(who), Identity) if known is not None else None
        for name in identity.accounts if identity is not None else ():
            if surface_of(name) in silent:
                ctx.ledger.remind(keys.whois(account_named(name)), 0.0)
