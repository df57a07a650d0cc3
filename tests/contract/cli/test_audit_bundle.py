"""`prodaccess audit bundle`, on a real ledger that is sealed with a real key; and its verifier, on the auditor's machine."""

from __future__ import annotations

import ast
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.cli.audit import offline
from bot.cli.audit.bundle import making
from bot.cli.audit.bundle.entries import TABLES
from bot.cli.audit.bundle.verifier import MAIN, modules, verifier
from tests.support.hand_sealer import HandSealer, fingerprint
from tests.support.held import held
from tests.unit.policy_file.policy_folder import write
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, PolicySummary
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file.folder import hash_of
from workflows.ports import Change

DAY = timedelta(days=1)
FORMULA = '=HYPERLINK("https://evil.example")'
FILES = {"workspace.yaml": "version: 1\n", "environments/shop-prod.yaml": "name: shop-prod\n"}


@dataclass
class Rig:
    ledger: RedisLedger
    sealer: HandSealer
    folder: Path

    def said(self, event: Event, subject: str, facts: dict[str, str] | None = None, **private: str) -> None:
        now, name = self.ledger.now(), f"{self.ledger.head() + 1:032x}"
        entry = AuditEvent(event, subject, now, name, name, facts or {}, private)
        self.ledger.commit(Change(f"said-{name}", now, {}, audit=(entry,)))

    @property
    def key(self) -> tuple[str, str]:
        return "--key", fingerprint(self.sealer.signer.public)

    def bundle(self, name: str = "evidence", *words: str) -> Result:
        return CliRunner().invoke(app, ["audit", "bundle", str(self.folder / name), *words])

    @property
    def made(self) -> Path:
        return self.folder / "evidence"


@pytest.fixture
def rig(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Four requests, two of them with a record; one policy, one refusal, one removal that failed; all sealed."""
    (tmp_path / "config").mkdir()
    write(tmp_path / "config")
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("PRODACCESS_AUDIT_BUCKET", raising=False)
    ledger = RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)
    made = Rig(ledger, HandSealer(ledger, tmp_path), tmp_path)
    in_force = hash_of(FILES)
    facts = {"policy": in_force, "before": "e" * 64, "commit": "abc"}
    made.said(
        Event.POLICY_ACTIVATED, f"policy-{in_force[:12]}", facts, difference="shop-prod: +read\nshop-prod: -write"
    )
    for number in range(1, 5):
        made.said(Event.REQUEST_MADE, f"PA-{number}", actor="dana@acme.example", actor_name=FORMULA, reason="a look")
    made.said(Event.REQUEST_REFUSED, "person", {"code": "not_a_requester"}, actor="eve@acme.example")
    made.said(Event.GRANT_REMOVAL_FAILING, "PA-1", error="AWS does not answer")
    held(ledger, 1, timedelta(0), name=FORMULA)
    held(ledger, 2, timedelta(0))
    made.sealer.put(keys.ACTIVE_POLICY, ActivePolicy(in_force, ledger.now()))
    made.sealer.put(keys.POLICY_SUMMARY, PolicySummary(in_force, {"shop-prod: read": "anybody, asks platform"}))
    made.sealer.put(keys.POLICY_FILES, PolicyFiles(in_force, FILES))
    made.sealer.seal()
    return made


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def alone(bundle: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The verifier as an auditor runs it: its one file, in a process that knows nothing of ours."""
    typed = [sys.executable, "-I", str(bundle / "verify.py"), *words]
    return subprocess.run(typed, cwd="/", capture_output=True, text=True, timeout=60, check=False)


def test_it_has_what_the_record_says_of_the_period_and_every_table_says_what_it_is(rig: Rig):
    answer = rig.bundle()
    assert answer.exit_code == 0, answer.output
    assert "2 requests, 7 audit entries" in answer.output
    found = {line["id"]: line for line in rows(rig.made / "requests.csv")}
    assert found["PA-1"]["outcome"] == "approved"
    assert found["PA-1"]["holder_name"] == f"'{FORMULA}"
    assert [line["number"] for line in rows(rig.made / "events.csv")] == [str(n) for n in range(1, 8)]
    asked = [line for line in rows(rig.made / "activity-queries.csv") if line["id"] == "PA-1"]
    assert [line["query"].split()[0] for line in asked] == ["aws", "aws", "SELECT", "SELECT"]
    (policy,) = rows(rig.made / "policy.csv")
    assert (policy["commit"], policy["difference"]) == ("abc", "shop-prod: +read; shop-prod: -write")
    assert [line["subject"] for line in rows(rig.made / "refused.csv")] == ["person"]
    (failed,) = rows(rig.made / "failed.csv")
    assert failed["subject"] == "PA-1"
    assert failed["verified"]
    assert (rig.made / "policy" / "environments" / "shop-prod.yaml").read_text() == "name: shop-prod\n"
    assert [line["kind"] for line in rows(rig.made / "seals.csv")] == ["head"]
    index = (rig.made / "index.html").read_text()
    for name in json.loads((rig.made / "manifest.json").read_text())["files"]:
        assert f'href="{name}"' in index or name == "index.html"
    assert "2 requests are in the log, and have no record any more: PA-3, PA-4." in index
    assert rig.made.stat().st_mode & 0o077 == 0


def test_a_period_before_all_of_it_has_headers_alone(rig: Rig):
    assert rig.bundle("evidence", "--from", "2020-01-01", "--to", "2020-03-31").exit_code == 0
    assert [(rig.made / about.name).read_text() for about in TABLES] == [
        ",".join(about.columns) + "\n" for about in TABLES
    ]
    assert offline.main(rig.key, rig.made) == 0


def full_disk() -> None:
    raise OSError(28, "No space left on device")


def test_nothing_is_written_over_and_nothing_half_is_left(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    (rig.made).mkdir()
    (rig.made / "mine").write_text("mine")
    answer = rig.bundle()
    assert (answer.exit_code, [file.name for file in rig.made.iterdir()]) == (1, ["mine"])
    assert "nothing is written over" in answer.output
    monkeypatch.setattr(making, "verifier", full_disk)
    assert rig.bundle("other").exit_code == 1
    assert [file.name for file in rig.folder.iterdir() if "other" in file.name] == []


def test_a_file_name_in_redis_leads_nowhere_else(rig: Rig):
    odd = {**FILES, "../../evil.yaml": "", "/etc/evil.yaml": "", "a/../../evil.yaml": "", ".hidden.yaml": ""}
    rig.sealer.put(keys.POLICY_FILES, PolicyFiles(hash_of(FILES), odd))
    answer = rig.bundle()
    assert (answer.exit_code, answer.output.count("left out, because of its name")) == (0, 4)
    assert sorted(file.name for file in rig.folder.rglob("*.yaml") if "config" not in str(file)) == [
        "shop-prod.yaml",
        "workspace.yaml",
    ]


# ---------------------------------------------------------------- the verifier


def test_the_verifier_says_what_audit_verify_says(rig: Rig):
    rig.said(Event.REQUEST_MADE, "PA-9")
    rig.bundle()
    export = ["--export", str(rig.made / "audit.jsonl"), *rig.key]
    said = CliRunner().invoke(app, ["audit", "verify", *export])
    found = alone(rig.made, *rig.key)
    assert (found.returncode, found.stderr) == (0, "")
    *same, last = found.stdout.splitlines()
    assert same == said.output.splitlines()
    assert "1 entries since are not sealed yet" in found.stdout
    assert last.endswith("files are those of the manifest, and the tables have the log's entries.")
    archive = ("--archive", str(rig.folder / "archive"), "--expect-head", "7:000000000000")
    said = CliRunner().invoke(app, ["audit", "verify", *export, *archive])
    found = alone(rig.made, *rig.key, *archive)
    assert (found.returncode, said.exit_code) == (1, 1)
    *same, _ = found.stdout.splitlines()
    assert same == said.output.splitlines()
    assert "7 entries compared with the archive." in same
    assert (
        "The head that you expect of #7 has another root than the log's 7 entries, which are as they were sealed."
        in same
    )


Tamper = Callable[[Path], object]


def edited(name: str, before: str, after: str) -> Tamper:
    def change(bundle: Path) -> None:
        file = bundle / name
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after, 1))

    return change


def cut(name: str, keep: Callable[[list[str]], list[str]]) -> Tamper:
    def change(bundle: Path) -> None:
        lines = (bundle / name).read_text().splitlines(keepends=True)
        (bundle / name).write_text("".join(keep(lines)))

    return change


def rehashed(change: Tamper) -> Tamper:
    """By somebody who makes the manifest fit, too."""

    def done(bundle: Path) -> None:
        change(bundle)
        manifest = json.loads((bundle / "manifest.json").read_text())
        for name in manifest["files"]:
            manifest["files"][name]["sha256"] = offline.sha256_of(bundle / name)
        (bundle / "manifest.json").write_text(json.dumps(manifest))

    return done


TAMPERED: dict[str, tuple[Tamper, str]] = {
    "a table": (edited("requests.csv", "approved", "denied"), "requests.csv was changed: it is not the file"),
    "a file more": (lambda bundle: (bundle / "more.csv").write_text(""), "more.csv is not in the manifest"),
    "a file less": (lambda bundle: (bundle / "drift.csv").unlink(), "drift.csv is missing: the manifest has it."),
    "no events": (
        lambda bundle: (bundle / "events.csv").unlink(),
        "events.csv cannot be read, and is compared with nothing",
    ),
    "a table that is none": (
        lambda bundle: (bundle / "requests.csv").write_text("x"),
        "requests.csv lacks PA-1, which was asked for in #2.",
    ),
    "a manifest that is none": (
        edited("manifest.json", '"upto"', '"upon"'),
        "A table, or what manifest.json says of it",
    ),
    "an event": (rehashed(edited("events.csv", "PA-3", "PA-8")), "events.csv is not what the log has from #4 on."),
    "an event less": (
        rehashed(cut("events.csv", lambda lines: lines[:-1])),
        "events.csv is not what the log has from #7",
    ),
    "a request less": (
        rehashed(cut("requests.csv", lambda lines: lines[:-1])),
        "requests.csv lacks PA-2, which was asked",
    ),
    "the policy": (rehashed(edited("policy/workspace.yaml", "1", "2")), "no policy that the log says came into force."),
    "an entry": (rehashed(edited("audit.jsonl", '"PA-3"', '"PA-1"')), "#4 was changed: its digest is another one"),
    "words": (rehashed(edited("audit.jsonl", "a look", "a lock")), "#2: its names or words were changed"),
    "an entry less": (rehashed(cut("audit.jsonl", lambda lines: lines[:2] + lines[3:])), "#3 is missing"),
    "a signature": (rehashed(edited("audit.jsonl", '"size\\":7', '"size\\":6')), "The ledger's own seal"),
}


def test_each_change_is_found_and_told_as_audit_verify_tells_it(rig: Rig, capsys: pytest.CaptureFixture[str]):
    rig.bundle()
    for change, (tamper, wanted) in TAMPERED.items():
        copy = shutil.copytree(rig.made, rig.folder / f"copy of {change}")
        tamper(copy)
        capsys.readouterr()
        assert offline.main(rig.key, copy) == 1, change
        told = capsys.readouterr().out.splitlines()
        assert any(wanted in line for line in told), (change, told)
        said = CliRunner().invoke(app, ["audit", "verify", "--export", str(copy / "audit.jsonl"), *rig.key])
        assert set(said.output.splitlines()) <= set(told), change


def test_another_key_than_the_auditors_is_no_key(rig: Rig, capsys: pytest.CaptureFixture[str]):
    rig.bundle()
    assert offline.main(("--key", "0" * 64), rig.made) == 1
    assert "No key here has the fingerprint 000000000000" in capsys.readouterr().err
    rig.sealer.new_key("theirs")
    assert offline.main(("--key", str(rig.folder / "theirs.pub.pem")), rig.made) == 1
    assert "than yours" in capsys.readouterr().out


def test_what_is_no_bundle_is_told_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert offline.main((), tmp_path) == 1
    assert capsys.readouterr().err == f"{tmp_path} is no bundle: it has no manifest.json that can be read.\n"


def test_the_verifier_needs_the_standard_library_and_cryptography_alone():
    held = modules()
    assert held[0] == MAIN
    folders = {name.rpartition(".")[0] for name in held}
    rest = {name for module in held for name in wanted_by(module)} - {*held, *folders, *sys.stdlib_module_names}
    # Used to write an export, which the verifier never does.
    assert {name for name in rest if name.partition(".")[0] != "cryptography"} == {"workflows.ledger.codec"}
    assert "\nSOURCES['workflows.core.seal.merkle'] = r'''" in "".join(verifier())


def wanted_by(module: str) -> set[str]:
    """All that it imports, also inside of functions; not what is there for types alone."""
    tree = ast.parse(Path(import_module(module).__file__ or "").read_text())
    types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    skipped = {id(node) for block in types for node in ast.walk(block)}
    found = [node for node in ast.walk(tree) if id(node) not in skipped]
    plain = {name.name.partition(".")[0] for node in found if isinstance(node, ast.Import) for name in node.names}
    others = {node.module or "" for node in found if isinstance(node, ast.ImportFrom)}
    return plain | {
        name if name.startswith(("bot", "workflows", "cryptography")) else name.partition(".")[0] for name in others
    }
