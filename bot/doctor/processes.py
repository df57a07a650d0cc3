"""Which of our processes live, and whether they can live beside one another."""

from __future__ import annotations

from collections.abc import Iterator

from bot.doctor.context import Context
from bot.runtime.heartbeat import KINDS, KNOWS, WITH_ONE_CHAT, Heartbeats
from workflows.core import keys
from workflows.core.finding import Finding, attention, broken, ok, skipped

_LOST = {
    "web": "nobody can ask or press",
    "worker": "nothing is given and nothing is taken away",
    "clock": "nothing that is due is found",
}


def look(context: Context) -> Iterator[Finding]:
    server = context.server()
    if server.redis is None:
        yield skipped("processes.alive", "processes", server.why)
        return
    ledger = context.ledger(server.redis)
    beats = Heartbeats(server.redis, needs=KNOWS if context.settings.teams_is_on else WITH_ONE_CHAT)
    alive = [kind for kind in KINDS if beats.alive(kind)]
    if not alive and ledger.read(keys.ACTIVE_POLICY).items[keys.ACTIVE_POLICY].is_absent and not ledger.head():
        yield skipped("processes.alive", "processes", "nothing has been started with this Redis yet")
        return
    for kind in KINDS:
        if kind in alive:
            yield ok("processes.alive", kind, "it runs")
        else:
            yield broken(
                "processes.alive",
                kind,
                f"none runs: {_LOST[kind]}",
                f"start it: `prodaccess {kind}`, or `prodaccess up`",
            )
    for kind in sorted(beats.older()):
        words = "one of an older version runs, which knows no accounts on hold: nothing is given until it has stopped"
        yield attention("processes.older", kind, words, "stop it; docs/operations.md, Upgrades")
