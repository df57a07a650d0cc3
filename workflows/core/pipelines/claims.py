"""Proved claims of a token -> the run that they tell of.

GitHub: https://docs.github.com/en/actions/reference/security/oidc (all values are text, numbers and booleans, too).
GitLab: https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload (the same).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from workflows.core.pipelines.identity import Forge, Part, PipelineRun, StarterId
from workflows.core.pipelines.judge import NotAllowed, Why

Claims = Mapping[str, object]

_LENGTH_MAX = 512
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RESIDENT = re.compile(r"https://token\.actions\.([a-z0-9-]+\.ghe\.com)(?:/|\Z)")
# Started by time, by a program or by whoever holds a trigger's token: the account that the forge names did not do it.
BY_NOBODY = {Forge.GITHUB: frozenset({"schedule", "merge_group"}), Forge.GITLAB: frozenset({"schedule", "trigger"})}


class _Missing(Exception):
    """`args[0]`: a claim that is not there, or not of its form."""


def run_of(forge: Forge, issuer: str, claims: Claims) -> PipelineRun | NotAllowed:
    """`claims` are proved. A claim that is not of its form is told by name; its value is not repeated."""
    try:
        return _READERS[forge](issuer, claims)
    except _Missing as missing:
        return NotAllowed(Why.CLAIMS, f"The token has no usable claim {missing.args[0]!r}.")


def run_of_key(name: str, fingerprint: str, claims: Claims) -> PipelineRun | NotAllowed:
    """A run that signed with a key of the policy: it is what whoever holds the key says of it. Who started it nobody knows."""
    try:
        return PipelineRun(
            issuer="",
            forge=Forge.KEY,
            repository=name,
            repository_id=fingerprint,
            owner_id="",
            ref="",
            ref_protected=None,
            commit=_match(claims, "commit", _COMMIT),
            run=_text(claims, "run"),
            attempt="1",
            job="",
            environment="",
            workflow="",
            event="",
            actor_id="",
            starters=(StarterId(Forge.KEY, None, "", Part.STARTED),),
        )
    except _Missing as missing:
        return NotAllowed(Why.CLAIMS, f"The token has no usable claim {missing.args[0]!r}.")


# ---------------------------------------------------------------- GitHub


def _github(issuer: str, claims: Claims) -> PipelineRun:
    event, attempt = _text(claims, "event_name"), _match(claims, "run_attempt", _NUMBER)
    return PipelineRun(
        issuer=issuer,
        forge=Forge.GITHUB,
        repository=_text(claims, "repository"),
        repository_id=_match(claims, "repository_id", _NUMBER),
        owner_id=_match(claims, "repository_owner_id", _NUMBER),
        ref=_text(claims, "ref"),
        ref_protected=_flag(claims, "ref_protected"),
        commit=_match(claims, "sha", _COMMIT),
        run=_match(claims, "run_id", _NUMBER),
        attempt=attempt,
        # Not there at servers of before November 2025: then all jobs of one attempt are one.
        job=_text(claims, "check_run_id", "") and _match(claims, "check_run_id", _NUMBER),
        environment=_text(claims, "environment", ""),
        workflow=_text(claims, "job_workflow_ref"),
        event=event,
        actor_id=_text(claims, "actor_id", ""),
        starters=tuple(_github_starters(claims, event, attempt)),
        server=github_server(issuer),
    )


def _github_starters(claims: Claims, event: str, attempt: str) -> list[StarterId]:
    """`actor` is who began the run, also when it is run again. Who ran it again no claim tells, nor who pushed what somebody
    started by hand.
    """
    actor, name = _somebody(Forge.GITHUB, event, claims, "actor_id", "actor")
    found = [StarterId(Forge.GITHUB, actor, name, Part.STARTED)]
    pushed = (actor, name) if event == "push" else (None, "")
    found.append(StarterId(Forge.GITHUB, *pushed, Part.PUSHED))
    if attempt != "1":
        found.append(StarterId(Forge.GITHUB, None, "", Part.RE_RAN))
    return found


def github_server(issuer: str) -> str:
    """At an own server the issuer is `https://HOST/_services/token`, with data residency `https://token.actions.NAME.ghe.com`."""
    host, own, _ = issuer.partition("/_services/")
    resident = _RESIDENT.match(issuer)
    if resident:
        return f"https://{resident[1]}"
    return host if own else "https://github.com"


# ---------------------------------------------------------------- GitLab


def _gitlab(issuer: str, claims: Claims) -> PipelineRun:
    event = _text(claims, "pipeline_source")
    project = _match(claims, "project_id", _NUMBER)
    # A job of another project than the commit is one of a fork, whatever else it says.
    # Source: https://gitlab.com/gitlab-org/gitlab/-/issues/563038
    if _text(claims, "job_project_id", project) != project:
        raise _Missing("job_project_id")
    return PipelineRun(
        issuer=issuer,
        forge=Forge.GITLAB,
        repository=_text(claims, "project_path"),
        repository_id=project,
        owner_id=_match(claims, "namespace_id", _NUMBER),
        ref=_gitlab_ref(claims),
        ref_protected=_flag(claims, "ref_protected"),
        commit=_match(claims, "sha", _COMMIT),
        run=_match(claims, "pipeline_id", _NUMBER),
        # A job that is run again is another job.
        attempt="1",
        job=_match(claims, "job_id", _NUMBER),
        environment=_text(claims, "environment", ""),
        workflow=_text(claims, "ci_config_ref_uri", ""),
        event=event,
        actor_id=_text(claims, "user_id", ""),
        starters=tuple(_gitlab_starters(claims, event)),
        server=issuer,
    )


def _gitlab_ref(claims: Claims) -> str:
    whole = _text(claims, "ref_path", "")
    if whole:
        return whole
    kind = {"branch": "heads", "tag": "tags"}.get(_text(claims, "ref_type"))
    if kind is None:
        raise _Missing("ref_type")
    return f"refs/{kind}/{_text(claims, 'ref')}"


def _gitlab_starters(claims: Claims, event: str) -> list[StarterId]:
    """`user_id` is who executes this job: of one that somebody started by hand, or again, not who pushed."""
    user, name = _somebody(Forge.GITLAB, event, claims, "user_id", "user_login")
    return [
        StarterId(Forge.GITLAB, user, name, Part.STARTED),
        StarterId(Forge.GITLAB, None, "", Part.PUSHED),
    ]


# ---------------------------------------------------------------- single claims


def _somebody(forge: Forge, event: str, claims: Claims, id_claim: str, name_claim: str) -> tuple[int | None, str]:
    """The human who did it; no number where it was none, or nobody can tell."""
    name, number = _text(claims, name_claim, ""), _text(claims, id_claim, "")
    known = _NUMBER.fullmatch(number) is not None and event not in BY_NOBODY[forge] and not is_bot(forge, name)
    return (int(number) if known else None), name


def is_bot(forge: Forge, name: str) -> bool:
    """GitHub writes `NAME[bot]`; GitLab makes `project_7_bot_...`, `group_7_bot_...` for access tokens.

    Source: https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
    """
    if forge is Forge.GITHUB:
        return name.endswith("[bot]") or not name
    return re.fullmatch(r"(?:project|group)_[0-9]+_bot.*|service_account.*|ghost", name) is not None or not name


def _text(claims: Claims, name: str, default: str | None = None) -> str:
    """Text as it may be shown on one line, not too long. A claim that is null is not there."""
    value = claims.get(name)
    if value is None or value == "":
        if default is None:
            raise _Missing(name)
        return default
    # Ids are text at both; a server that wrote numbers would mean the same.
    text = str(value) if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)) else ""
    if not text or len(text) > _LENGTH_MAX or not text.isprintable():
        raise _Missing(name)
    return text


def _match(claims: Claims, name: str, form: re.Pattern[str]) -> str:
    text = _text(claims, name)
    if form.fullmatch(text) is None:
        raise _Missing(name)
    return text


def _flag(claims: Claims, name: str) -> bool | None:
    return {"true": True, "false": False, True: True, False: False}.get(_hashable(claims.get(name)))


def _hashable(value: object) -> str | bool | None:
    return value if isinstance(value, str | bool) else None


_READERS: Mapping[Forge, Callable[[str, Claims], PipelineRun]] = {Forge.GITHUB: _github, Forge.GITLAB: _gitlab}
