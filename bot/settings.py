"""The only reader of the environment: variables, the files that `NAME_FILE` names, and `.env` for `prodaccess up`.

What is wrong comes back as sentences, all at once, and never repeats a value, because the value may be a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, MutableMapping, Set
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.cloud_credentials import aws_is_real, is_loopback, may_be_this_machine

Process = Literal["web", "worker", "clock"]
Durability = Literal["verify", "declared", "volatile"]
Policy = Literal["watch", "manual"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "console"]

PROCESSES: tuple[Process, ...] = get_args(Process)

SECRETS = (
    "slack_bot_token",
    "slack_signing_secret",
    "slack_app_token",
    "redis_url",
    "teams_webhook_url",
    "teams_app_password",
)
"""Fields that `NAME_FILE` may give, too, and that no log line may show."""

SECRET_FILE_CHARS_MAX = 65_536

_PREFIXED = frozenset(
    {"command", "redis_durability", "config", "policy", "data", "audit_key", "audit_bucket", "host", "ops_port"}
)
_SLACK_APP = ("slack_bot_token", "slack_app_token", "slack_signing_secret")
_TEAMS_APP = ("teams_app_id", "teams_app_password", "teams_tenant_id")
# Where Microsoft's keys, tokens and answers come from: whoever answers there can speak for anybody.
_MICROSOFT = ("teams_openid_url", "teams_login_url", "teams_service_url", "graph_api_url")


def _checked(check: Callable[[str], str | int | tuple[str, ...]]) -> BeforeValidator:
    """Checks text only: what is not text was made by our own code."""
    return BeforeValidator(lambda value: check(value) if isinstance(value, str) else value)


def _matching(pattern: str, problem: str) -> BeforeValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(problem)
        return value

    return _checked(check)


def _one_of(*words: str) -> BeforeValidator:
    def check(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value.lower()

    return _checked(check)


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65_535:
        raise ValueError("must be a number from 1 to 65535, or 0 for a free port")
    return int(value)


def _redis_url(value: str) -> str:
    # A password may hold anything, so only the end of the authority says whether several servers are named.
    if value.startswith(("redis+cluster://", "rediss+cluster://")) or "," in value.rpartition("@")[2]:
        raise ValueError("names a cluster or several servers, which is not supported: give one redis:// address")
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
        # The client takes database 0 for a path that it cannot read.
        usable = usable and bool(re.fullmatch(r"/?|/[0-9]+", parts.path)) and not re.search(r"\s", value)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must look like redis://HOST:PORT/0 or rediss://USER:PASSWORD@HOST:PORT/0")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value))):
        raise ValueError("must be an https:// address (http:// only on this machine), because secrets travel on it")
    return value


def _slack_api_url(value: str) -> str:
    return _web_address(value).rstrip("/") + "/"


def _bare_address(value: str) -> str:
    """A web address with nothing but a host and a path, without the last slash."""
    _web_address(value)
    if re.search(r"[^\x21-\x7e]|[\\@?#]", value):
        raise ValueError("must be an address alone: without a user name, a question mark or a number sign")
    return value.rstrip("/")


def _service_addresses(value: str) -> tuple[str, ...]:
    """Each ends with one slash, so that what begins with it goes on at a folder's edge."""
    found = tuple(f"{_bare_address(each.strip())}/" for each in value.split(","))
    return tuple(dict.fromkeys(found))


def _guid(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ValueError("must be a GUID: 8, 4, 4, 4 and 12 of 0-9 and a-f, with hyphens between them")
    return value.lower()


def _audit_key(value: str) -> str:
    if "-----BEGIN" in value:
        raise ValueError("is the path of a PEM file or awskms:ARN, never the key itself")
    if value.startswith("awskms:") and not re.fullmatch(r"awskms:arn:aws[a-z-]*:kms:[^:\s]+:[0-9]{12}:\S+", value):
        raise ValueError("must be awskms: followed by the key's whole ARN")
    return value


_BOT_TOKEN = _matching(r"xoxb-[\x21-\x7e]+", "must start with xoxb-: the bot token of the app's OAuth page")
_APP_TOKEN = _matching(r"xapp-[\x21-\x7e]+", "must start with xapp-: an app-level token, for Socket Mode")
_WORD = _matching(r"[\x21-\x7e]+", "must be one word without blanks")
_COMMAND = _matching(r"/[a-z0-9_-]{1,31}", "must be a slash and 1 to 31 of a-z, 0-9, _ and -, such as /prodaccess")
_BUCKET = _matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "must be the name of an S3 bucket")


class Settings(BaseSettings):
    """What a process was told. Frozen; secrets print as stars. `load_settings` makes it."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: Annotated[SecretStr | None, _BOT_TOKEN] = None
    slack_signing_secret: Annotated[SecretStr | None, _WORD] = None
    slack_app_token: Annotated[SecretStr | None, _APP_TOKEN] = None
    slack_api_url: Annotated[str, _checked(_slack_api_url)] = "https://slack.com/api/"
    command: Annotated[str, _COMMAND] = "/prodaccess"
    redis_url: Annotated[SecretStr | None, _checked(_redis_url)] = None
    redis_durability: Annotated[Durability, _one_of(*get_args(Durability))] = "verify"
    config: Path = Path("config")
    policy: Annotated[Policy, _one_of(*get_args(Policy))] = "watch"
    data: Path = Path("data")
    audit_key: Annotated[str | None, _checked(_audit_key)] = None
    audit_bucket: Annotated[str | None, _BUCKET] = None
    teams_webhook_url: Annotated[SecretStr | None, _checked(_web_address)] = None
    teams_app_id: Annotated[str | None, _checked(_guid)] = None
    teams_app_password: Annotated[SecretStr | None, _WORD] = None
    teams_tenant_id: Annotated[str | None, _checked(_guid)] = None
    # Microsoft's own. National clouds have others; tests have stand-ins on this machine.
    teams_openid_url: Annotated[str, _checked(_bare_address)] = (
        "https://login.botframework.com/v1/.well-known/openidconfiguration"
    )
    teams_login_url: Annotated[str, _checked(_bare_address)] = "https://login.microsoftonline.com"
    teams_service_url: Annotated[tuple[str, ...], _checked(_service_addresses)] = ("https://smba.trafficmanager.net/",)
    graph_api_url: Annotated[str, _checked(_bare_address)] = "https://graph.microsoft.com/v1.0"
    # Accounts in Europe have another: https://api.eu.pagerduty.com.
    pagerduty_api_url: Annotated[str, _checked(_web_address)] = "https://api.pagerduty.com"
    port: Annotated[int, _checked(_port)] = 3000
    # Of /metrics and /readyz, where PORT is for everybody. None: they are on PORT.
    ops_port: Annotated[int | None, _checked(_port)] = None
    # A container or a platform reaches it from outside; Slack's requests are signed. HOST itself is the shells' name.
    host: Annotated[str, _WORD] = "0.0.0.0"  # noqa: S104 - meant
    log_level: Annotated[LogLevel, _one_of(*get_args(LogLevel))] = "info"
    log_format: Annotated[LogFormat, _one_of(*get_args(LogFormat))] = "json"
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
        return all(getattr(self, field) is not None for field in _TEAMS_APP)

    def unusual_addresses(self) -> tuple[str, ...]:
        """The variables that name other addresses than Microsoft's usual ones; nothing where Teams is off."""
        fields = type(self).model_fields if self.teams_is_on else {}
        return tuple(
            variable(each) for each in _MICROSOFT if each in fields and getattr(self, each) != fields[each].default
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
    absent = () if {"redis_url"} & (values[0].keys() | values[1].keys()) else (_not_set("redis_url", command),)
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


def variable(field: str) -> str:
    """`redis_durability` -> `PRODACCESS_REDIS_DURABILITY`."""
    return f"PRODACCESS_{field}".upper() if field in _PREFIXED else field.upper()


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
    sentences = [*problems.values(), *_misspelt(environ), *_contradictions(values, aws_is_real=real)]
    if process is not None:
        sentences += _missing(values.keys() | problems.keys(), process)
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


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """A slip in our own names would leave a default in force that nobody asked for. Other programs' names are theirs."""
    known = {variable(field).removeprefix("PRODACCESS_") for field in _PREFIXED}
    found = []
    for name in sorted(environ):
        rest = name.removeprefix("PRODACCESS_")
        if rest != name and rest not in known and (near := get_close_matches(rest, known, n=1, cutoff=0.75)):
            found.append(f"{name} is not a variable: did you mean PRODACCESS_{near[0]}?")
    return found


def _contradictions(values: Mapping[str, str], *, aws_is_real: bool) -> list[str]:
    found = []
    if values.get("redis_durability", "").lower() == "volatile" and aws_is_real:
        found.append(
            "PRODACCESS_REDIS_DURABILITY=volatile is refused with a real AWS endpoint, because access could outlive "
            "the record of it: make Redis durable, or point AWS_ENDPOINT_URL at a simulator on this machine."
        )
    near = [variable(field) for field in _MICROSOFT if any(map(may_be_this_machine, values.get(field, "").split(",")))]
    if near and aws_is_real:
        found.append(
            f"{' and '.join(near)} on this machine {'is' if len(near) == 1 else 'are'} refused with a real AWS endpoint, "
            "because whatever answers there can speak for anybody: leave Microsoft's addresses, or point "
            "AWS_ENDPOINT_URL at a simulator on this machine."
        )
    # Of zeros nothing is left: each is given a free one.
    ops_port = values.get("ops_port", "").lstrip("0")
    if ops_port and ops_port == values.get("port", "3000").lstrip("0"):
        found.append("PRODACCESS_OPS_PORT is the same as PORT: choose another, or leave it empty for one port.")
    absent = [variable(field) for field in _TEAMS_APP if field not in values]
    if 0 < len(absent) < len(_TEAMS_APP):
        found.append(f"Two-way Teams also needs {' and '.join(absent)}: set all three, or none.")
    return found


def _not_set(field: str, who: str) -> str:
    return f"{variable(field)} is not set; {who} needs it."


def _missing(present: Set[str], process: Process) -> list[str]:
    needed = ("redis_url",) if process == "clock" else (*_needed_of_slack(present), "redis_url")
    found = [_not_set(field, process) for field in needed if field not in present]
    if process != "clock" and not present & {*_SLACK_APP, *_TEAMS_APP}:
        return [*found, _NO_CHAT]
    if process == "web" and present & {*_SLACK_APP} and not present & {"slack_app_token", "slack_signing_secret"}:
        found.append("Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set; web needs one.")
    return found


def _needed_of_slack(present: Set[str]) -> tuple[str, ...]:
    """Whoever sets anything of Slack wants it."""
    return ("slack_bot_token",) if present & {*_SLACK_APP} else ()


_NO_CHAT = (
    "No chat is set: for Slack set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET), for Teams TEAMS_APP_ID, "
    "TEAMS_APP_PASSWORD and TEAMS_TENANT_ID, or both."
)
