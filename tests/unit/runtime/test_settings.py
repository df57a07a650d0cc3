"""What the environment may say, and how what is wrong is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.cloud_credentials import aws_is_real, cloud_secrets, scrub_cloud_credentials
from bot.settings import Settings, for_process, load_settings, variable, with_env_file, without_workers_keys

BOT, APP, SIGNING = "xoxb-" + "1" * 12, "xapp-" + "1" * 12, "0123456789abcdef" * 2
REDIS = "redis://:pass%20word@127.0.0.1:6379/0"
ENOUGH = {"SLACK_BOT_TOKEN": BOT, "SLACK_SIGNING_SECRET": SIGNING, "REDIS_URL": REDIS}
SIMULATED = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}
APP_ID, TENANT = "1111AAAA-2222-4333-8444-555566667777", "8888bbbb-2222-4333-8444-555566667777"
TEAMS = {"TEAMS_APP_ID": APP_ID, "TEAMS_APP_PASSWORD": "s~ecret0", "TEAMS_TENANT_ID": TENANT}


def good(environ: dict[str, str]) -> Settings:
    found = load_settings(environ)
    assert isinstance(found, Settings), found
    return found


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    found = load_settings(environ)
    assert isinstance(found, tuple)
    return found


def test_defaults_are_those_of_the_documentation() -> None:
    settings = good({})
    assert (settings.command, settings.policy, settings.redis_durability) == ("/prodaccess", "watch", "verify")
    assert (settings.config, settings.data) == (Path("config"), Path("data"))
    assert (settings.port, settings.log_level, settings.log_format) == (3000, "info", "json")
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.redis_url is None
    assert not settings.socket_mode


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        good({}).port = 1


def test_the_class_alone_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    assert Settings().port == 3000
    assert good({}).port == 3000


def test_empty_variables_count_as_not_set() -> None:
    assert good({"SLACK_APP_TOKEN": "", "PORT": "", "REDIS_URL": "", "REDIS_URL_FILE": ""}).port == 3000


def test_an_app_token_means_socket_mode() -> None:
    assert good({"SLACK_APP_TOKEN": APP}).socket_mode


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": APP}, "SLACK_BOT_TOKEN must start with xoxb-"),
        ({"SLACK_BOT_TOKEN": BOT + " "}, "SLACK_BOT_TOKEN must start with xoxb-"),
        ({"SLACK_APP_TOKEN": BOT}, "SLACK_APP_TOKEN must start with xapp-"),
        ({"SLACK_API_URL": "http://slack.example/api/"}, "SLACK_API_URL must be an https:// address"),
        ({"REDIS_URL": "http://h"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "redis://"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "redis://h:port/0"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "redis://h/main"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "redis://h1,h2/0"}, "REDIS_URL names a cluster"),
        ({"REDIS_URL": "redis+cluster://h"}, "REDIS_URL names a cluster"),
        ({"PRODACCESS_COMMAND": "prodaccess"}, "PRODACCESS_COMMAND must be a slash"),
        ({"PRODACCESS_COMMAND": "/" + "a" * 32}, "PRODACCESS_COMMAND must be a slash"),
        ({"PRODACCESS_COMMAND": "/prod\n"}, "PRODACCESS_COMMAND must be a slash"),
        ({"PRODACCESS_POLICY": "auto"}, "PRODACCESS_POLICY must be watch or manual"),
        ({"PRODACCESS_REDIS_DURABILITY": "no"}, "PRODACCESS_REDIS_DURABILITY must be verify, declared or volatile"),
        ({"PRODACCESS_AUDIT_KEY": "awskms:alias/x"}, "PRODACCESS_AUDIT_KEY must be awskms:"),
        ({"GITHUB_WEBHOOK_SECRET": "short"}, "GITHUB_WEBHOOK_SECRET must be one word of 32 characters or more"),
        ({"GITHUB_APP_ID": "my-app"}, "GITHUB_APP_ID must be the App's id"),
        ({"GITHUB_APP_KEY": "-----BEGIN RSA PRIVATE KEY-----"}, "GITHUB_APP_KEY is the path of the App's PEM file"),
        ({"GITHUB_API_URL": "http://github.example.com"}, "GITHUB_API_URL must be an https:// address"),
        ({"GITLAB_TOKEN": "two words"}, "GITLAB_TOKEN must be one word"),
        ({"GITLAB_API_URL": "http://gitlab.example.com"}, "GITLAB_API_URL must be an https:// address"),
        ({"PRODACCESS_AUDIT_KEY": "-----BEGIN PRIVATE KEY-----"}, "PRODACCESS_AUDIT_KEY is the path"),
        ({"PRODACCESS_AUDIT_BUCKET": "bucket/prefix"}, "PRODACCESS_AUDIT_BUCKET must be s3://BUCKET/PREFIX"),
        ({"PRODACCESS_AUDIT_BUCKET": "s3://b"}, "PRODACCESS_AUDIT_BUCKET must be"),
        ({"PRODACCESS_AUDIT_BUCKET": "s3://bucket/a b"}, "PRODACCESS_AUDIT_BUCKET must be"),
        ({"PRODACCESS_AUDIT_RETENTION": "7y"}, "PRODACCESS_AUDIT_RETENTION must be a number of days"),
        ({"PRODACCESS_AUDIT_RETENTION": "0d"}, "PRODACCESS_AUDIT_RETENTION must be a number of days"),
        ({"TEAMS_WEBHOOK_URL": "http://teams.example/x"}, "TEAMS_WEBHOOK_URL must be an https://"),
        ({"TEAMS_APP_ID": APP_ID}, "Two-way Teams also needs TEAMS_APP_PASSWORD and TEAMS_TENANT_ID"),
        ({**TEAMS, "TEAMS_APP_ID": "1"}, "TEAMS_APP_ID must be a GUID"),
        ({**TEAMS, "TEAMS_TENANT_ID": "contoso.example"}, "TEAMS_TENANT_ID must be a GUID"),
        ({**TEAMS, "TEAMS_TENANT_ID": TENANT + "\n"}, "TEAMS_TENANT_ID must be a GUID"),
        ({"TEAMS_OPENID_URL": "http://keys.example/x"}, "TEAMS_OPENID_URL must be an https:// address"),
        ({"TEAMS_OPENID_URL": "https://keys.example/x?app=1"}, "TEAMS_OPENID_URL must be an address alone"),
        ({"TEAMS_LOGIN_URL": "https://me:word@login.example"}, "TEAMS_LOGIN_URL must be an address alone"),
        ({"TEAMS_LOGIN_URL": "https://login.example\\@other.example"}, "TEAMS_LOGIN_URL must be an address alone"),
        ({"GRAPH_API_URL": "graph.microsoft.com"}, "GRAPH_API_URL must be an https:// address"),
        ({"TEAMS_SERVICE_URL": "https://smba.example/,"}, "TEAMS_SERVICE_URL must be an https:// address"),
        ({"TEAMS_SERVICE_URL": "https://smba.example/,http://other.example/"}, "TEAMS_SERVICE_URL must be an https://"),
        ({"PRODACCESS_OPS_PORT": "x"}, "PRODACCESS_OPS_PORT must be a number"),
        ({"PRODACCESS_OPS_PORT": "3000"}, "PRODACCESS_OPS_PORT is the same as PORT"),
        ({"PRODACCESS_OPS_PORT": "08080", "PORT": "8080"}, "PRODACCESS_OPS_PORT is the same as PORT"),
        ({"PRODACCESS_OPSPORT": "9000"}, "did you mean PRODACCESS_OPS_PORT?"),
        ({"PORT": "65536"}, "PORT must be a number"),
        ({"PORT": "١٢"}, "PORT must be a number"),
        ({"PORT": "-1"}, "PORT must be a number"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be debug, info, warning or error"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be json or console"),
        ({"PRODACCESS_REDIS_DURABILTY": "declared"}, "did you mean PRODACCESS_REDIS_DURABILITY?"),
        ({"PRODACCESS_AUDIT_KEY_FIL": "k.pem"}, "did you mean PRODACCESS_AUDIT_KEY_FILE?"),
        ({"PRODACCESS_AUDIT_KEY_FILE": "k.pem", "PRODACCESS_AUDIT_KEY": "k.pem"}, "are both set: keep one."),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(environ: dict[str, str], sentence: str) -> None:
    (found,) = problems(environ)
    assert sentence in found
    assert found.endswith((".", "?"))


@pytest.mark.parametrize(
    "environ",
    [
        {"PORT": "0"},
        {"PORT": "65535"},
        {"PRODACCESS_COMMAND": "/a_b-9"},
        {"REDIS_URL": "rediss://user:p@ss/w,rd@redis.example:6380/1".replace("/w,", "%2Fw,")},
        {"REDIS_URL": "redis://[::1]:6379"},
        {"SLACK_API_URL": "http://127.0.0.1:1/api"},
        {"PRODACCESS_AUDIT_KEY": "awskms:arn:aws:kms:eu-west-1:123456789012:key/1"},
        {"PRODACCESS_AUDIT_KEY": "/run/secrets/audit.pem"},
        {"PRODACCESS_AUDIT_KEY_FILE": "/run/secrets/audit.pem"},
        {"PRODACCESS_AUDIT_BUCKET": "/var/lib/prodaccess/archive"},
        {"PRODACCESS_AUDIT_BUCKET": "./archive"},
        {"PRODACCESS_AUDIT_BUCKET": "audit.example-1"},
        {"PRODACCESS_AUDIT_BUCKET": "s3://audit.example-1/prodaccess/eu", "PRODACCESS_AUDIT_RETENTION": "2555d"},
        {"LOG_LEVEL": "DEBUG"},
        {"PRODACCESS_OPS_PORT": "0", "PORT": "0"},
        {**SIMULATED, "TEAMS_LOGIN_URL": "http://[::1]:1234"},
        {"PRODACCESS_SOMETHING_ELSE": "of another program"},
    ],
)
def test_what_is_right_is_taken(environ: dict[str, str]) -> None:
    good(environ)


def test_the_slack_address_ends_with_one_slash() -> None:
    assert good({"SLACK_API_URL": "https://x.example/api"}).slack_api_url == "https://x.example/api/"


def test_all_problems_come_at_once() -> None:
    found = for_process("web", {"PORT": "x", "LOG_LEVEL": "x", "SLACK_BOT_TOKEN_FILE": "/nowhere/at/all"})
    assert isinstance(found, tuple)
    assert [sentence.split()[0] for sentence in found] == [
        "SLACK_BOT_TOKEN_FILE",
        "REDIS_URL",
        "Neither",
        "PORT",
        "LOG_LEVEL",
    ]


def test_a_problem_never_repeats_the_value() -> None:
    secret = "hunter2hunter2"
    wrong = {variable(field): secret + "\n" for field in Settings.model_fields if field != "aws_is_real"}
    assert secret not in " ".join(problems(wrong))


# --- Microsoft's addresses


def test_ids_of_microsoft_are_kept_in_lower_case() -> None:
    settings = good(TEAMS)
    assert (settings.teams_app_id, settings.teams_tenant_id) == (APP_ID.lower(), TENANT)
    assert settings.teams_is_on
    assert not settings.slack_is_on
    assert not good({"TEAMS_WEBHOOK_URL": "https://x.example/?sig=1"}).teams_is_on


def test_addresses_are_kept_in_one_form() -> None:
    given = "https://smba.example/amer, https://smba.example/amer/,https://other.example"
    settings = good({"TEAMS_SERVICE_URL": given, "TEAMS_LOGIN_URL": "https://login.example/"})
    assert settings.teams_service_url == ("https://smba.example/amer/", "https://other.example/")
    assert settings.teams_login_url == "https://login.example"


@pytest.mark.parametrize("name", ["TEAMS_OPENID_URL", "TEAMS_LOGIN_URL", "TEAMS_SERVICE_URL", "GRAPH_API_URL"])
def test_a_stand_in_for_microsoft_is_refused_with_a_real_cloud(name: str) -> None:
    near = {name: "http://127.0.0.1:9/x"}
    (found,) = problems(near)
    assert found.startswith(f"{name} on this machine is refused with a real AWS endpoint")
    assert good({**near, **SIMULATED})


THIS_MACHINE = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "127.9.9.9:8443",
]


@pytest.mark.parametrize("host", THIS_MACHINE)
@pytest.mark.parametrize("name", ["TEAMS_OPENID_URL", "TEAMS_LOGIN_URL", "TEAMS_SERVICE_URL", "GRAPH_API_URL"])
def test_however_it_is_spelt(name: str, host: str) -> None:
    (found,) = problems({name: f"https://{host}/x"})
    assert "on this machine is refused with a real AWS endpoint" in found


@pytest.mark.parametrize(
    "host", ["login.example", "10.0.0.1", "128.1", "[2001:db8::1]", "localhost.example", "xlocalhost"]
)
def test_other_machines_are_none_of_it(host: str) -> None:
    assert good({"TEAMS_LOGIN_URL": f"https://{host}"}).teams_login_url == f"https://{host}"


def test_plain_http_is_for_the_plainest_spelling_alone() -> None:
    for host in THIS_MACHINE[1:8]:
        assert problems({"TEAMS_LOGIN_URL": f"http://{host}", **SIMULATED}), host


def test_one_address_on_this_machine_among_several_is_refused_too() -> None:
    (found,) = problems({"TEAMS_SERVICE_URL": "https://smba.trafficmanager.net/,https://localhost/"})
    assert "is refused with a real AWS endpoint" in found


def test_addresses_other_than_the_usual_ones_are_named() -> None:
    elsewhere = {
        "TEAMS_LOGIN_URL": "https://login.microsoftonline.us",
        "GRAPH_API_URL": "https://graph.microsoft.com/v1.0/",
    }
    assert good({**TEAMS, **elsewhere}).unusual_addresses() == ("TEAMS_LOGIN_URL",)
    assert good(TEAMS).unusual_addresses() == good(elsewhere).unusual_addresses() == ()


# --- who needs what


def test_each_process_names_what_it_misses() -> None:
    assert for_process("clock", {}) == ("REDIS_URL is not set; clock needs it.",)
    signed = {"REDIS_URL": REDIS, "SLACK_SIGNING_SECRET": SIGNING}
    assert for_process("worker", signed) == ("SLACK_BOT_TOKEN is not set; worker needs it.",)
    (found,) = for_process("web", {"REDIS_URL": REDIS, "SLACK_BOT_TOKEN": BOT})
    assert "SLACK_SIGNING_SECRET" in str(found)


@pytest.mark.parametrize("process", ["web", "worker"])
def test_without_any_chat_one_sentence_says_what_to_set(process: str) -> None:
    for nothing in ({}, {"SLACK_API_URL": "https://x.example/api"}, {"TEAMS_WEBHOOK_URL": "https://x.example/?sig=1"}):
        (found,) = for_process(process, {"REDIS_URL": REDIS, **nothing})
        assert str(found).startswith("No chat is set: for Slack set SLACK_BOT_TOKEN")
        assert "TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID" in str(found)
    (found,) = for_process(process, {"REDIS_URL": REDIS, "TEAMS_APP_ID": APP_ID})
    assert str(found).startswith("Two-way Teams also needs")


def test_of_slack_half_is_too_little_beside_teams_too() -> None:
    (found,) = for_process("web", {"REDIS_URL": REDIS, **TEAMS, "SLACK_APP_TOKEN": APP})
    assert found == "SLACK_BOT_TOKEN is not set; web needs it."


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_enough_is_enough(process: str) -> None:
    assert isinstance(for_process(process, {"REDIS_URL": REDIS, **TEAMS}), Settings)
    assert isinstance(for_process(process, {**ENOUGH, **TEAMS}), Settings)
    assert isinstance(for_process(process, ENOUGH), Settings)  # type: ignore[arg-type]
    socket_mode = {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "REDIS_URL": REDIS}
    assert isinstance(for_process(process, socket_mode), Settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["PRODACCESS_AUDIT_KEY", "PRODACCESS_AUDIT_KEY_FILE"])
def test_the_key_of_the_audit_log_is_for_workers_alone(name: str) -> None:
    given = {**ENOUGH, name: "/run/secrets/audit.pem"}
    worker = for_process("worker", given)
    assert isinstance(worker, Settings)
    assert worker.audit_key == "/run/secrets/audit.pem"
    for process in ("web", "clock"):
        (found,) = for_process(process, given)  # type: ignore[arg-type,misc]
        assert found.startswith(f"PRODACCESS_AUDIT_KEY is set for {process}, which must not have it")
        assert isinstance(for_process(process, without_workers_keys(given)), Settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["GITHUB_APP_KEY", "GITHUB_APP_KEY_FILE"])
def test_the_key_of_the_app_at_github_is_for_workers_alone(name: str) -> None:
    given = {**ENOUGH, name: "/run/secrets/app.pem", "GITHUB_APP_ID": "424242"}
    worker = for_process("worker", given)
    assert isinstance(worker, Settings)
    assert (worker.github_app_key, worker.github_app_id) == ("/run/secrets/app.pem", "424242")
    for process in ("web", "clock"):
        (found,) = for_process(process, given)  # type: ignore[arg-type,misc]
        assert found.startswith(f"GITHUB_APP_KEY is set for {process}, which must not have it")
        # The id alone is no secret: `up` and a file of variables that all share may have it.
        assert isinstance(for_process(process, without_workers_keys(given)), Settings)  # type: ignore[arg-type]
    (alone,) = for_process("worker", without_workers_keys(given))  # type: ignore[misc]
    assert alone == "GITHUB_APP_KEY is not set; the app at GitHub needs it."


@pytest.mark.parametrize("name", ["GITLAB_TOKEN", "GITLAB_TOKEN_FILE"])
def test_the_token_for_gitlab_is_for_workers_alone_and_hidden(name: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("glpat-never-shown\n")
    given = {**ENOUGH, name: str(file) if name.endswith("_FILE") else "glpat-never-shown"}
    worker = for_process("worker", given)
    assert isinstance(worker, Settings)
    token = worker.secrets.of("gitlab_token")
    assert token is not None
    assert token.values == ("glpat-never-shown",)
    assert "never-shown" not in repr(worker)
    for process in ("web", "clock"):
        (found,) = for_process(process, given)  # type: ignore[arg-type,misc]
        assert found.startswith(f"GITLAB_TOKEN is set for {process}, which must not have it")
        assert "let any pipeline on" in found
        assert "never-shown" not in found
        assert isinstance(for_process(process, without_workers_keys(given)), Settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITLAB_API_URL"])
def test_a_stand_in_for_a_forge_is_refused_with_a_real_cloud(name: str) -> None:
    near = {name: "http://127.0.0.1:9/api/v3"}
    (found,) = problems(near)
    assert found.startswith(f"{name} on this machine is refused with a real AWS endpoint")
    assert good({**near, **SIMULATED})


# --- secrets


def test_secrets_are_never_printed() -> None:
    settings = good({**ENOUGH, "TEAMS_WEBHOOK_URL": "https://x.example/?sig=1234567"})
    for shown in (repr(settings), str(settings), f"{settings.model_dump()}", settings.model_dump_json()):
        for secret in (BOT, SIGNING, "pass%20word", "1234567"):
            assert secret not in shown


def test_secret_values_hold_every_secret_and_the_bare_password() -> None:
    values = good(ENOUGH).secret_values()
    assert {BOT, SIGNING, REDIS, "pass%20word", "pass word"} == set(values)


def test_a_secret_is_read_from_its_file_without_the_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(BOT + "\r\n")
    token = good({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")}).slack_bot_token
    assert token is not None
    assert token.get_secret_value() == BOT


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    assert problems({"REDIS_URL": REDIS, "REDIS_URL_FILE": "x"}) == (
        "REDIS_URL and REDIS_URL_FILE are both set: keep one.",
    )


def test_an_unreadable_secret_file_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, why in (
        ("none", "no such file or directory"),
        (".", "is a directory"),
        ("empty", "is empty"),
        ("binary", "UTF-8"),
    ):
        (found,) = problems({"SLACK_BOT_TOKEN_FILE": str(tmp_path / name)})
        assert found.startswith(f"SLACK_BOT_TOKEN_FILE names {tmp_path / name}, which ")
        assert why in found


# --- durability and the cloud


def test_volatile_redis_is_refused_with_a_real_cloud() -> None:
    volatile = {"PRODACCESS_REDIS_DURABILITY": "Volatile"}
    assert "volatile is refused" in problems(volatile)[0]
    assert "volatile is refused" in problems({**volatile, "AWS_ENDPOINT_URL": "https://aws.example"})[0]
    assert good({**volatile, **SIMULATED}).redis_durability == "volatile"


@pytest.mark.parametrize(
    ("environ", "real"),
    [
        ({}, True),
        ({"AWS_ENDPOINT_URL": ""}, True),
        (SIMULATED, False),
        ({"AWS_ENDPOINT_URL": "http://localhost:5000"}, False),
        ({"AWS_ENDPOINT_URL": "http://[::1]:5000"}, False),
        ({"AWS_ENDPOINT_URL": "http://localhost.example.com"}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1.example.com"}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1@example.com"}, True),
        ({**SIMULATED, "AWS_ENDPOINT_URL_IAM": "https://iam.amazonaws.com"}, True),
        ({**SIMULATED, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}, True),
    ],
)
def test_a_cloud_counts_as_simulated_only_when_no_call_can_leave(environ: dict[str, str], real: bool) -> None:
    assert aws_is_real(environ) is real
    assert good(environ).aws_is_real is real


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "the secret key",
    "AWS_SESSION_TOKEN": "the session token",
    "AWS_PROFILE": "p",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/t",
    "AWS_ROLE_ARN": "arn",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/",
}


def test_credentials_are_taken_away_and_nothing_else() -> None:
    rest = {"AWS_REGION": "eu-west-1", "PATH": "/bin", **SIMULATED}
    environ = {**CREDENTIALS, **rest}
    assert set(scrub_cloud_credentials(environ)) == CREDENTIALS.keys()
    assert rest.items() <= environ.items()
    assert not CREDENTIALS.keys() & environ.keys()


def test_an_sdk_finds_no_credentials_after_the_scrub(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[default]\naws_access_key_id=a\naws_secret_access_key=b\n")
    look = "import botocore.session as s; print(s.get_session().get_credentials())"
    environ = {"HOME": str(tmp_path), **CREDENTIALS}
    scrub_cloud_credentials(environ)
    done = subprocess.run([sys.executable, "-c", look], env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_cloud_secrets_are_known_to_the_log() -> None:
    assert cloud_secrets(CREDENTIALS) == ("the secret key", "the session token")


# --- .env


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a comment\nA=file\nexport B='b c'\nC=p$A${A}#x\nEMPTY=\nNOTHING\n\n")
    found = with_env_file({"A": "environment"}, tmp_path / ".env")
    assert found == {"A": "environment", "B": "b c", "C": "p$A${A}#x", "EMPTY": ""}


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert with_env_file({"A": "1"}, tmp_path / ".env") == {"A": "1"}


def test_a_broken_file_is_told_by_line_and_not_by_content(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n'half a hunter2\n")
    assert with_env_file({}, tmp_path / ".env") == (f"{tmp_path}/.env:2: this is not NAME=value.",)


def test_the_example_names_every_variable_and_is_right_as_it_stands() -> None:
    example = Path(__file__).resolve().parents[3] / ".env.example"
    found = with_env_file({}, example)
    assert isinstance(found, dict)
    assert set(found) == {variable(field) for field in Settings.model_fields if field != "aws_is_real"}
    assert good(found) == good({})
