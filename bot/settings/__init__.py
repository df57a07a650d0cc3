"""The only reader of the environment: variables, the files that `NAME_FILE` names, and `.env` for `prodaccess up`.

What is wrong comes back as sentences, all at once, and never repeats a value, because the value may be a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.cloud_credentials import aws_is_real
from bot.settings.env_file import with_env_file
from bot.settings.names import (
    MICROSOFT,
    PATHS,
    PROCESSES,
    SECRETS,
    TEAMS_APP,
    Process,
    variable,
    without_workers_keys,
)
from bot.settings.problems import contradictions, missing, misspelt, not_for, not_set
from bot.settings.secret import Secret
from bot.settings.secret_files import SECRET_FILE_CHARS_MAX, Check, SecretFile, Unusable, read_values
from bot.settings.secrets import Secrets, named_values, same_server, values_of
from bot.settings.values import (
    APP_ID,
    APP_TOKEN,
    ARCHIVE,
    AUDIT_KEY,
    BARE_ADDRESS,
    BOT_TOKEN,
    COMMAND,
    GUID,
    KEY_FILE,
    PORT,
    REDIS_URL,
    RETENTION,
    SERVICE_ADDRESSES,
    SIGNING_SECRET,
    SLACK_API_URL,
    WEB_ADDRESS,
    WEBHOOK_SECRET,
    WORD,
    one_of,
)

__all__ = [
    "PROCESSES",
    "SECRETS",
    "SECRET_FILE_CHARS_MAX",
    "Process",
    "Secret",
    "Settings",
    "commands_secret",
    "for_command",
    "for_process",
    "for_sealing_worker",
    "load_settings",
    "named_secret",
    "process_environ",
    "variable",
    "with_env_file",
    "without_workers_keys",
]

Durability = Literal["verify", "declared", "volatile"]
Policy = Literal["watch", "manual"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "console"]


class Settings(BaseSettings):
    """What a process was told. Frozen; secrets print as stars. `load_settings` makes it.

    A secret's field is its newest value at start: whether it is set, and of which form. What is used is `secrets`, which
    follows the file.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: Annotated[SecretStr | None, BOT_TOKEN] = None
    slack_signing_secret: Annotated[SecretStr | None, SIGNING_SECRET] = None
    slack_app_token: Annotated[SecretStr | None, APP_TOKEN] = None
    slack_api_url: Annotated[str, SLACK_API_URL] = "https://slack.com/api/"
    command: Annotated[str, COMMAND] = "/prodaccess"
    redis_url: Annotated[SecretStr | None, REDIS_URL] = None
    redis_durability: Annotated[Durability, one_of(*get_args(Durability))] = "verify"
    config: Path = Path("config")
    policy: Annotated[Policy, one_of(*get_args(Policy))] = "watch"
    data: Path = Path("data")
    audit_key: Annotated[str | None, AUDIT_KEY] = None
    # A bucket, or a folder.
    audit_bucket: Annotated[str | None, ARCHIVE] = None
    # None: as the bucket says.
    audit_retention: Annotated[timedelta | None, RETENTION] = None
    teams_webhook_url: Annotated[SecretStr | None, WEB_ADDRESS] = None
    teams_app_id: Annotated[str | None, GUID] = None
    teams_app_password: Annotated[SecretStr | None, WORD] = None
    teams_tenant_id: Annotated[str | None, GUID] = None
    # Microsoft's own. National clouds have others; tests have stand-ins on this machine.
    teams_openid_url: Annotated[str, BARE_ADDRESS] = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    teams_login_url: Annotated[str, BARE_ADDRESS] = "https://login.microsoftonline.com"
    teams_service_url: Annotated[tuple[str, ...], SERVICE_ADDRESSES] = ("https://smba.trafficmanager.net/",)
    graph_api_url: Annotated[str, BARE_ADDRESS] = "https://graph.microsoft.com/v1.0"
    # Accounts in Europe have another: https://api.eu.pagerduty.com.
    pagerduty_api_url: Annotated[str, WEB_ADDRESS] = "https://api.pagerduty.com"
    # Of the App by whose protection rule GitHub holds deployments back; its key is a file of its own.
    github_webhook_secret: Annotated[SecretStr | None, WEBHOOK_SECRET] = None
    github_app_id: Annotated[str | None, APP_ID] = None
    github_app_key: Annotated[str | None, KEY_FILE] = None
    github_api_url: Annotated[str, BARE_ADDRESS] = "https://api.github.com"
    # Of the user whose approval a protected environment of GitLab waits for.
    gitlab_token: Annotated[SecretStr | None, WORD] = None
    gitlab_api_url: Annotated[str, BARE_ADDRESS] = "https://gitlab.com/api/v4"
    port: Annotated[int, PORT] = 3000
    # Where pipelines reach web, which is whom their tokens are for.
    url: Annotated[str | None, BARE_ADDRESS] = None
    # Of /metrics and /readyz, where PORT is for everybody. None: they are on PORT.
    ops_port: Annotated[int | None, PORT] = None
    # A container or a platform reaches it from outside; Slack's requests are signed. HOST itself is the shells' name.
    host: Annotated[str, WORD] = "0.0.0.0"  # noqa: S104 - meant
    log_level: Annotated[LogLevel, one_of(*get_args(LogLevel))] = "info"
    log_format: Annotated[LogFormat, one_of(*get_args(LogFormat))] = "json"
    aws_is_real: bool = True
    """Whether calls to AWS leave this machine; not a variable, but found from `AWS_ENDPOINT_URL`."""
    _secrets: Secrets | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # called with keywords; the others are not wanted
        cls, _: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_others: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: a `Settings()` somewhere in the code must not read the environment by itself."""
        return (init_settings,)

    @property
    def slack_is_on(self) -> bool:
        return self.slack_bot_token is not None

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @property
    def slack_over_http(self) -> bool:
        """Each request with a signature, which this process can prove."""
        return self.slack_is_on and not self.socket_mode and self.slack_signing_secret is not None

    @property
    def teams_is_on(self) -> bool:
        """Two-way: a webhook alone is none."""
        return all(getattr(self, field) is not None for field in TEAMS_APP)

    def unusual_addresses(self) -> tuple[str, ...]:
        """The variables that name other addresses than Microsoft's usual ones; nothing where Teams is off."""
        fields = type(self).model_fields if self.teams_is_on else {}
        return tuple(
            variable(each) for each in MICROSOFT if each in fields and getattr(self, each) != fields[each].default
        )

    @property
    def secrets(self) -> Secrets:
        """What each secret is now. Without files where the settings were made by hand."""
        if self._secrets is None:
            given = {field: held for field in SECRETS if (held := getattr(self, field)) is not None}
            held = {field: Secret(variable(field), (value.get_secret_value(),)) for field, value in given.items()}
            self._secrets = Secrets(held, {}, process_environ())
        return self._secrets

    def secret_values(self) -> tuple[str, ...]:
        """Every secret in plain text, and the Redis password alone, for the log to look for. Show them to nobody."""
        return self.secrets.values()

    def _follow(self, secrets: Secrets) -> Settings:
        self._secrets = secrets
        return self


_FIELDS = tuple(field for field in Settings.model_fields if field != "aws_is_real")


def process_environ() -> MutableMapping[str, str]:
    """The environment of this process; changes reach its children."""
    return os.environ  # noqa: TID251 - its one home


def load_settings(environ: Mapping[str, str] | None = None) -> Settings | tuple[str, ...]:
    """The settings, or every problem as a sentence. Asks for nothing: `for_process` knows who needs what."""
    return _load(process_environ() if environ is None else environ, None)


def for_process(process: Process, environ: Mapping[str, str] | None = None) -> Settings | tuple[str, ...]:
    """The settings of one process, or every problem as a sentence, with what this process cannot start without."""
    return _load(process_environ() if environ is None else environ, process)


def for_command(command: str, environ: Mapping[str, str] | None = None) -> Settings | tuple[str, ...]:
    """The settings of a command that looks into the ledger (`report`), or every problem as a sentence."""
    given = process_environ() if environ is None else environ
    found, values = _load(given, None), _values(given)
    absent = () if {"redis_url"} & (values[0].keys() | values[1].keys()) else (not_set("redis_url", command),)
    return (*found, *absent) if isinstance(found, tuple) else absent or found


def for_sealing_worker(environ: Mapping[str, str] | None = None) -> Settings | tuple[str, ...]:
    """The settings of a worker that only seals the audit log: it needs no chat."""
    given = process_environ() if environ is None else environ
    found, values = _load(given, None), _values(given)
    there = values[0].keys() | values[1].keys()
    absent = tuple(not_set(field, "worker --queue seal") for field in ("redis_url", "audit_key") if field not in there)
    return (*found, *absent) if isinstance(found, tuple) else absent or found


def named_secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The newest value of the secret that the policy calls `{env: NAME}`, from NAME or the file that NAME_FILE names; None where
    it is not there. Read each time. What runs for long asks `Settings.secrets`, which knows what was refused.
    """
    found = named_values(name, process_environ() if environ is None else environ)
    return found[0] if found else None


def commands_secret(name: str, environ: Mapping[str, str]) -> str | None:
    """The newest value of a secret that a command takes by its own name, one of ours among them. Never for a name in a policy."""
    found = values_of(name, environ)
    return found[0] if found else None


def _load(environ: Mapping[str, str], process: Process | None) -> Settings | tuple[str, ...]:
    files: _Files = {}
    values, problems = _values(environ, files)
    real = aws_is_real(environ)
    sentences = [*problems.values(), *misspelt(environ), *contradictions(values, aws_is_real=real)]
    if process is not None:
        sentences += [*missing(values.keys() | problems.keys(), process), *not_for(values, process)]
    try:
        settings = Settings.model_validate({**values, "aws_is_real": real})
    except ValidationError as error:
        sentences += _said(error)
        return tuple(sentences)
    sentences += [sentence for field, (_, held) in files.items() if (sentence := _wrong_line(field, held))]
    return tuple(sentences) or settings._follow(_secrets(values, files, environ))


# Of each field that a file gives: which, and its values.
_Files = dict[str, tuple[Path, tuple[str, ...]]]


def _secrets(values: Mapping[str, str], files: _Files, environ: Mapping[str, str]) -> Secrets:
    held: dict[str, tuple[str, ...]] = {field: (values[field],) for field in SECRETS if field in values}
    held |= {field: lines for field, (_, lines) in files.items()}
    secrets = {field: Secret(variable(field), each, from_file=field in files) for field, each in held.items()}
    watched = {field: SecretFile(path, lines, _check_of(field, lines[0])) for field, (path, lines) in files.items()}
    return Secrets(secrets, watched, environ)


def _check_of(field: str, first: str) -> Check:
    """What is wrong with a file's new values, as the end of a sentence."""

    def check(values: Sequence[str]) -> str | None:
        if _wrong_line(field, values):
            return "holds a line that is none of its values"
        return same_server(first)(values) if field == "redis_url" else None

    return check


def _wrong_line(field: str, values: Sequence[str]) -> str:
    """A sentence about the first line that cannot be a value of this field; empty where each can."""
    for number, value in enumerate(values, 1):
        try:
            Settings.model_validate({field: value})
        except ValidationError as error:
            return f"{_said(error)[0].removesuffix('.')} (line {number} of its file)."
    if field == "redis_url" and same_server(values[0])(values):
        return "REDIS_URL_FILE holds lines that name several servers: keep one server, with a password a line."
    return ""


def _said(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_input=False)
    return [f"{variable(str(each['loc'][0]))} {each['msg'].removeprefix('Value error, ')}." for each in found]


def _values(environ: Mapping[str, str], files: _Files | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """Values and problems, by field. An empty variable counts as not set, as compose files leave them."""
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in _FIELDS:
        name = variable(field)
        plain, file = environ.get(name), environ.get(f"{name}_FILE") if field in (*SECRETS, *PATHS) else None
        if plain and file:
            problems[field] = f"{name} and {name}_FILE are both set: keep one."
        elif plain:
            values[field] = plain
        elif file and field in PATHS:
            values[field] = file
        elif file:
            try:
                found = read_values(Path(file))
            except Unusable as problem:
                problems[field] = f"{name}_FILE names {file}, which {problem}."
            else:
                values[field] = found[0]
                if files is not None:
                    files[field] = (Path(file), found)
    return values, problems
