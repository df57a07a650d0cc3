"""`policy apply`, `person confirm`, `audit verify` and `audit export`, on a real ledger."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from tests.support import build
from tests.unit.policy_file.policy_folder import WORKSPACE, write
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.clockwork import Doubt, LedgerClock
from workflows.core.identity import AccountRecord, Identity, TargetIds, TargetUser
from workflows.core.people import Account, Membership
from workflows.core.records.person import PersonRecord
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, LedgerUnreachable, Lost


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    monkeypatch.setenv("REDIS_URL", redis_url)
    return RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def record(ledger: RedisLedger, count: int = 3, first: int = 0) -> None:
    for number in range(first, first + count):
        now = ledger.now()
        entry = AuditEvent(
            Event.REQUEST_MADE, "PA-1", now, f"{number:032x}", "5" * 32, {"n": str(number)}, {"actor": "dana"}
        )
        ledger.commit(Change(f"c{number}", now, {}, audit=(entry,)))


@pytest.fixture
def explained(ledger, redis_client, tmp_path, monkeypatch):
    """A policy folder, and dana as the chat has shown her."""
    write(tmp_path)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path))
    directory = RedisDirectory(redis_client)
    directory.put_person(build.facts(build.DANA, as_of=ledger.now()))
    bound = PersonRecord(build.DANA, "Dana", (Account("slack", "T1", "UDANA"),))
    ledger.commit(Change("bound", ledger.now(), {keys.person(build.DANA): 0}, puts={keys.person(build.DANA): bound}))
    directory.put_members("slack:S0ONCALL", Membership(frozenset({build.DANA}), as_of=ledger.now()))

    def explain(who: str, environment: str = "shop-prod", role: str = "read-only") -> Result:
        return run("explain", "--as", who, environment, role)

    return explain


def test_explain_says_who_could_approve_and_whether_the_person_may_ask(explained):
    answer = explained(build.DANA)
    assert answer.exit_code == 0
    assert "Dana may ask for this" in answer.output
    assert "Needs approval from one of" in answer.output


def test_explain_names_what_is_not_there(explained):
    assert "did you mean" in explained(build.DANA, role="read-onyl").output.lower()
    nobody = explained("nobody@example.com")
    assert (nobody.exit_code, "Nothing is known of nobody@example.com" in nobody.output) == (1, True)


def test_an_untouched_record_is_found_good(ledger):
    record(ledger)
    answer = run("audit", "verify")
    assert (answer.exit_code, answer.output.splitlines()[0]) == (0, "3 entries, 0 faults.")


def stream(client: Any) -> dict[int, dict[str, str]]:
    return {int(id_.partition("-")[0]): fields for id_, fields in client.xrange("prodaccess:audit")}


def put(client: Any, entries: dict[int, dict[str, str]], last: int = 0) -> None:
    """The stream as somebody with write access wants it, which still believes that its last number was `last`."""
    client.delete("prodaccess:audit")
    for number in sorted(entries):
        client.xadd("prodaccess:audit", entries[number], id=f"{number}-0")
    if last:
        client.xsetid("prodaccess:audit", f"{last}-0")


def changed(client: Any) -> None:
    entries = stream(client)
    entries[2]["body"] = entries[2]["body"].replace('"n":"1"', '"n":"7"')
    put(client, entries)


def changed_with_its_digest(client: Any) -> None:
    entries = stream(client)
    body = entries[2]["body"].replace('"n":"1"', '"n":"7"')
    entries[2] |= {"body": body, "digest": hashlib.sha256(body.encode()).hexdigest()}
    put(client, entries)


def passed_off_as_old(client: Any) -> None:
    entries = stream(client)
    for fields in entries.values():
        body = fields["body"].replace('"v":2', '"v":1')
        fields |= {"body": body, "digest": hashlib.sha256(body.encode()).hexdigest()}
        del fields["link"]
    put(client, entries)


def unlinked(client: Any) -> None:
    entries = stream(client)
    put(client, {number: {k: v for k, v in fields.items() if k != "link"} for number, fields in entries.items()})


def exchanged(client: Any) -> None:
    entries = stream(client)
    entries[2], entries[3] = entries[3], entries[2]
    one, other = (client.hget("prodaccess:audit:private", number) for number in "23")
    client.hset("prodaccess:audit:private", mapping={"2": other, "3": one})
    put(client, entries)


def removed_and_renumbered(client: Any) -> None:
    kept = [fields for number, fields in stream(client).items() if number != 2]
    words = [client.hget("prodaccess:audit:private", str(number)) for number in (1, 3, 4)]
    put(client, dict(enumerate(kept, start=1)))
    client.delete("prodaccess:audit:private", "prodaccess:audit:of:PA-1")
    client.hset("prodaccess:audit:private", mapping={str(n): text for n, text in enumerate(words, start=1)})
    client.rpush("prodaccess:audit:of:PA-1", 1, 2, 3)


def last_ones_taken_out_and_the_count_with_them(client: Any) -> None:
    put(client, {number: fields for number, fields in stream(client).items() if number < 3})
    client.set("prodaccess:audit:head", f"2:{stream(client)[2]['link']}")


def words_forged_with_an_emptied_salt(client: Any) -> None:
    client.hset("prodaccess:audit:private", "2", json.dumps({"salt": "", "private": {"actor": "eve"}}))


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (changed, "#2 was changed: its digest is another one"),
        (changed_with_its_digest, "#2 does not follow the entry before it"),
        (passed_off_as_old, "#4 is not the entry that the ledger has noted as its newest"),
        (unlinked, "#1 has lost its link"),
        (exchanged, "#2 does not follow the entry before it"),
        (removed_and_renumbered, "#2 does not follow the entry before it"),
        (words_forged_with_an_emptied_salt, "#2: its names or words were changed"),
        (last_ones_taken_out_and_the_count_with_them, "The list of PA-1's entries names #4, which is not there."),
        (lambda client: client.xdel("prodaccess:audit", "2-0"), "#2 is missing"),
        (lambda client: client.xdel("prodaccess:audit", "3-0", "4-0"), "#3 to #4 are missing, at the end"),
        (lambda client: client.delete("prodaccess:audit"), "#1 to #4 are missing, at the end"),
        (lambda client: client.delete("prodaccess:audit:head"), "The ledger's own count of its entries is gone."),
        (lambda client: client.set("prodaccess:audit:head", "x"), "count of its entries cannot be read"),
        (lambda client: client.delete("prodaccess:audit:of:PA-1"), "The list of PA-1's entries is gone."),
        (lambda client: client.rpush("prodaccess:audit:of:PA-1", "x"), "The list of PA-1's entries cannot be read."),
        (lambda client: client.hset("prodaccess:audit:private", "9", "{}"), "names and words of 1 more entries"),
        (lambda client: client.xadd("prodaccess:audit", stream(client)[4], id="4-7"), "#4 stands there twice"),
        (lambda client: put(client, {**stream(client), 5: {"body": "x"}}), "#5 was changed: its digest is another one"),
    ],
)
def test_what_somebody_did_to_the_record_is_found(ledger, redis_client, tamper, says):
    record(ledger, 4)
    tamper(redis_client)
    answer = run("audit", "verify")
    assert answer.exit_code == 1
    assert says in answer.output


def test_a_record_that_was_taken_away_whole_is_not_called_empty(ledger, redis_client):
    now = ledger.now()
    active = {keys.ACTIVE_POLICY: ActivePolicy("f" * 64, now)}
    ledger.commit(Change("active", now, {keys.ACTIVE_POLICY: 0}, puts=active))
    record(ledger, 1)
    for key in redis_client.keys("prodaccess:audit*"):
        redis_client.delete(key)
    answer = run("audit", "verify")
    assert (answer.exit_code, "A policy is in force, and nothing says who" in answer.output) == (1, True)


def test_a_record_without_anything_is_empty(ledger):
    assert run("audit", "verify").output == "The audit log is empty.\n"


def test_an_unreadable_entry_is_named_and_the_others_are_checked(ledger, redis_client):
    record(ledger, 3)
    entries = stream(redis_client)
    entries[1] |= {"body": "{", "digest": hashlib.sha256(b"{").hexdigest()}
    entries[3]["body"] = "changed"
    put(redis_client, entries)
    answer = run("audit", "verify")
    assert answer.exit_code == 1
    assert "#1 cannot be read" in answer.output
    assert "#3 was changed" in answer.output
    exported = CliRunner().invoke(app, ["audit", "export"])
    assert exported.exit_code == 1
    assert [json.loads(line)["number"] for line in exported.stdout.splitlines()] == [2]


def test_erased_words_are_counted_and_words_that_nobody_erased_are_missing(ledger, redis_client):
    record(ledger, 2)
    now = ledger.now()
    said = AuditEvent(Event.PERSON_ERASED, "erased-1", now, "1" * 32, "2" * 32, {"numbers": "1"})
    ledger.commit(Change("erased", now, {}, audit=(said,), forget=(1,)))
    answer = run("audit", "verify")
    assert (answer.exit_code, answer.output.splitlines()[0]) == (0, "3 entries, 0 faults. The words of 1 were erased.")
    redis_client.hdel("prodaccess:audit:private", "2")
    answer = run("audit", "verify")
    assert answer.exit_code == 1
    assert "The words of #2 are missing, and no entry says that they were erased" in answer.output


def test_entries_of_an_older_version_are_checked_as_far_as_they_go_and_bound_by_what_follows(ledger, redis_client):
    """Before the first link, and beside a newer version, which is how a new version is rolled out."""
    record(ledger, 2)
    unlinked(redis_client)
    old = {number: as_old(fields) for number, fields in stream(redis_client).items()}
    put(redis_client, old)
    redis_client.delete("prodaccess:audit:head")
    assert run("audit", "verify").output.startswith("2 entries, 0 faults.")
    record(ledger, 3, first=2)
    beside = as_old(stream(redis_client)[3])
    redis_client.xadd("prodaccess:audit", beside, id="6-0")
    redis_client.hset("prodaccess:audit:private", "6", redis_client.hget("prodaccess:audit:private", "3"))
    redis_client.rpush("prodaccess:audit:of:PA-1", 6)
    record(ledger, 1, first=6)
    assert run("audit", "verify").output.startswith("7 entries, 0 faults.")
    redis_client.xdel("prodaccess:audit", "6-0")
    assert "#6 is missing" in run("audit", "verify").output


def as_old(fields: dict[str, str]) -> dict[str, str]:
    body = fields["body"].replace('"v":2', '"v":1')
    return {"body": body, "digest": hashlib.sha256(body.encode()).hexdigest()}


def test_the_record_is_exported_as_json_lines(ledger):
    record(ledger, 2)
    lines = [json.loads(line) for line in run("audit", "export").output.splitlines()]
    assert [(line["subject"], line["words"]["actor"]) for line in lines] == [("PA-1", "dana")] * 2


def test_a_policy_is_put_in_force_by_hand_and_says_what_changed(ledger, tmp_path: Path):
    write(tmp_path)
    first = run("policy", "apply", str(tmp_path), "--commit", "abc123")
    assert first.exit_code == 0, first.output
    assert "is in force now" in first.output
    assert "in force already" in run("policy", "apply", str(tmp_path)).output
    active = ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    assert active is not None
    assert active.commit_sha == "abc123"


def test_what_is_looser_is_said_to_whoever_puts_it_in_force(ledger, tmp_path: Path):
    count = (WORKSPACE, "any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}")
    assert run("policy", "apply", str(write(tmp_path / "a"))).exit_code == 0
    answer = run("policy", "apply", str(write(tmp_path / "b", count)))
    assert answer.output.splitlines()[1:] == [
        "Production is looser now:",
        "  shop-prod state-write: approve 1 of owners, 1 of security -> 1 of owners",
    ]
    assert "looser" not in run("policy", "apply", str(tmp_path / "a")).output
    files = ledger.read(keys.POLICY_FILES)
    ledger.commit(Change("lost", files.now, files.versions(), puts={keys.POLICY_FILES: PolicyFiles("0" * 64)}))
    assert "is not known" in run("policy", "apply", str(tmp_path / "b")).output


def test_an_operator_goes_through_the_gate_as_well(ledger, tmp_path: Path):
    gate = (WORKSPACE, "panic_group: security", "panic_group: security\npolicy_changes: {approve: {security: 1}}")
    count = (WORKSPACE, "any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}")
    assert "is in force now" in run("policy", "apply", str(write(tmp_path / "a", gate))).output
    answer = run("policy", "apply", str(write(tmp_path / "b", gate, count)))
    assert answer.exit_code == 0
    assert "makes production looser, and waits for people to agree: its card is in chat" in answer.output
    assert "is in force already" in run("policy", "apply", str(tmp_path / "a")).output


def test_an_invalid_folder_is_not_put_in_force(ledger, tmp_path: Path):
    answer = run("policy", "apply", str(tmp_path))
    assert answer.exit_code == 1
    assert ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy) is None


def test_a_hold_is_lifted_and_the_record_names_who_and_why(ledger):
    item = keys.person(build.DANA)
    snapshot = ledger.read(item)
    held = PersonRecord(build.DANA, "Dana", (Account("slack", "T1", "UDANA"),), suspended="the account has changed")
    ledger.commit(Change("held", snapshot.now, snapshot.versions(), puts={item: held}))
    answer = run("person", "confirm", "Dana@example.com", "--by", "Ada Admin", "--reason", "she showed her badge")
    assert answer.exit_code == 0, answer.output
    account = keys.account(Account("slack", "T1", "UDANA").id)
    record = ledger.read(account).get(account, AccountRecord)
    assert record is not None
    assert (record.person, record.suspended) == (build.DANA, None)
    entry = ledger.entries_of(keys.hold_subject(record.account))[-1]
    assert (entry.facts["by"], entry.private["actor_name"]) == ("command_line", "Ada Admin")
    assert entry.private["reason"] == "she showed her badge"
    assert run("person", "confirm", "Dana@example.com", "--by", "Ada", "--reason", "again").exit_code == 1


FORMER = "email_domains: [example.com]\nformer_domains: {old.example: example.com}"


@pytest.mark.parametrize("readable", [True, False])
def test_a_hold_is_found_by_the_address_under_the_former_name_of_its_domain(ledger, tmp_path, monkeypatch, readable):
    """As the policy says; where no policy can be read, by the address as it is."""
    write(tmp_path, (WORKSPACE, "email_domains: [example.com]", FORMER))
    if not readable:
        (tmp_path / "prodaccess.yaml").write_text("{")
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path))
    item = keys.person(build.DANA)
    snapshot = ledger.read(item)
    held = PersonRecord(build.DANA, "Dana", (Account("slack", "T1", "UDANA"),), suspended="the account has changed")
    ledger.commit(Change("held", snapshot.now, snapshot.versions(), puts={item: held}))
    words = ("--by", "Ada Admin", "--reason", "she showed her badge")
    assert (run("person", "confirm", "dana@old.example", *words).exit_code == 0) == readable
    if not readable:
        assert run("person", "confirm", "dana@example.com", *words).exit_code == 0


def test_nobody_is_confirmed_who_is_not_on_hold(ledger):
    assert run("person", "confirm", "who@example.com", "--by", "Ada", "--reason", "why").exit_code == 1


def test_a_user_in_aws_is_given_to_another_person_by_hand_and_on_record(ledger, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PRODACCESS_CONFIG", "config")
    user, nia = TargetUser("identity-store:9067-1", build.DANA, "Dana", build.NOW), Identity(build.NIA, "Nia")
    puts = {keys.target_user(user.id): user, keys.identity(build.NIA): nia}
    puts[keys.target_ids(build.DANA)] = TargetIds(build.DANA, {"identity-store:d-1": "9067-1"})
    snapshot = ledger.read(*puts)
    ledger.commit(Change("users", snapshot.now, snapshot.versions(), puts=puts))
    said = ("--by", "Ada Admin", "--reason", "handed over, IT-812")
    assert "No AWS user 9067-2" in run("person", "user", "9067-2", "nia@example.com", *said).output
    assert "Nothing is known of who@example.com" in run("person", "user", "9067-1", "who@example.com", *said).output
    answer = run("person", "user", "9067-1", "Nia@example.com", *said)
    assert (answer.exit_code, answer.output) == (0, "The AWS user 9067-1 is nia@example.com's from now on.\n")
    found = ledger.read(*puts)
    assert found.get(keys.target_user(user.id), TargetUser).person == build.NIA
    assert found.get(keys.target_ids(build.DANA), TargetIds).users == {}
    entry = ledger.entries(limit=100)[-1]
    assert (entry.event, entry.private["actor_name"]) == ("target_user.moved", "Ada Admin")


COMMANDS = {
    "report": (),
    "audit verify": (),
    "audit export": (),
    "policy apply": ("config",),
    "explain": ("shop-prod", "admin", "--as", "dana@example.com"),
    "clock accept": ("--by", "Rosa", "--reason", "right again"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_ledger_it_is_one_sentence(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    answer = run(*command.split(), *COMMANDS[command])
    assert (answer.exit_code, answer.output) == (1, "Redis cannot be reached (127.0.0.1:1).\n")


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "explain"])
def test_a_command_that_needs_redis_says_so_by_its_own_name(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr("bot.cli.ledger._ENV_FILE", tmp_path / ".env")  # a checkout may have one, with a real Redis
    answer = run(*command.split(), *COMMANDS[command])
    assert (answer.exit_code, answer.output) == (2, f"REDIS_URL is not set; {command} needs it.\n")


def test_where_the_environment_names_no_redis_env_of_this_folder_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("REDIS_URL=redis://127.0.0.1:1/0\n")
    assert run("status").output == "Redis cannot be reached (127.0.0.1:1).\n"
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:2/0")
    (tmp_path / ".env").write_text("no assignment\n")
    assert run("status").output == "Redis cannot be reached (127.0.0.1:2).\n", (
        "and it is not read where it is not needed"
    )
    monkeypatch.delenv("REDIS_URL")
    answer = run("status")
    assert (answer.exit_code, answer.output) == (2, ".env:1: this is not NAME=value.\n")


def test_where_up_has_a_server_of_its_own_it_says_why_that_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("REDIS_URL=\n")
    answer = run("status")
    assert answer.exit_code == 2
    assert answer.output.splitlines()[0] == "REDIS_URL is not set; status needs it."
    assert "known to its own processes alone: to look into the record, run a Redis of your own" in answer.output


def test_a_ledger_that_goes_away_meanwhile_is_one_sentence_too(ledger, monkeypatch: pytest.MonkeyPatch):
    def gone(*_: object) -> None:
        raise LedgerUnreachable("Redis cannot be reached (somewhere).")

    monkeypatch.setattr(RedisLedger, "audit_state", gone)
    answer = run("audit", "verify")
    assert (answer.exit_code, answer.output) == (1, "Redis cannot be reached (somewhere).\n")


def test_an_operator_accepts_the_clock_on_the_record(ledger: RedisLedger) -> None:
    assert "nothing to accept" in run("clock", "accept", "--by", "Rosa Ops", "--reason", "NTP is right again").output
    snapshot = ledger.read(keys.CLOCK)
    doubted = LedgerClock(jumps=1, doubt=Doubt(snapshot.now, -3_600_000_000))
    ledger.commit(Change("jump", snapshot.now, snapshot.versions(), puts={keys.CLOCK: doubted}))
    refused = run("clock", "accept", "--by", "Rosa Ops", "--reason", " ")
    assert refused.exit_code == 1
    assert "Say why" in refused.output
    assert (
        "Access is given again." in run("clock", "accept", "--by", "Rosa Ops", "--reason", "NTP is right again").output
    )
    (entry,) = [entry for entry in ledger.entries() if entry.event is Event.CLOCK_ACCEPTED]
    assert entry.private == {"actor_name": "Rosa Ops", "reason": "NTP is right again"}
    found = ledger.read(keys.CLOCK).get(keys.CLOCK, LedgerClock)
    assert found is not None
    assert found.trusted


def test_an_operator_doubts_the_record_and_accepts_it(ledger: RedisLedger) -> None:
    words = ("--by", "Rosa Ops", "--reason", "the backup of 03:00 was put back")
    assert "nothing to accept" in run("ledger", "accept", *words).output
    assert "Nothing is given from now on" in run("ledger", "doubt", *words).output
    assert "in doubt already" in run("ledger", "doubt", *words).output
    assert ledger.commit(Change("give", ledger.now(), {}, gives_access=True)) == Lost("restored")
    refused = run("ledger", "accept", "--by", "Rosa Ops", "--reason", " ")
    assert refused.exit_code == 1
    assert "Say why" in refused.output
    assert "Access is given again." in run("ledger", "accept", *words).output
    assert isinstance(ledger.commit(Change("give", ledger.now(), {}, gives_access=True)), Committed)
    told = [(entry.event, entry.private["actor_name"]) for entry in ledger.entries()]
    assert told == [(Event.LEDGER_ROLLED_BACK, "Rosa Ops"), (Event.LEDGER_ACCEPTED, "Rosa Ops")]


def test_numbers_that_were_shown_before_a_restore_are_not_given_out_again(ledger):
    assert ledger.next_id() == "PA-1"
    assert run("ledger", "raise-ids", "5000").output == "The next request is PA-5001.\n"
    # What is beyond it already stays.
    assert run("ledger", "raise-ids", "40").output == "The next request is PA-5001.\n"
    assert ledger.next_id() == "PA-5001"
    assert run("ledger", "raise-ids", "0").exit_code == 2
    assert run("ledger", "raise-ids", "99999999999").exit_code == 2
