"""`prodaccess audit head`."""

from __future__ import annotations

import json

from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, AsJson, end, say, told


@told(
    examples={"prodaccess audit head": "To note it where nobody can change it."},
    needs=LEDGER,
    uses=POLICY,
    codes={PROBLEMS: "nothing is sealed"},
)
def head(as_json: AsJson = False) -> None:
    """Print the newest signed head of the audit log, as digests in chat show it. Nothing is checked."""
    from workflows.core.seal.statement import BadSeal, head_in
    from workflows.usecases.upkeep.verify_audit import seal_of

    with opened("audit head") as parts:
        state, entries = seal_of(parts.ledger), parts.ledger.head()
    if state is None:
        end("Nothing is sealed yet: no worker that has a key has signed the log (docs/audit.md).")
    try:
        found = head_in(state.seal.statement)
    except BadSeal as problem:
        end(f"The ledger's own seal {problem}.")
    behind = max(0, entries - found.size)
    if as_json:
        shown = {"head": found.shown, "size": found.size, "root": found.root, "at": found.at.isoformat()}
        say(json.dumps({**shown, "key": state.seal.key, "log": found.log, "epoch": found.epoch, "unsealed": behind}))
        return
    say(found.shown)
    since = f"; {behind} entries since are not sealed yet" if behind else ""
    say(f"Signed at {found.at:%Y-%m-%d %H:%M:%S} UTC by the key {state.seal.key[:12]}{since}.")
