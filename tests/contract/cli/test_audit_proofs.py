"""`prodaccess audit prove` and `audit head`: one entry belongs to a signed head, without the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cli.test_audit_tampered import ALL, P, Rig, edit, rig, run
from tests.support.hand_sealer import fingerprint

__all__ = ["rig"]


@pytest.fixture
def proof(rig: Rig) -> Path:
    made = run("prove", "7", "--out", str(rig.folder / "proof.json"))
    assert made.exit_code == 0, made.output
    return rig.folder / "proof.json"


def test_a_proof_is_short_and_holds_anywhere(rig: Rig, proof: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL")
    state = json.loads(proof.read_text())
    assert len(state["path"]) == 4, "a tree of nine leaves"
    assert "Dana" not in proof.read_text()
    for key in str(rig.sealer.public), fingerprint(rig.sealer.signer.public):
        answer = run("prove", "--check", str(proof), "--key", key)
        assert answer.exit_code == 0, answer.output
        first, second, third = answer.output.splitlines()
        assert first.startswith("#7 request.made of PA-4 at ")
        assert second.startswith("It belongs to head 9:")
        assert second.endswith(f"signed by your key {fingerprint(rig.sealer.signer.public)[:12]}.")
        assert rig.sealer.log in third


def test_words_go_along_where_they_are_asked_for(rig: Rig) -> None:
    made = run("prove", "7", "--words")
    assert "Dana" in made.output
    (rig.folder / "p.json").write_text(made.output)
    assert run("prove", "--check", str(rig.folder / "p.json"), *rig.key).exit_code == 0
    (rig.folder / "p.json").write_text(made.output.replace("Dana", "Eve"))
    answer = run("prove", "--check", str(rig.folder / "p.json"), *rig.key)
    assert (answer.exit_code, answer.output) == (1, "#7: its names or words were changed.\n")


def put(found: dict[str, Any], name: str, value: Any) -> None:
    found[name] = value


def smaller(statement: str) -> str:
    return statement.replace('"size":9', '"size":8')


def another_body(found: dict[str, Any]) -> None:
    found["body"] = found["body"].replace("orders-prod", "orders-test")
    found["digest"] = hashlib.sha256(found["body"].encode()).hexdigest()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: put(found, "body", found["body"].replace("orders-prod", "x")), "its digest is another one"),
        (another_body, "does not belong to the head"),
        (lambda found: put(found, "number", 8), "does not belong to the head"),
        (lambda found: put(found, "path", found["path"][:-1]), "does not belong to the head"),
        (lambda found: put(found, "path", [*found["path"], "0" * 64]), "does not belong to the head"),
        (
            lambda found: put(found["seal"], "statement", found["seal"]["statement"].replace('"size":9', '"size":8')),
            "does not fit",
        ),
        (lambda found: put(found, "path", ["zz"]), "This is no proof"),
        (lambda found: put(found, "number", 0), "This is no proof"),
        (lambda found: put(found, "seal", {}), "This is no proof"),
        (lambda found: put(found, "body", "[]"), "This is no proof"),
        (lambda found: put(found, "kind", "another"), "This is no proof"),
    ],
)
def test_a_proof_that_was_changed_is_none(
    rig: Rig, proof: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    found = json.loads(proof.read_text())
    change(found)
    proof.write_text(json.dumps(found))
    answer = run("prove", "--check", str(proof), *rig.key)
    assert (answer.exit_code, said in answer.output) == (1, True), answer.output


def test_a_proof_of_another_key_is_none(rig: Rig, proof: Path) -> None:
    other = rig.sealer.new_key("other")
    for key in str(rig.folder / "other.pub.pem"), fingerprint(other.public):
        answer = run("prove", "--check", str(proof), "--key", key)
        assert answer.exit_code == 1
    assert run("prove", "--check", str(proof)).exit_code == 2, "nothing is believed without a key of one's own"


def test_what_is_not_sealed_or_not_what_was_sealed_is_not_proved(rig: Rig) -> None:
    assert f"#{ALL} is not sealed yet: the newest head is 9:" in run("prove", str(ALL)).output
    assert run("prove", "0").exit_code == 2
    assert run("prove").exit_code == 2
    edit(rig)
    answer = run("prove", "7")
    assert (answer.exit_code, answer.output) == (
        1,
        "The log is not what was sealed: `prodaccess audit verify` says more.\n",
    )
    rig.client.xdel(f"{P}audit", "7-0")
    assert "#7 is not there" in run("prove", "7").output


def test_a_proof_is_written_over_nothing(rig: Rig, proof: Path) -> None:
    answer = run("prove", "7", "--out", str(proof))
    assert (answer.exit_code, answer.output) == (1, f"{proof} is there already: choose another name.\n")


def test_the_newest_head_is_printed_as_chat_shows_it(rig: Rig) -> None:
    state = rig.sealer.state()
    assert state is not None
    shown, signed = run("head").output.splitlines()
    assert shown == f"9:{state.root[:12]}"
    assert signed == (
        f"Signed at 2026-11-27 09:00:00 UTC by the key {state.seal.key[:12]}; 2 entries since are not sealed yet."
    )
    assert run("verify", "--expect-head", shown).exit_code == 0
    found = json.loads(run("head", "--json").output)
    assert (found["head"], found["unsealed"], found["log"]) == (shown, 2, rig.sealer.log)


def test_where_nothing_is_sealed_it_says_so(rig: Rig) -> None:
    rig.client.delete(f"{P}record:seal:ledger")
    for words in ("head",), ("prove", "7"):
        answer = run(*words)
        assert (answer.exit_code, "Nothing is sealed" in answer.output) == (1, True)
