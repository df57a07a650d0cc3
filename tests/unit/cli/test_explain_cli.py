"""`prodaccess explain` from the policy folder alone: what is not known is neither yes nor no."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from tests.unit.policy_file.policy_folder import SHOP, write

KNOWN = (SHOP, "requesters: [devs, oncall]", "requesters: [security]")


def run(folder: Path, *words: str) -> Result:
    environ = {"PRODACCESS_CONFIG": str(folder), "REDIS_URL": "", "REDIS_URL_FILE": ""}
    return CliRunner().invoke(app, ["explain", *words], env=environ)


def test_it_says_who_may_ask_and_who_has_to_agree_without_any_record(tmp_path: Path) -> None:
    done = run(write(tmp_path, KNOWN), "shop-prod", "state-write", "sid@example.com")
    assert done.exit_code == 0, done.output
    assert "✅ Sid may ask for this." in done.output
    assert "one of platform (Olu, Pat) and one of security (Sue)" in done.output


def test_somebody_whom_the_folder_does_not_list_may_not(tmp_path: Path) -> None:
    assert "⛔" in run(write(tmp_path, KNOWN), "shop-prod", "read-only", "gus@example.com").output


def test_groups_from_outside_are_not_known_and_their_people_get_neither_yes_nor_no(tmp_path: Path) -> None:
    done = run(write(tmp_path), "shop-prod", "read-only", "dana@example.com")
    assert done.exit_code == 0, done.output
    assert "❔ I do not know yet who is in devs and oncall" in done.output
    assert not {"✅", "⛔"} & set(done.output)
    assert "one of platform (Olu, Pat)" in done.output
    assert "- who is in devs (identity-center:main:developers), oncall (slack:S0ONCALL)" in done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("shop-prd", "read-only", "dana@example.com"), 1, "Did you mean shop-prod?"),
        (("shop-prod", "read-only", "dana@evil.example"), 1, "is no address in example.com."),
        (("shop-prod", "read-only"), 2, "Say for whom"),
    ],
)
def test_slips_are_one_sentence(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = run(write(tmp_path), *words)
    assert (done.exit_code, said in done.output, len(done.output.splitlines())) == (code, True, 1)
