"""GitHub and GitLab, where the policy has deployments wait for a gate: whether they are heard, believe us, and let us answer."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.doctor.context import Context, elsewhere
from bot.monotonic import monotonic_s
from workflows.core.finding import Finding, attention, broken, ok, skipped, unknown
from workflows.core.pipelines.allowed import holds_back
from workflows.core.pipelines.identity import Forge
from workflows.ports import ForgeSilent

_SEE, _SEE_GITLAB = "docs/gate.md, As a rule of GitHub's", "docs/gate.md, As a protected environment of GitLab's"
_TOKEN = "GITLAB_TOKEN"  # noqa: S105 - the variable's name
_SECRET, _APP, _KEY = "GITHUB_WEBHOOK_SECRET", "GITHUB_APP_ID", "GITHUB_APP_KEY"


def look(context: Context) -> Iterator[Finding]:
    pipelines = context.policy.pipelines if context.policy is not None else ()
    forges = {one for one in Forge if holds_back(pipelines, one)}
    if Forge.GITHUB in forges and context.whom != "worker":
        yield _heard(context)
    if Forge.GITHUB in forges and context.whom != "web":
        yield from _believed(context)
    if Forge.GITLAB in forges and context.whom != "web":
        yield _shown(context)


def _heard(context: Context) -> Finding:
    if context.settings.github_webhook_secret is not None:
        return ok("forges.secret", _SECRET, "what GitHub says can be proved")
    if not context.needs("web"):
        return skipped("forges.secret", _SECRET, "it is not set here", elsewhere("web"))
    return broken("forges.secret", _SECRET, "it is not set: deployments wait at GitHub and nobody hears of it", _SEE)


def _believed(context: Context) -> Iterator[Finding]:
    app, key = context.settings.github_app_id, context.settings.github_app_key
    if app is None or key is None:
        if context.needs("worker"):
            yield broken("forges.app", _APP, f"{_APP} and {_KEY} are not set: GitHub cannot be told anything", _SEE)
        else:
            yield skipped("forges.app", _APP, "the app's key is not here", elsewhere("worker"))
        return
    yield _asked(context, app, Path(key))
    # Who hands out secrets in /run (containers, systemd) lets nobody else in there.
    if not key.startswith("/run/") and Path(key).is_file() and stat.S_IMODE(os.stat(key).st_mode) & 0o007:
        words = f"{Path(key)} can be read by everybody on this machine"
        yield attention("forges.key-file", _KEY, words, f"chmod 600 {key}")


def _asked(context: Context, app: str, key: Path) -> Finding:
    from bot.forge.app_login import PERMISSIONS, AppLogin  # noqa: PLC0415 - where there is an app
    from bot.forge.calls import Calls, silent  # noqa: PLC0415 - as above
    from bot.forge.door import EVENT  # noqa: PLC0415 - as above

    def now() -> datetime:
        return datetime.fromtimestamp(context.wall_s(), UTC)

    call = Calls(context.settings.github_api_url, now)
    context.allowance.asked["github"] += 1
    try:
        answer = call("GET", "/app", f"Bearer {AppLogin(app, key, call, now, monotonic_s).app_token()}", None, "app")
        if answer.status != 200 or not isinstance(answer.said, dict):
            raise silent(answer)
    except ForgeSilent as problem:
        refused = "refuses" in str(problem) or "GITHUB_APP_KEY" in str(problem)
        return (broken if refused else unknown)("forges.app", _APP, str(problem), _SEE)
    may, events = answer.said.get("permissions"), answer.said.get("events")
    ranks = {"read": 1, "write": 2}
    held = may if isinstance(may, dict) else {}
    lacks = [
        f"{name}: {level}" for name, level in PERMISSIONS.items() if ranks.get(held.get(name, ""), 0) < ranks[level]
    ]
    if lacks:
        return broken("forges.app", _APP, f"the app lacks the permissions {', '.join(lacks)}", _SEE)
    if EVENT not in (events if isinstance(events, list) else ()):
        return broken("forges.app", _APP, f"the app does not get the event {EVENT}", _SEE)
    return ok("forges.app", _APP, "GitHub believes it, and it may do what it has to")


def _shown(context: Context) -> Finding:
    """Whether GitLab lets us see what waits. That it takes an approval of ours shows the first one alone."""
    from bot.forge.build import login_at_gitlab  # noqa: PLC0415 - where GitLab holds deployments back
    from bot.forge.gitlab_waiting import GitLabWaiting  # noqa: PLC0415 - as above

    if context.settings.gitlab_token is None:
        if not context.needs("worker"):
            return skipped("forges.gitlab", _TOKEN, "it is not set here", elsewhere("worker"))
        words = "it is not set: deployments wait at GitLab and nobody hears of it"
        return broken("forges.gitlab", _TOKEN, words, _SEE_GITLAB)

    def now() -> datetime:
        return datetime.fromtimestamp(context.wall_s(), UTC)

    context.allowance.asked["gitlab"] += 1
    pipelines = context.policy.pipelines if context.policy is not None else ()
    try:
        ask = login_at_gitlab(context.settings, now)
        GitLabWaiting(ask, context.settings.gitlab_api_url, now, lambda *_: False).look(pipelines)
    except ForgeSilent as problem:
        certain = any(word in str(problem) for word in ("GITLAB_TOKEN", "GITLAB_API_URL"))
        return (broken if certain else unknown)("forges.gitlab", _TOKEN, str(problem), _SEE_GITLAB)
    return ok("forges.gitlab", _TOKEN, "GitLab shows it what waits")
