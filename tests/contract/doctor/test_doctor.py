"""How `prodaccess doctor` looks and speaks, whatever it finds: nothing is changed, nothing secret is said, and it ends."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.doctor import examination, processes
from bot.doctor.context import Context, Whom
from bot.doctor.examination import SUBJECTS, Subject, examine
from bot.doctor.redis import _Way
from bot.doctor.redis_rights import may_not
from bot.doctor.writing import closing, exit_code, lines
from tests.contract.doctor.rig import Rig
from tests.support.redis_users import put_in_place
from tests.support.waiting import eventually
from workflows.core.finding import Finding, State, ok

SERVER = ("variables", "policy", "redis", "processes", "record")
NOBODYS = ("REDIS_URL", "PRODACCESS_CONFIG", "SLACK_BOT_TOKEN", "TEAMS_APP_ID")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *words])


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it, and no variable."""
    for name in NOBODYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_installation_that_runs_has_nothing_broken_on_its_server(rig: Rig):
    rig.started()
    rig.environ |= {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    found = rig.found(*SERVER)
    assert {one.state for one in found} == {State.OK}, found


def test_a_healthy_installation_has_nothing_to_mend_and_is_left_as_it_is(in_slack: Rig, on_aws: Rig):
    assert in_slack is on_aws
    in_slack.started()
    in_slack.sealing()
    held, posts = on_aws.aws.world.assignments(), in_slack.slack.calls.mark()
    on_aws.aws.proxy.log.reset()
    examined = in_slack.look()
    found = [finding for one in examined for finding in one.findings]
    # What was done in accounts that are not the worker's own is looked up where an operator wants it.
    wanted = [one for one in found if one.check != "targets.activity"]
    assert {one.state for one in wanted} == {State.OK}, [one for one in wanted if one.state is not State.OK]
    assert exit_code(examined) == 0
    assert {one.subject.name for one in examined if one.findings} >= {*SERVER, "slack", "people", "groups", "targets"}
    assert on_aws.aws.proxy.log.counts()
    assert not on_aws.aws.proxy.log.calls("changes")
    assert on_aws.aws.world.assignments() == held
    assert not [call for call in in_slack.slack.calls.since(posts) if call.method.startswith(("chat.", "views."))]


def test_before_the_first_start_nothing_is_broken_for_want_of_it(rig: Rig):
    rig.environ |= {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    assert {one.state for one in rig.found(*SERVER)} == {State.OK, State.SKIPPED}


def test_a_look_writes_nothing_to_redis(rig: Rig):
    rig.started()
    rig.client.acl_setuser(
        "looks", enabled=True, passwords=["+looks"], keys=["*"], commands=["+@all"], categories=["-@write"]
    )
    rig.environ["REDIS_URL"] = rig.url.replace("://:", "://looks:").replace(
        rig.url.split(":")[2].split("@")[0], "looks"
    )
    before = {key: rig.client.dump(key) for key in rig.client.scan_iter() if "beat" not in str(key)}
    rig.whom = None
    found = rig.found(*SERVER)
    assert any(one.what == "user looks" for one in found)
    assert not [one for one in found if one.state in (State.BROKEN, State.UNKNOWN)], found
    assert {key: rig.client.dump(key) for key in before} == before


def test_the_rights_of_a_user_are_found_without_doing_anything(redis_client: redis.Redis):
    assert may_not(redis_client, (("SET", "prodaccess:doctor", "v"), ("GET", "prodaccess:doctor"))) == ()
    assert redis_client.keys() == []


def test_a_look_leaves_no_connection_open(rig: Rig):
    rig.started()
    before = {each["id"] for each in rig.client.client_list()}
    rig.look(*SERVER)
    eventually(lambda: {each["id"] for each in rig.client.client_list()} <= before, "all of them are closed")


# As deploy/redis gives it to whoever types commands: it may read the record and commit, and see nothing of the queues.
READER = (
    "%R~prodaccess:* -@all +ping +info +config|get +time +multi +mget +exists +hget +lrange +zrange +zcard +xrevrange"
)
SCRIPTS = "(+eval +evalsha ~prodaccess:*)"


def test_a_user_that_may_only_read_the_record_is_no_fault_on_an_operators_machine(rig: Rig):
    rig.started()
    rig.client.execute_command("ACL SETUSER", "reads", "on", ">reads-1", *READER.split(), SCRIPTS)
    rig.environ["REDIS_URL"] = re.sub(r"//:[^@]*@", "//reads:reads-1@", rig.url)
    rig.whom = None
    found = rig.found("redis", "record", "processes")
    assert {one.check for one in found if one.state is State.SKIPPED} == {"redis.rights", "record.queues"}, found
    assert not [one for one in found if one.state not in (State.OK, State.SKIPPED)], found
    rig.whom = "worker"
    (rights,) = [one for one in rig.found("redis") if one.check == "redis.rights"]
    assert rights.state is State.BROKEN
    assert "SET prodaccess:record:doctor" in rights.words


@pytest.mark.parametrize(
    ("lacks", "state", "words"),
    [
        ("", State.SKIPPED, "enough to look, and too little for a process"),
        ("-lrange", State.ATTENTION, "too little to look at the record"),
    ],
)
def test_a_user_that_may_not_even_read_the_record_is_told_on_an_operators_machine(
    rig: Rig, lacks: str, state: State, words: str
):
    rig.started()
    rules = (*READER.split(), *lacks.split(), SCRIPTS)
    rig.client.execute_command("ACL SETUSER", "reads", "on", ">reads-1", *rules)
    rig.environ["REDIS_URL"] = re.sub(r"//:[^@]*@", "//reads:reads-1@", rig.url)
    rig.whom = None
    (found,) = [one for one in rig.found("redis") if one.check == "redis.rights"]
    assert found.state is state, found
    assert words in found.words


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_each_process_has_the_rights_that_deploy_gives_its_user(rig: Rig, process: Whom):
    rig.started()
    user = f"prodaccess-{process}"
    put_in_place(rig.client, user)
    rig.environ["REDIS_URL"] = re.sub(r"//:[^@]*@", f"//{user}:{user}@", rig.url)
    rig.whom = process
    found = rig.found("redis", "record", "processes")
    assert not [one for one in found if one.state not in (State.OK, State.SKIPPED)], found
    assert [one.state for one in found if one.check == "redis.rights"] == [State.OK]


@pytest.mark.parametrize(
    ("url", "place", "tls", "password"),
    [
        ("redis://127.0.0.1:6379/0", "Redis at 127.0.0.1:6379", False, False),
        ("rediss://u:p/w@h:6380/0", "Redis at h:6380", True, True),
        ("redis://:p@w@h/0", "Redis at h", False, True),
        (
            "redis+sentinel://u:p@h1:26379,h2:26379/main/0?sentinel_password=s",
            "Redis by sentinels at h1:26379, h2:26379",
            False,
            True,
        ),
        ("rediss+sentinel://h1,h2/main", "Redis by sentinels at h1, h2", True, False),
    ],
)
def test_of_an_address_the_way_is_told_and_no_secret(url: str, place: str, tls: bool, password: bool):
    way = _Way.of(url)
    assert (way.place, way.tls, way.password) == (place, tls, password)


def stuck_for_ever(release: threading.Event) -> Iterator[Finding]:
    yield ok("processes.alive", "web", "it runs")
    release.wait(60)


def test_a_subject_that_does_not_end_says_so_with_what_it_found(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    release = threading.Event()
    monkeypatch.setattr(processes, "look", lambda _context: stuck_for_ever(release))
    (one,) = examine(context_of(rig), [Subject("processes", "Processes")], within_s=0.1)
    release.set()
    assert [finding.state for finding in one.findings] == [State.OK, State.UNKNOWN]
    assert "no answer within 0.1 s" in one.findings[1].words


def test_a_subject_that_fails_is_a_line_and_never_a_traceback(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    def fails(_context: Context) -> Iterator[Finding]:
        raise RuntimeError(f"at {rig.url}")

    monkeypatch.setattr(processes, "look", fails)
    (one,) = examine(context_of(rig), [Subject("processes", "Processes")])
    (finding,) = one.findings
    assert (finding.check, finding.state) == ("processes.look", State.UNKNOWN)
    assert finding.words.startswith("it could not be looked at (RuntimeError, E-")


def test_no_line_holds_a_secret(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    told = ok("processes.alive", "web", f"it runs at {rig.url}")
    monkeypatch.setattr(processes, "look", lambda _context: iter([told]))
    (one,) = examine(context_of(rig), [Subject("processes", "Processes")])
    assert rig.url.split(":")[2].split("@")[0] not in one.findings[0].words


def context_of(rig: Rig) -> Context:
    from bot.doctor.variables import readable

    values, problems = readable(rig.environ)
    return Context(values, rig.environ, rig.whom, lambda: 0.0, problems)


def test_a_new_operator_with_an_empty_env_file_reads_what_to_set(nowhere: Path):
    (nowhere / ".env").write_text("", encoding="utf-8")
    done = run()
    assert done.exit_code == 2, done.output
    for said in ("No chat is set", "there is no such folder", "`prodaccess up` starts", "To do, in this order"):
        assert said in " ".join(done.output.split()), done.output


def test_where_nothing_is_set_nothing_is_broken(nowhere: Path):
    done = run()
    assert done.exit_code == 0, done.output
    assert "`prodaccess init` writes a .env" in " ".join(done.output.split())


def test_where_a_process_runs_what_it_has_not_is_missing(nowhere: Path):
    done = run("--process", "clock", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["state"], found["exit_code"]) == (2, "broken", 2)
    missing = [one for one in found["findings"] if one["check"] == "redis.reachable"]
    assert [(one["state"], one["what"]) for one in missing] == [("broken", "Redis")]


def test_one_variable_that_is_wrong_hides_nothing_else(rig: Rig):
    rig.environ["SLACK_BOT_TOKEN"] = "secret-without-its-beginning"
    found = rig.found("variables", "redis")
    assert any(one.what == "SLACK_BOT_TOKEN" and one.state is State.BROKEN for one in found), found
    assert any(one.check == "redis.durability" and one.state is State.OK for one in found)
    assert not any("secret-without" in one.words for one in found)


@pytest.mark.parametrize("columns", [40, 78, 100])
def test_it_fits_the_terminal_and_ends_with_what_to_do(rig: Rig, columns: int):
    rig.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"
    examined = rig.look(*SERVER)
    written = list(lines(examined, columns))
    assert max(map(len, written)) <= columns
    assert exit_code(examined) == 2
    assert (
        " ".join(written).split()[-4:] == closing(examined).split()[-4:] == ["run", "`prodaccess", "doctor`", "again."]
    )


def test_every_subject_has_a_module_and_a_name_of_its_own():
    names = [one.name for one in SUBJECTS]
    assert len(set(names)) == len(names)
    for name in names:
        assert callable(examination.look_of(name))


ROOT = Path(__file__).parents[3]
LOOKERS = (*sorted((ROOT / "bot" / "doctor").glob("*.py")), *sorted((ROOT / "workflows" / "targets").rglob("*.py")))


def test_the_page_names_each_check_and_no_other():
    subjects = "|".join(one.name for one in SUBJECTS)
    code = "\n".join(path.read_text(encoding="utf-8") for path in LOOKERS)
    made = set(re.findall(rf'"((?:{subjects})\.[a-z-]+)"', code)) - {f"{one.name}.look" for one in SUBJECTS}
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert made == set(re.findall(r"^\| `([a-z-]+\.[a-z-]+)` \|", page, re.MULTILINE))
