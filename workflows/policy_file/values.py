"""The kinds of value that stand in the files, each with the sentence for what is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from workflows.core.durations import LONGEST, format_duration, parse_duration
from workflows.core.policy import OWNERS, REQUESTERS
from workflows.policy_file.pattern import pattern_problem
from workflows.policy_file.problem import nearest, quote
from workflows.policy_file.yaml_reader import Odd

# The type under which our own sentences travel through pydantic.
OURS = "policy"

# Words that `/prodaccess` reads as a verb or as part of one; an environment of that name could not be asked for.
VERBS = frozenset(
    [
        "request",
        "break-glass",
        "breakglass",
        "approve",
        "certify",
        "deny",
        "decline",
        "withdraw",
        "show",
        "end",
        "revoke",
        "revoke-all",
        "extend",
        "less",
        "list",
        "mine",
        "pending",
        "envs",
        "who",
        "history",
        "help",
        "explain",
        "again",
        "delegate",
        "at",
        "digest",
        "person",
        "env",
        "for",
        "review",
        "acknowledge",
        "flag",
        "lift",
        "confirm",
        "return",
        "status",
        "form",
        "home",
    ]
)

# The variables of the bot's own secrets.
OUR_SECRETS = frozenset(
    {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "REDIS_URL",
        "TEAMS_WEBHOOK_URL",
        "TEAMS_APP_PASSWORD",
        "GITHUB_WEBHOOK_SECRET",
        "GITLAB_TOKEN",
    }
)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAME_HELP = "names have small letters, digits and dashes, begin with a letter or digit, and have at most 63 characters"
_TEXT_MAX = 500
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def fault(message: str, suggestion: str = "") -> PydanticCustomError:
    """A sentence of ours, to be raised by a validator."""
    return PydanticCustomError(OURS, "{words}", {"words": message, "suggestion": suggestion})


def check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise fault(f"{quote(value)} cannot be a name", _NAME_HELP)
    if parse_duration(value) is not None:
        raise fault(f"{quote(value)} cannot be a name, because it reads like a duration", "take another name")
    return value


def check_group_name(value: str) -> str:
    if value in (OWNERS, REQUESTERS):
        raise fault(
            f"{quote(value)} cannot be a group's name, because the word stands for the environment's own", "rename it"
        )
    return check_name(value)


def check_environment_name(value: str) -> str:
    if value in VERBS:
        raise fault(f"{quote(value)} cannot be an environment's name, because it is a command", "take another name")
    return check_name(value)


def _text(value: str) -> str:
    if not value.strip():
        raise fault("the text is empty", "fill it in, or take the key out")
    if len(value) > _TEXT_MAX:
        raise fault(f"the text has {len(value)} characters", f"at most {_TEXT_MAX} are shown")
    return value.strip()


def _matching(pattern: str, what: str, help_: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise fault(f"{quote(value)} is not {what}", help_)
        return value

    return check


def shape(pattern: str, what: str, help_: str) -> Any:
    """A text type of one shape, for pydantic and for editors."""
    schema: dict[str, Any] = {"type": "string", "pattern": f"^(?:{pattern})$"}
    return Annotated[str, AfterValidator(_matching(pattern, what, help_)), WithJsonSchema(schema)]


def _duration(value: object) -> timedelta:
    if isinstance(value, bool | list | dict) or value is None:
        raise fault("is not a duration", "write it like 45s, 30m, 1h30m or 2d")
    if isinstance(value, int):
        raise fault(f"{value} has no unit", f"write {value}m for minutes, {value}h for hours")
    if isinstance(value, Odd):
        raise fault(f"YAML reads {quote(value.text)} as a number", "write a duration like 45s, 30m, 1h30m or 2d")
    found = parse_duration(str(value))
    if found is None:
        raise fault(f"{quote(value)} is not a duration", "write it like 45s, 30m, 1h30m or 2d")
    if not timedelta() < found < LONGEST:
        raise fault(
            f"{quote(value)} cannot be",
            f"durations are longer than nothing and shorter than {format_duration(LONGEST)}",
        )
    return found


def _instant(value: object) -> datetime:
    words = value if isinstance(value, str) else ""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        raise fault(
            f"{quote(words)} is not a time" if words else "is not a time", "write it like 2027-01-03T00:00:00Z"
        ) from None
    if found.tzinfo is None:
        raise fault(
            f"{quote(words)} does not say of which time zone it is", "write it like 2027-01-03T00:00:00Z or ...+01:00"
        )
    return found


def _clock_time(value: object) -> time:
    if isinstance(value, Odd):
        raise fault(f"YAML reads {quote(value.text)} as a number", f'put it in quotes: "{value.text}"')
    if not isinstance(value, str) or not re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise fault("is not a time of day", 'write it with quotes, like "08:30"')
    return time.fromisoformat(value)


def days_of(words: Iterable[str]) -> frozenset[int]:
    """Days of the week, 0 is Monday, from words like `mon` and `fri-sun`."""
    found: set[int] = set()
    for word in words:
        first, _, last = word.lower().partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise fault(
                f"{quote(word)} is not a day", "write mon, tue, wed, thu, fri, sat, sun, or a span like mon-fri"
            )
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(found)


def _days(value: tuple[str, ...]) -> tuple[str, ...]:
    days_of(value)
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise fault(
            f"no time zone {quote(value)}", nearest(value, available_timezones()) or "write it like Europe/Berlin"
        ) from None
    return value


def _schedule(value: str) -> str:
    help_ = 'write five fields in quotes, like "0 9 * * 1-5" for weekdays at nine'
    if len(value.split()) != 5:
        raise fault(f"{quote(value)} is not a schedule", help_)
    try:
        croniter(value, datetime(2026, 1, 1, tzinfo=UTC)).get_next(datetime)
    except CroniterBadDateError:
        raise fault(f"{quote(value)} never comes", help_) from None
    except (ValueError, KeyError, TypeError, IndexError, OverflowError):
        raise fault(f"{quote(value)} is not a schedule", help_) from None
    return value


def _pattern(value: str) -> str:
    if problem := pattern_problem(value):
        raise fault(f"the pattern {quote(value)} {problem[0]}", problem[1])
    return value


def _https(value: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][^\s<>|]*)?", value):
        raise fault(f"{quote(value)} is not an https address", "write it like https://example.com/path")
    return value


def _people_address(value: str) -> str:
    """Plain HTTP reaches this machine alone: a helper that runs beside the worker, say."""
    return value if re.fullmatch(r"http://127\.0\.0\.1(?::[0-9]+)?(?:[/?#][^\s<>|]*)?", value) else _https(value)


def _ticket_link(value: str) -> str:
    if "{ticket}" not in value:
        raise fault("the link has no place for the ticket", "write {ticket} where it stands")
    _https(value.replace("{ticket}", "0"))
    return value


def _ticket_address(value: str) -> str:
    """Who types a ticket says nothing of the host that is asked, which gets the token."""
    host = re.match(r"[a-z]+://([^/?#]*)", value)
    if "{ticket}" not in value or (host and "{" in host[1]):
        raise fault(
            "the address has no place for the ticket", "write {ticket} in its path, or behind its question mark"
        )
    _people_address(value.replace("{ticket}", "0"))
    return value


def _string(schema: Mapping[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **schema})


_NAME_SCHEMA = _string({"pattern": "^[a-z0-9][a-z0-9-]{0,62}$"})
_DURATION_SCHEMA = _string(
    {
        "pattern": r"^(?:[0-9]{1,6}\s*[A-Za-z]+\s*)+$",
        "examples": ["45s", "30m", "1h30m", "2d"],
        "description": "a duration",
    }
)

Name = Annotated[str, AfterValidator(check_name), _NAME_SCHEMA]
GroupName = Annotated[str, AfterValidator(check_group_name), _NAME_SCHEMA]
EnvironmentName = Annotated[str, AfterValidator(check_environment_name), _NAME_SCHEMA]
Text = Annotated[str, AfterValidator(_text), _string({"minLength": 1, "maxLength": _TEXT_MAX})]
Duration = Annotated[timedelta, BeforeValidator(_duration), _DURATION_SCHEMA]
Instant = Annotated[datetime, BeforeValidator(_instant), _string({"format": "date-time"})]
ClockTime = Annotated[time, BeforeValidator(_clock_time), _string({"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})]
Pattern = Annotated[str, AfterValidator(_pattern), _string({"format": "regex"})]
Https = Annotated[str, AfterValidator(_https), _string({"pattern": "^https://"})]
PeopleAddress = Annotated[
    str, AfterValidator(_people_address), _string({"pattern": r"^(https://|http://127\.0\.0\.1[:/])"})
]
TicketAddress = Annotated[
    str,
    AfterValidator(_ticket_address),
    _string({"pattern": r"^(https://|http://127\.0\.0\.1[:/])[^{]*[/?].*\{ticket\}"}),
]
TicketLink = Annotated[str, AfterValidator(_ticket_link), _string({"pattern": r"^https://.*\{ticket\}"})]
Days = Annotated[tuple[str, ...], Field(strict=False, min_length=1), AfterValidator(_days)]
TimeZone = Annotated[str, AfterValidator(_timezone), _string({})]
Schedule = Annotated[str, AfterValidator(_schedule), _string({})]
Count = Annotated[int, Field(ge=1, le=20)]

Account = shape("[0-9]{12}", "an account number", 'it has 12 digits and stands in quotes, like "012345678901"')
# What `core.identity.address_of` takes: letters of other alphabets look like ours, and are refused.
Address = shape(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "an e-mail address",
    "write it like dana@example.com",
)
Domain = shape(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", "an e-mail domain", "write it in small letters, like example.com")
Workspace = shape(
    "T[A-Z0-9]+", "a workspace's id", "take it from the workspace's address in a browser: app.slack.com/client/T..."
)
UserGroup = shape(
    "S[A-Z0-9]+", "a Slack user group's id", "take the id from the group's menu in Slack; it begins with S"
)
EntraGroup = shape(
    "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "an Entra group's object id",
    "take it from the group's overview in the Entra admin center; it looks like 01234567-89ab-cdef-0123-456789abcdef",
)
TeamsConversation = shape(
    "19:[A-Za-z0-9_.-]+@[a-z0-9.]+",
    "the id of a conversation in Teams",
    'take it from the channel\'s link in Teams; it stands in quotes, like "19:...@thread.tacv2"',
)
ChatUser = shape(
    "[UWB][A-Z0-9]+", "a Slack user's id", "take the member id from the profile in Slack; it begins with U or W"
)
Variable = shape("[A-Z][A-Z0-9_]*", "the name of an environment variable", "write it in capitals, like PAGERDUTY_TOKEN")
TemplatePath = shape(
    r"policies/[A-Za-z0-9._-]+\.json", "a template", "templates are policies/NAME.json in the policy folder"
)
ForgeNumber = shape("[1-9][0-9]{0,18}", "a numeric id", 'it has digits alone and stands in quotes, like "1296269"')
GitRef = shape(
    "refs/(?:heads|tags)/[^\\s~^:?*\\[\\\\]{1,200}",
    "a whole ref",
    "write it like refs/heads/main; it is compared exactly",
)
