"""Questions 7 to 9: whether the way to production waits, from which branch it starts, and who else can start it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.boundaries import questions as q
from bot.boundaries.answers.access import exact_trust
from bot.boundaries.answers.guarded import is_productions
from bot.boundaries.model import Answer, Evidence, Place, Verdict, judged, no, unknown, yes
from bot.boundaries.owners.own_policy import Gated
from bot.boundaries.pipelines.job import UNREVIEWED, Job, Role, What, keeps_out
from bot.boundaries.pipelines.workflows import GITHUB
from bot.boundaries.seen import Seen
from bot.boundaries.terraform.identities import Identity
from bot.boundaries.terraform.trust import subjects_of

_NO_PIPELINE = "No pipeline to production is in this checkout, as far as it can be read."


def waits(seen: Seen) -> Answer:
    found = [*_nothing(seen), *seen.doubts_of_pipelines(), *_remote(seen)]
    for job in seen.production_jobs:
        found += _waits(seen, job)
    found += _unclear(seen)
    found += _let_in(seen)
    return judged(q.PIPELINE_APPROVAL, found)


def _nothing(seen: Seen) -> Iterator[Evidence]:
    if not seen.production_jobs:
        yield unknown(_NO_PIPELINE)


def _remote(seen: Seen) -> Iterator[Evidence]:
    for one in seen.gitlab.remote:
        yield unknown(f"What it includes is not read here: {one.text[:120]}.", one.place)


def _unclear(seen: Seen) -> Iterator[Evidence]:
    for job in seen.jobs:
        if job.role is Role.UNCLEAR:
            what = job.held[0].words if job.held else "what every job here is given"
            yield unknown(
                f"{job.title} holds {what}, and names no environment: whether that reaches production is not told.",
                job.place,
            )


def _of_production(seen: Seen, job: Job) -> tuple[str, ...]:
    """Of the environments that it may run for those that are called production, or all where none is."""
    found = tuple(each for each in job.environments or () if seen.production.says(each))
    return found or job.environments or ()


def _unplaced(seen: Seen, job: Job) -> Iterator[Evidence]:
    """Environments beside production's that are called neither production nor something else."""
    judged = _of_production(seen, job)
    for name in job.environments or ():
        if name not in judged and not seen.production.says_another(name):
            yield unknown(
                f"{job.title} runs for {name}, too: whether that is production is not told (--production WORD).",
                job.environment_place or job.place,
            )


def _waits(seen: Seen, job: Job) -> Iterator[Evidence]:
    for gated in (gate for named in job.gates for policy in seen.policies for gate in policy.gates(named.text)):
        if gated.gives_to:
            yield _by_target(seen, job, gated)
            return
    if job.environments is None:
        yield unknown(
            f"Which environment {job.title} runs for is worked out by a run.", job.environment_place or job.place
        )
        return
    environments = _of_production(seen, job)
    if not environments:
        gated_words = "asks for a gate, which is advice alone: whoever edits the workflow can leave it out"
        what = gated_words if job.gates else "reaches production without an environment and without a gate"
        yield no(f"{job.title} {what}.", job.gates[0].place if job.gates else job.place)
        return
    for environment in environments:
        yield _rule(seen, job, environment)
    yield from _unplaced(seen, job)


_SUBJECT = re.compile(r"repo:([^:@]+)(?:@[0-9]+)?/([^:@]+)(?:@[0-9]+)?:(environment|ref):(.+)")


def _let_in(seen: Seen) -> Iterator[Evidence]:
    """What production's roles trust beside the jobs that are here: whoever may push a branch adds a job to it."""
    given = {gated.gives_to for policy in seen.policies for name in policy.names for gated in policy.gates(name)}
    known = {name for job in seen.production_jobs for name in _of_production(seen, job)}
    for role in seen.identities:
        if role.what != "role" or not is_productions(seen, role) or role.name in given or role.trust is None:
            continue
        for found in filter(None, map(_SUBJECT.fullmatch, subjects_of(role))):
            yield from _trusted(seen, role, role.trust.place, found, known)


def _trusted(seen: Seen, role: Identity, place: Place, found: re.Match[str], known: set[str]) -> Iterator[Evidence]:
    repository, name, rules = f"{found[1]}/{found[2]}", found[4], seen.rules.get(GITHUB)
    if found[3] == "ref":
        yield no(f"{role.title} trusts each run of {name} that names no environment: those wait for nobody.", place)
    elif rules is not None and not rules.is_of(repository):
        yield unknown(f"{role.title} trusts runs of {repository}, which was not looked at.", place)
    elif name not in known and rules is not None:
        said = rules.waits(name, False)
        yield Evidence(said.verdict, f"{role.title} trusts runs of environment {name}, too: {said.words}", place)
    elif name not in known:
        asked = f"whether that waits for anybody GitHub knows ({q.ASK[GITHUB]})"
        yield unknown(f"{role.title} trusts runs of environment {name}, too; {asked}.", place)


def _by_target(seen: Seen, job: Job, gated: Gated) -> Evidence:
    """A yes where the job takes on that role alone, and Terraform here shows that the role holds nothing beside."""
    role, gate = gated.gives_to, f"gate {gated.gate} of {gated.environment}"
    if job.keys:
        return unknown(f"{job.title} has keys that last, beside what {gate} gives.", job.keys[0].place)
    if not job.roles or any(each.text.rpartition("/")[2] != role for each in job.roles):
        return unknown(f"{gate} gives to {role}; that {job.title} takes on that role alone is not told.", job.place)
    found = [each for each in seen.identities if each.what == "role" and each.name == role]
    if not found:
        return unknown(f"{gate} gives to {role}; what that role holds for good is not in this checkout.", job.place)
    if any(each.policies or each.managed or each.more for each in found):
        return unknown(f"{gate} gives to {role}, which holds something for good, too.", found[0].place)
    return yes(f"{job.title} gets what it needs by {gate}, once its owner has agreed.", gated.place)


def _rule(seen: Seen, job: Job, environment: str) -> Evidence:
    place = job.environment_place or job.place
    ours = [
        gated
        for policy in seen.policies
        if policy.policy is not None
        for name in policy.policy.environments
        for gated in policy.gates(name)
        if any((each.environment, each.forge.label) == (environment, job.forge) for each in gated.by_rule)
    ]
    rules = seen.rules.get(job.forge)
    if rules is not None:
        said = rules.waits(environment, bool(ours))
        return Evidence(said.verdict, f"{job.title}: {said.words}", place)
    ask = q.ASK[job.forge]
    if ours:
        words = f"By the policy environment {environment} asks at gate {ours[0].gate} of {ours[0].environment}; "
        return unknown(f"{words}that {job.forge}'s rule is switched on is not looked at ({ask}).", place)
    return unknown(
        f"{job.title} names environment {environment}; whether that waits for anybody {job.forge} knows ({ask}).", place
    )


def branches(seen: Seen) -> Answer:
    found = [*_nothing(seen), *seen.doubts_of_pipelines(), *_remote(seen)]
    for job in seen.production_jobs:
        found += _branches(seen, job)
    found += _unclear(seen)
    return judged(q.PIPELINE_BRANCH, found)


def _branches(seen: Seen, job: Job) -> Iterator[Evidence]:
    environments = _of_production(seen, job)
    rules = seen.rules.get(job.forge)
    if rules is not None and environments:
        for environment in environments:
            said = rules.branches(environment)
            yield Evidence(said.verdict, f"{job.title}: {said.words}", job.environment_place or job.place)
        yield from _unplaced(seen, job)
        return
    if not environments and job.environments is not None and job.branches is None:
        yield no(f"{job.title} can be started from any branch, and names no environment.", job.place)
        return
    yield unknown(
        f"{job.title}: which branches production takes, and whether they are protected, files do not tell "
        f"({q.ASK[job.forge]}).",
        job.place,
    )


def outsiders(seen: Seen) -> Answer:
    found = [*seen.doubts_of_pipelines(), *_remote(seen)]
    if not seen.jobs:
        found.append(unknown("No pipeline that can be read is in this checkout."))
    exact = exact_trust(seen)
    for job in seen.jobs:
        for event in job.events:
            if event in UNREVIEWED:
                found.append(_outsider(job, event, exact=exact))
    found += _of_gitlab(seen)
    if not any(one.verdict is Verdict.YES for one in found) and seen.workflows.jobs:
        first = next(iter(seen.workflows.jobs)).place
        found.append(yes("No workflow here is started by what an outsider can start.", first))
    return judged(q.PIPELINE_OUTSIDERS, found)


def _outsider(job: Job, event: str, *, exact: bool) -> Evidence:
    if keeps_out(job.condition, event):
        return yes(f"{job.title} is started by {event}, and its `if` keeps it out.", job.place)
    if job.role is Role.BARE or not job.held:
        if job.writes and event not in ("pull_request", "pull_request_review", "pull_request_review_comment"):
            return unknown(
                f"{job.title} is started by {event} with a token that may write to the repository: give it permissions.",
                job.place,
            )
        return yes(f"{job.title} is started by {event}, and holds nothing.", job.place)
    held = job.held[0]
    if job.role is Role.PRODUCTION:
        if job.condition or held.kind is What.UNSEEN:
            return unknown(
                f"{job.title} is started by {event}; whether its `if` keeps that from {held.words} is not worked out.",
                job.place,
            )
        return no(f"{job.title} is started by {event}, and holds {held.words}.", held.place)
    if job.role is Role.OTHER and {one.kind for one in job.held} == {What.ENVIRONMENT}:
        return yes(
            f"{job.title} is started by {event}, and reaches {', '.join(job.environments or ())} alone.", job.place
        )
    if event == "pull_request" and exact and {one.kind for one in job.held} == {What.TOKEN}:
        return yes(f"{job.title} is started by {event}; its token is none that production's role takes.", job.place)
    return unknown(
        f"{job.title} is started by {event}, and holds {held.words}: whether that reaches production is not told.",
        held.place,
    )


def _of_gitlab(seen: Seen) -> Iterator[Evidence]:
    if seen.is_at_gitlab:
        yield unknown("Which variables of GitLab are for protected branches alone files do not tell.")
