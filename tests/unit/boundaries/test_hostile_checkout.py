"""A checkout is content of strangers: it is read in time or refused, nothing of it is run, and it writes on nobody's screen."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.boundaries import seen as seeing
from bot.boundaries.answers.every import report_of
from bot.boundaries.model import Report, Verdict
from bot.boundaries.production import Production
from bot.boundaries.reading import checkout as reading
from bot.boundaries.reading import parser as parsing
from bot.boundaries.reading.checkout import Checkout, Refusal, read_checkout
from bot.boundaries.reading.parser import ChildParser, Unread
from bot.boundaries.seen import look
from bot.boundaries.thinking import at_most
from bot.boundaries.writing.as_json import as_json
from bot.boundaries.writing.sarif import as_sarif
from bot.boundaries.writing.text import lines
from bot.cli.pages.boundaries import page
from bot.monotonic import monotonic_s
from tests.support import checkouts
from tests.support.checkouts import MENDED, checkout

SECRET = "what stands outside of the checkout"


def left(found: Checkout) -> Mapping[str, str]:
    return {one.path: one.why for one in found.left}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "outside.tf").write_text(SECRET, encoding="utf-8")
    return checkout(tmp_path / "shop", {"envs/prod/main.tf": "# here\n"})


def test_links_out_of_it_and_in_circles_are_not_followed(place: Path) -> None:
    prod = place / "envs/prod"
    (prod / "out.tf").symlink_to("../../../outside.tf")
    (prod / "absolute.tf").symlink_to(place.parent / "outside.tf")
    (prod / "round.tf").symlink_to("round.tf")
    (prod / "nowhere.tf").symlink_to("gone.tf")
    (place / "circle").symlink_to(place)
    (prod / "same.tf").symlink_to("main.tf")
    found = read_checkout(place)
    assert set(found.texts) == {"envs/prod/main.tf", "envs/prod/same.tf"}
    assert SECRET not in "".join(found.texts.values())
    assert set(left(found)) == {
        "circle",
        *(f"envs/prod/{name}.tf" for name in ("out", "absolute", "round", "nowhere")),
    }
    assert "out of the checkout" in left(found)["envs/prod/out.tf"]


def test_a_pipe_a_huge_file_and_bytes_that_are_no_text_are_left_out(place: Path) -> None:
    os.mkfifo(place / "envs/prod/pipe.tf")
    (place / "envs/prod/huge.tf").write_bytes(b"#" * (reading.FILE_BYTES_MAX + 1))
    (place / "envs/prod/bytes.tf").write_bytes(b"\xff\xfe\x00")
    (place / "envs/prod/folder.tf").mkdir()
    found = read_checkout(place)
    assert left(found).keys() == {f"envs/prod/{name}.tf" for name in ("pipe", "huge", "bytes")}
    assert set(found.texts) == {"envs/prod/main.tf"}


def test_too_much_of_it_is_refused_as_a_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout(place, {f"many/{number}.tf": "#" for number in range(30)})
    for name, value, words in (
        ("ENTRIES_MAX", 20, "files and folders"),
        ("FILES_MAX", 20, "files to read"),
        ("BYTES_MAX", 20, "together"),
        ("DEPTH_MAX", 1, "levels"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(reading, name, value)
            with pytest.raises(Refusal, match=words):
                read_checkout(place)
    with monkeypatch.context() as patched:
        patched.setattr(reading, "WALK_S_MAX", -1.0)
        checkout(place, {f"more/{number}.txt": "" for number in range(300)})
        with pytest.raises(Refusal, match="took longer"):
            read_checkout(place)


_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("yaml", _BOMB, "aliases"),
        ("yaml", "[" * 20_000, "levels"),
        ("yaml", "a: &a [*a]", "levels"),
        ("yaml", "a: 1\na: 2\n", "twice"),
        ("yaml", "{", "understood"),
        ("yaml", "!!python/object/apply:os.system [touch /tmp/x]", ""),
        ("hcl", "a = " + "[" * 5_000 + "]" * 5_000, "deep|levels|large"),
        ("hcl", "a = " + "1 + " * 3_000 + "1", "deep|levels|large"),
        ("hcl", "}{", "understood"),
        ("hcl", 'a "b" {' * 300 + "}" * 300, "deep|levels|understood"),
    ],
)
def test_bombs_are_refused_and_the_next_file_is_read(kind: str, text: str, words: str, parser: ChildParser) -> None:
    began = monotonic_s()
    if words:
        with pytest.raises(Unread, match=words):
            getattr(parser, kind)(text)
    else:
        assert "Unknown" in repr(parser.yaml(text))
    assert monotonic_s() - began < parsing.FILE_S_MAX
    assert parser.hcl('a = "b"').get("a") is not None


def test_a_file_that_takes_too_long_ends_its_reader_and_no_other_file() -> None:
    slow = "a = [" + "[1, 2, 3, 4], " * 5_000 + "]"
    with ChildParser(file_s=30.0) as parser:
        assert parser.hcl("a = 1")
        first = parser._child
        parser._file_s = 0.01
        with pytest.raises(Unread, match="too long"):
            parser.hcl(slow)
        assert first is not None
        assert first.returncode is not None
        parser._file_s = 30.0
        assert parser.hcl("a = 1")
    with ChildParser(all_s=-1.0) as parser, pytest.raises(Unread, match="taken its time"):
        parser.hcl("a = 1")


def test_nothing_of_the_checkout_is_run_and_its_reader_has_no_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    names = ("hcl2.py", "yaml.py", "lark.py", "bot/__init__.py", "sitecustomize.py", "usercustomize.py", "json.py")
    monkeypatch.chdir(checkout(tmp_path / "shop", dict.fromkeys(names, trap)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "shop"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with ChildParser() as parser:
        assert parser.hcl("a = 1").get("a")
        assert parser._child is not None
        environ = Path(f"/proc/{parser._child.pid}/environ")
        assert not environ.exists() or environ.read_bytes() == b""
    assert not (tmp_path / "sprung").exists()


# ---------------------------------------------------------------- what is written


_NASTY = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>\u202e'\";"


def nasty(folder: Path, parser: ChildParser) -> Report:
    """Names of files, folders, jobs, buckets and environments that want to be something else than words."""
    name = _NASTY.replace("/", "")
    job = json.dumps(name)
    deploy = checkouts.DEPLOY.replace("deploy-prod:", f"{job}:").replace(
        "environment: production", f"environment: {job}"
    )
    files = {
        **MENDED,
        ".github/workflows/deploy.yml": deploy,
        f"envs/{name}-prod/main.tf": checkouts.backend("<b>prod</b>", "k"),
        f"envs/{name}/broken.tf": "}{",
    }
    seen = look(checkout(folder, files), Production(), parser=parser)
    return report_of(seen, str(folder) + name)


def test_names_move_no_cursor_and_are_no_markup(tmp_path: Path, parser: ChildParser) -> None:
    report = nasty(tmp_path, parser)
    text = "\n".join(lines(report, 100))
    assert text.isprintable() or all(char.isprintable() for char in text.replace("\n", ""))
    assert "<script>" in text
    html = "".join(page(report))
    assert "<script" not in html
    assert "<b>prod" not in html
    for form in (as_json(report), as_sarif(report)):
        written = json.dumps(form, ensure_ascii=False)
        assert "\\u001b" not in written
        assert "\u202e" not in written
        assert json.loads(written) == form
    uris = [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for result in as_sarif(report)["runs"][0]["results"]
        for place in result.get("locations", ())
    ]
    assert uris
    assert not any(set(uri) & set("<>\"' ") for uri in uris)


def test_what_was_not_read_keeps_every_answer_that_rests_on_it_from_yes(tmp_path: Path, parser: ChildParser) -> None:
    """A link to a folder may be anything."""
    checkout(tmp_path / "shop", MENDED)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shop/more").symlink_to(tmp_path / "elsewhere")
    seen = look(tmp_path / "shop", Production(), parser=parser)
    found = report_of(replace(seen), "shop")
    assert {answer.verdict for answer in found.answers} == {Verdict.UNKNOWN}
    assert "more is a link to a folder, and links are not followed." in found.not_seen


# ---------------------------------------------------------------- what makes judging long


_WORKFLOW = ".github/workflows/a.yml"
_LONG = {
    "a line of a script": {
        _WORKFLOW: "on: push\njobs:\n  a:\n    steps:\n      - run: " + "terraform " * 40_000 + "\n"
    },
    "an `if` of parentheses": {
        _WORKFLOW: f"on: pull_request\njobs:\n  a:\n    if: {'(' * 200_000}x{')' * 200_000}\n    steps: []\n"
    },
    "an owner": {".github/CODEOWNERS": f"* a@{'.' * 300_000}@\n"},
    "a pattern of owners": {".github/CODEOWNERS": f"/{'**/' * 100_000}x @a/b\n"},
    "workflows that call each other": {
        f".github/workflows/w{level}.yml": f"on: {'push' if level == 1 else 'workflow_call'}\njobs:\n"
        + "".join(f"  j{n}: {{uses: ./.github/workflows/w{level + 1}.yml}}\n" for n in range(300))
        for level in (1, 2, 3)
    }
    | {".github/workflows/w4.yml": "on: workflow_call\njobs: {}\n"},
    "jobs of GitLab that extend each other": {
        ".gitlab-ci.yml": ".j0: {script: [a]}\n"
        + "".join(f".j{n}: {{extends: [{', '.join([f'.j{n - 1}'] * 30)}]}}\n" for n in range(1, 9))
        + "j: {extends: .j8}\n"
    },
    "names in names": {
        "envs/prod/names.tf": 'locals {\n  a0 = "x"\n'
        + "".join(f'  a{n} = "{f"${{local.a{n - 1}}}" * 50}"\n' for n in range(1, 12))
        + '}\nresource "aws_s3_bucket" "x" {\n  bucket = local.a11\n}\n'
    },
    "lists in lists": {
        "envs/prod/lists.tf": 'locals {\n  a0 = ["x"]\n'
        + "".join(f"  a{n} = [{', '.join([f'local.a{n - 1}'] * 60)}]\n" for n in range(1, 8))
        + '}\nresource "aws_s3_bucket_policy" "x" {\n  bucket = "larkspur-state-prod"\n'
        + "  policy = jsonencode({ Statement = local.a7 })\n}\n"
    },
}


@pytest.mark.parametrize("name", _LONG)
def test_what_would_take_for_ever_to_judge_is_judged_or_refused(tmp_path: Path, parser: ChildParser, name: str) -> None:
    """Ten seconds of processor time are a hundred times what it takes, and far less than it took."""
    with at_most(10.0):
        report_of(look(checkout(tmp_path, {**MENDED, **_LONG[name]}), Production(), parser=parser), "shop")


def test_whatever_takes_long_is_refused_in_the_midst_of_it() -> None:
    with pytest.raises(Refusal, match="processor time"), at_most(0.05):
        re.match(r"(a+)+\Z", "a" * 60 + "b")
    with at_most(0.05):
        pass
    assert sum(range(1_000_000))  # by then nobody is counting


def test_too_much_terraform_is_refused_as_a_whole(
    tmp_path: Path, parser: ChildParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(tmp_path, MENDED)
    for name in ("STANZAS_MAX", "STATES_MAX"):
        with monkeypatch.context() as patched:
            patched.setattr(seeing, name, 1)
            with pytest.raises(Refusal, match="more than 1 "):
                look(tmp_path, Production(), parser=parser)
