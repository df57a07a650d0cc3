"""Questions 7 to 9: whether the way to production waits, from which branch it starts, and who else can start it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.boundaries import questions as q
from bot.boundaries.answers.access import exact_trust
from bot.boundaries.model import Answer, Evidence, Verdict, judged, no, unknown, yes
from bot.boundaries.owners.own_policy import Gated
from bot.boundaries.pipelines.job import UNREVIEWED, Job, Role, What, keeps_out
from bot.boundaries.seen import Seen

_NO_PIPELINE = "No pipeline to production is in this checkout, as far as it can be read."


def waits(seen: Seen) -> Answer:
    found = [*_nothing(seen), *seen.doubts_of_pipelines(), *_remote(seen)]
    for job in seen.production_jobs:
        found += _waits(seen, job)
    found += _unclear(seen)
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
            what = job.held[0].words if job.held else "something"
            yield unknown(
                f"{job.title} holds {what}, and names no environment: whether that reaches production is not told.",
                job.place,
            )


def _of_production(seen: Seen, job: Job) -> tuple[str, ...]:
    """Of the environments that it may run for those that are called production, or all where none is."""
    found = tuple(each for each in job.environments or () if seen.production.says(each))
    return found or job.environments or ()


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
