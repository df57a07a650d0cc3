"""`prodaccess audit keygen`: a key for its owner alone, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from bot.__main__ import app
from workflows.signing import signer_of
from workflows.signing.keys import public_from_pem


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", *words])


def test_a_key_is_made_and_its_fingerprint_is_said(tmp_path: Path) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    made = run("keygen", str(key), "--public", str(public))
    assert made.exit_code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    signs = signer_of(str(key)).public
    assert public_from_pem(public.read_text()) == signs
    assert f"Fingerprint: {signs.fingerprint}" in made.output
    assert f"PRODACCESS_AUDIT_KEY={key}" in made.output
    assert "PRIVATE KEY---" not in made.output


def test_nothing_is_written_over(tmp_path: Path) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    run("keygen", str(key))
    before = key.read_bytes()
    again = run("keygen", str(key))
    assert (again.exit_code, key.read_bytes()) == (1, before)
    assert again.output == f"{key} is there already: choose another name. A key is never written over.\n"
    public.write_text("somebody's")
    other = run("keygen", str(tmp_path / "other.pem"), "--public", str(public))
    assert (other.exit_code, public.read_text()) == (1, "somebody's")
    assert not (tmp_path / "other.pem").exists()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    made = run("keygen", str(tmp_path / "none" / "key.pem"))
    assert (made.exit_code, made.output) == (
        1,
        f"{tmp_path}/none/key.pem cannot be written: No such file or directory.\n",
    )
