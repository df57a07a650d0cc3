"""The only reader of the environment: variables, the files that `NAME_FILE` names, and `.env` for `prodaccess up`.

What is wrong comes back as sentences, all at once, and never repeats a value, because the value may be a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.cloud_credentials import aws_is_real
from bot.settings.names import MICROSOFT, PROCESSES, SECRETS, TEAMS_APP, Process, variable
from bot.settings.problems import contradictions, missing, misspelt, not_set
from bot.settings.values import (
    APP_TOKEN,
    AUDIT_KEY,
    BARE_ADDRESS,
    BOT_TOKEN,
    BUCKET,
    COMMAND,
    GUID,
    PORT,
    REDIS_URL,
    SERVICE_ADDRESSES,
    SLACK_API_URL,
    WEB_ADDRESS,
    WORD,
    one_of,
)

__all__ = [
    "PROCESSES",
    "SECRETS",
    "SECRET_FILE_CHARS_MAX",
    "Process",
    "Settings",
    "for_command",
    "for_process",
    "load_settings",
    "named_secret",
    "process_environ",
    "variable",
    "with_env_file",
]

Durability = Literal["verify", "declared", "volatile"]
Policy = Literal["watch", "manual"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "console"]

SECRET_FILE_CHARS_MAX = 65_536


class Settings(BaseSettings):
    """What a process was told. Frozen; secrets print as stars. `load_settings` makes it."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: Annotated[SecretStr | None, BOT_TOKEN] = None
    slack_signing_secret: Annotated[SecretStr | None, WORD] = None
    slack_app_token: Annotated[SecretStr | None, APP_TOKEN] = None
    slack_api_url: Annotated[str, SLACK_API_URL] = "https://slack.com/api/"
    command: Annotated[str, COMMAND] = "/prodaccess"
    redis_url: Annotated[SecretStr | None, REDIS_URL] = None
    redis_durability: Annotated[Durability, one_of(*get_args(Durability))] = "verify"
    config: Path = Path("config")
    policy: Annotated[Policy, one_of(*get_args(Policy))] = "watch"
    data: Path = Path("data")
    audit_key: Annotated[str | None, AUDIT_KEY] = None
    audit_bucket: Annotated[str | None, BUCKET] = None
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
    port: Annotated[int, PORT] = 3000
    # Of /metrics and /readyz, where PORT is for everybody. None: they are on PORT.
    ops_port: Annotated[int | None, PORT] = None
    # A container or a platform reaches it from outside; Slack's requests are signed. HOST itself is the shells' name.
    host: Annotated[str, WORD] = "0.0.0.0"  # noqa: S104 - meant
    log_level: Annotated[LogLevel, one_of(*get_args(LogLevel))] = "info"
    log_format: Annotated[LogFormat, one_of(*get_args(LogFormat))] = "json"
    aws_is_real: bool = True
    """Whether calls to AWS leave this machine; not a variable, but found from `AWS_ENDPOINT_URL`."""

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
    def teams_is_on(self) -> bool:
        """Two-way: a webhook alone is none."""
        return all(getattr(self, field) is not None for field in TEAMS_APP)

    def unusual_addresses(self) -> tuple[str, ...]:
        """The variables that name other addresses than Microsoft's usual ones; nothing where Teams is off."""
        fields = type(self).model_fields if self.teams_is_on else {}
        return tuple(
            variable(each) for each in MICROSOFT if each in fields and getattr(self, each) != fields[each].default
        )

    def secret_values(self) -> tuple[str, ...]:
        """Every secret in plain text, and the Redis password alone, for the log to look for. Show them to nobody."""
        values = [held.get_secret_value() for name in SECRETS if (held := getattr(self, name)) is not None]
        password = urlsplit(self.redis_url.get_secret_value()).password if self.redis_url else None
        return (*values, password, unquote(password)) if password else tuple(values)


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


def named_secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret that the policy calls `{env: NAME}`, from NAME or the file that NAME_FILE names; None where it is not there.

    Read each time, so that a new token needs no restart. Our own secrets and the cloud's are no business of an address in
    the policy, whatever it calls them.
    """
    given = process_environ() if environ is None else environ
    ours = {variable(field) for field in SECRETS} | {f"{variable(field)}_FILE" for field in SECRETS}
    if name in ours or name.startswith("AWS_"):
        return None
    plain, file = given.get(name), given.get(f"{name}_FILE")
    if plain or not file:
        return plain or None
    try:
        with Path(file).open(encoding="utf-8") as opened:
            return opened.read(SECRET_FILE_CHARS_MAX).rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError):
        return None


def with_env_file(environ: Mapping[str, str], path: Path) -> dict[str, str] | tuple[str, ...]:
    """`environ`, and below it what the file says; a missing file says nothing. Values are literal, `$` too."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return dict(environ)
    except (OSError, UnicodeDecodeError) as error:
        return (f"{path} cannot be read: {_why(error)}.",)
    lines = list(parse_stream(StringIO(text)))
    wrong = tuple(f"{path}:{line.original.line}: this is not NAME=value." for line in lines if line.error)
    found = {line.key: line.value for line in lines if line.key is not None and line.value is not None}
    return wrong or {**found, **environ}


def _load(environ: Mapping[str, str], process: Process | None) -> Settings | tuple[str, ...]:
    values, problems = _values(environ)
    real = aws_is_real(environ)
    sentences = [*problems.values(), *misspelt(environ), *contradictions(values, aws_is_real=real)]
    if process is not None:
        sentences += missing(values.keys() | problems.keys(), process)
    try:
        settings = Settings.model_validate({**values, "aws_is_real": real})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        sentences += [f"{variable(str(each['loc'][0]))} {each['msg'].removeprefix('Value error, ')}." for each in found]
        return tuple(sentences)
    return tuple(sentences) or settings


def _values(environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Values and problems, by field. An empty variable counts as not set, as compose files leave them."""
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in _FIELDS:
        name = variable(field)
        plain, file = environ.get(name), environ.get(f"{name}_FILE") if field in SECRETS else None
        if plain and file:
            problems[field] = f"{name} and {name}_FILE are both set: keep one."
        elif plain:
            values[field] = plain
        elif file:
            _from_file(field, Path(file), values, problems)
    return values, problems


def _from_file(field: str, path: Path, values: dict[str, str], problems: dict[str, str]) -> None:
    name = f"{variable(field)}_FILE"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(SECRET_FILE_CHARS_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        problems[field] = f"{name} names {path}, which cannot be read: {_why(error)}."
        return
    if text:
        values[field] = text
    else:
        problems[field] = f"{name} names {path}, which is empty."


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "no reason given").lower() if isinstance(error, OSError) else "it is not UTF-8 text"
