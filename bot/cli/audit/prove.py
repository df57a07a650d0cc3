"""`prodaccess audit prove`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.audit.options import Key, given_key
from bot.cli.ledger import opened
from bot.cli.past import ARCHIVE
from bot.cli.program import POLICY, PROBLEMS, USAGE, end, say, told

if TYPE_CHECKING:
    from workflows.core.seal.proof import Proof

_MODE = 0o644


@told(
    examples={
        "prodaccess audit prove 1042 --out proof-1042.json": "",
        "prodaccess audit prove --check proof-1042.json --key audit-key.pub.pem": "By whoever was handed the file, anywhere.",
    },
    needs={"REDIS_URL": "where the record is; not with --check"},
    uses={**POLICY, **ARCHIVE},
    codes={PROBLEMS: "the entry is not sealed, or the proof does not hold: a sentence says why"},
)
def prove(
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", help="Of the entry.", min=1)] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Into this file, which must not be there.")
    ] = None,
    words: Annotated[bool, typer.Option("--words", help="With the names and free text of the entry.")] = False,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Check a proof in place of making one.")
    ] = None,
    key: Key = "",
) -> None:
    """Prove that one entry belongs to a signed head, without showing the others; or check such a proof."""
    if check is not None:
        _check(check, key)
    elif number is None:
        end("Say which entry: its number is on the receipt. Or --check FILE. See prodaccess audit prove -h", USAGE)
    else:
        _make(number, out, words=words)


def _make(number: int, out: Path | None, *, words: bool) -> None:
    from workflows.core.seal.proof import BadProof, proof_json
    from workflows.signing.keys import write_new

    try:
        text = proof_json(_proof(number, words=words))
    except BadProof as problem:
        end(str(problem))
    if out is None:
        say(text.decode().rstrip())
        return
    try:
        write_new(out, text, _MODE)
    except FileExistsError:
        end(f"{out} is there already: choose another name.")
    print(f"#{number} is proved in {out}, {len(text)} bytes.")


def _proof(number: int, *, words: bool) -> Proof:
    """Raises BadProof."""
    from bot.cli.past import whole
    from workflows.core.seal.proof import BadProof, Prover
    from workflows.core.seal.statement import BadSeal, head_in
    from workflows.usecases.upkeep.verify_audit import PAGE, seal_of

    with opened("audit prove") as own:
        parts = whole(own)
        state = seal_of(parts.ledger)
        if state is None:
            raise BadProof("Nothing is sealed: there is no head that an entry could belong to (docs/audit.md).")
        try:
            prover, last = Prover(number, head_in(state.seal.statement)), 0
        except BadSeal as problem:
            raise BadProof(f"The ledger's own seal {problem}.") from None
        while last < state.size and (page := parts.ledger.stored_entries(after=last, limit=PAGE)):
            prover.entries(page)
            last = page[-1].number
        return prover.proof(state.seal, state.public_key, state.key_changes, words=words)


def _check(file: Path, key: str) -> None:
    from bot.cli.audit.candidates import candidates, is_fingerprint
    from workflows.core.seal.proof import BadProof, checked, proof_from
    from workflows.core.seal.statement import BadSeal, head_in
    from workflows.core.seal.trust import Trust
    from workflows.signing import verify

    if not key:
        end("A proof is checked with your own copy of the public key, or its fingerprint: give --key.", USAGE)
    try:
        proof = proof_from(file.read_bytes())
        log = head_in(proof.seal.statement).log
        given = given_key(key, candidates(proof.public_key, proof.changes) if is_fingerprint(key) else ())
        head = checked(proof, Trust(given, verify, log, proof.changes))
    except BadProof as problem:
        end(str(problem))
    except BadSeal as problem:
        end(f"The proof's head {problem}.")
    said = proof.said
    say(f"#{proof.number} {said.get('event')} of {said.get('subject')} at {said.get('at')} is proved.")
    say(
        f"It belongs to head {head.shown} of {head.at:%Y-%m-%d %H:%M:%S} UTC, signed by your key {given.fingerprint[:12]}."
    )
    say(f"The log is {head.log}: hold it against the one that you know, if the key signs for several.")
