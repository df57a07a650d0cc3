"""What is wrong with variables that are all right each by itself: as sentences, which repeat no value."""

from __future__ import annotations

from collections.abc import Mapping, Set
from difflib import get_close_matches

from bot.cloud_credentials import may_be_this_machine
from bot.settings.names import GITHUB_APP, MICROSOFT, PATHS, PREFIXED, SLACK_APP, TEAMS_APP, Process, variable


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A slip in our own names would leave a default in force that nobody asked for. Other programs' names are theirs."""
    known = {variable(field).removeprefix("PRODACCESS_") for field in PREFIXED}
    known |= {f"{variable(field).removeprefix('PRODACCESS_')}_FILE" for field in PATHS}
    found = []
    for name in sorted(environ):
        rest = name.removeprefix("PRODACCESS_")
        if rest != name and rest not in known and (near := get_close_matches(rest, known, n=1, cutoff=0.75)):
            found.append(f"{name} is not a variable: did you mean PRODACCESS_{near[0]}?")
    return found


def contradictions(values: Mapping[str, str], *, aws_is_real: bool) -> list[str]:
    """Values that do not go together, or not with a real target. `values`: as they were given, by field."""
    found = []
    if values.get("redis_durability", "").lower() == "volatile" and aws_is_real:
        found.append(
            "PRODACCESS_REDIS_DURABILITY=volatile is refused with a real AWS endpoint, because access could outlive "
            "the record of it: make Redis durable, or point AWS_ENDPOINT_URL at a simulator on this machine."
        )
    near = [variable(field) for field in MICROSOFT if any(map(may_be_this_machine, values.get(field, "").split(",")))]
    if near and aws_is_real:
        found.append(
            f"{' and '.join(near)} on this machine {'is' if len(near) == 1 else 'are'} refused with a real AWS endpoint, "
            "because whatever answers there can speak for anybody: leave Microsoft's addresses, or point "
            "AWS_ENDPOINT_URL at a simulator on this machine."
        )
    found += [
        f"{variable(field)} on this machine is refused with a real AWS endpoint, because whatever answers there can say who "
        f"began a run: leave {name}'s address, or point AWS_ENDPOINT_URL at a simulator on this machine."
        for field, name in _FORGES.items()
        if may_be_this_machine(values.get(field, "")) and aws_is_real
    ]
    # Of zeros nothing is left: each is given a free one.
    ops_port = values.get("ops_port", "").lstrip("0")
    if ops_port and ops_port == values.get("port", "3000").lstrip("0"):
        found.append("PRODACCESS_OPS_PORT is the same as PORT: choose another, or leave it empty for one port.")
    absent = [variable(field) for field in TEAMS_APP if field not in values]
    if 0 < len(absent) < len(TEAMS_APP):
        found.append(f"Two-way Teams also needs {' and '.join(absent)}: set all three, or none.")
    return found


def not_set(field: str, who: str) -> str:
    return f"{variable(field)} is not set; {who} needs it."


def missing(present: Set[str], process: Process) -> list[str]:
    """What this process cannot start without. `present`: the fields that are set, rightly or not."""
    needed = ("redis_url",) if process == "clock" else (*_needed_of_slack(present), "redis_url")
    found = [not_set(field, process) for field in needed if field not in present]
    if process != "clock" and not present & {*SLACK_APP, *TEAMS_APP}:
        return [*found, _NO_CHAT]
    if process == "worker" and len(present & {*GITHUB_APP}) == 1:
        found += [not_set(field, "the app at GitHub") for field in GITHUB_APP if field not in present]
    if process == "web" and present & {*SLACK_APP} and not present & {"slack_app_token", "slack_signing_secret"}:
        found.append("Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set; web needs one.")
    return found


def not_for(values: Mapping[str, str], process: Process) -> list[str]:
    """What this process must not be given."""
    if process == "worker":
        return []
    return [
        f"{variable(field)} is set for {process}, which must not have it: whoever takes {process} over could {what}. "
        "Give it to workers alone."
        for field, what in _WORKERS.items()
        if field in values
    ]


def _needed_of_slack(present: Set[str]) -> tuple[str, ...]:
    """Whoever sets anything of Slack wants it."""
    return ("slack_bot_token",) if present & {*SLACK_APP} else ()


_WORKERS = {
    "audit_key": "sign what never happened",
    **dict.fromkeys(("github_app_key", "gitlab_token"), "let any pipeline on"),
}
_FORGES = {"github_api_url": "GitHub", "gitlab_api_url": "GitLab"}
_NO_CHAT = (
    "No chat is set: for Slack set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET), for Teams TEAMS_APP_ID, "
    "TEAMS_APP_PASSWORD and TEAMS_TENANT_ID, or both."
)
