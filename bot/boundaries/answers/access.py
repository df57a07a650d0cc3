"""Questions 5, 6 and 10: who can write the state of production, and which runs production's role trusts."""

from __future__ import annotations

from collections.abc import Iterator

from bot.boundaries import questions as q
from bot.boundaries.answers.guarded import guard_for, is_meant, is_productions, writers_of
from bot.boundaries.answers.states import nothing_called
from bot.boundaries.model import Answer, Evidence, Place, Verdict, judged, no, unknown
from bot.boundaries.pipelines.job import Job, What
from bot.boundaries.seen import Seen
from bot.boundaries.terraform.guard import permission_set_in
from bot.boundaries.terraform.identities import Identity, Kind
from bot.boundaries.terraform.states import S3, State
from bot.boundaries.terraform.trust import subjects_of, trusts_of


def writers(seen: Seen) -> Answer:
    found = [*nothing_called(seen), *seen.doubts_of_terraform()]
    for state in seen.production_states:
        found += writers_of(seen, state)
    return judged(q.STATE_WRITERS, found)


def people(seen: Seen) -> Answer:
    found = [*nothing_called(seen), *seen.doubts_of_terraform()]
    for state in seen.production_states:
        found += _people(seen, state)
    return judged(q.STATE_PEOPLE, found)


def _people(seen: Seen, state: State) -> Iterator[Evidence]:
    if state.kind != S3 or state.bucket is None:
        yield unknown(f"Who can write it is not told here (backend {state.kind}).", state.place)
        return
    guard = guard_for(seen, state)
    if guard is not None:
        found = list(writers_of(seen, state))
        yield from found
        for principal in guard.excepted:
            if (name := permission_set_in(principal)) is not None:
                yield unknown(
                    f"Whether somebody has the permission set {name} beside a grant, `prodaccess drift` tells.",
                    guard.place,
                )
        return
    live = seen.live.get(state.bucket)
    yield from live.people if live is not None and live.people else _by_identities(seen, state)


def _by_identities(seen: Seen, state: State) -> Iterator[Evidence]:
    """Without a bucket policy that denies it, who may is said by each identity; those elsewhere are not seen."""
    bucket, key = state.bucket or "", state.key or "*"
    for identity in seen.identities:
        if identity.kind is not Kind.PERSON:
            continue
        may = identity.can_write(bucket, key)
        if may is Verdict.YES:
            yield no(f"{identity.title} can write it, and people can take that on.", identity.place)
        elif may is Verdict.UNKNOWN:
            yield unknown(f"Whether {identity.title} can write it is not told here.", identity.place)
    yield unknown("Nothing denies it to roles of people that are not in this checkout.", state.place)


def trust(seen: Seen) -> Answer:
    found = [*_trusts(seen), *seen.doubts_of_terraform(), *seen.doubts_of_pipelines()]
    return judged(q.PIPELINE_TRUST, found)


def _trusts(seen: Seen) -> Iterator[Evidence]:
    for job in seen.production_jobs:
        yield from _by_job(job)
    wanted = _wanted(seen)
    roles = [each for each in seen.identities if each.what == "role"]
    told = False
    for role in roles:
        if is_productions(seen, role):
            found = [*trusts_of(role), *_of_another(seen, role)]
            told = told or bool(found)
            yield from found
        elif not seen.production.says_another(f"{role.place.file} {role.name}"):
            yield from (_weaker(one) for one in trusts_of(role) if one.verdict is not Verdict.YES)
    for arn, place in wanted.items():
        if "${{" in arn:
            yield unknown("Which role a job of production takes on is worked out by a run.", place)
        elif not any(is_meant(seen, role, arn) for role in roles):
            yield unknown(f"The role {arn[:120]} is not in this checkout.", place)
    if not told and not wanted:
        yield unknown("No role of production that a pipeline takes on is in this checkout.")


def _by_job(job: Job) -> Iterator[Evidence]:
    for key in job.keys:
        yield no(f"{job.title} uses a key that lasts, the secret {key.text}, in place of a token.", key.place)
    if not job.roles and any(one.kind is What.TOKEN for one in job.held):
        yield unknown(f"{job.title} can ask for a token, and what trusts that is not said by a step here.", job.place)


def _of_another(seen: Seen, role: Identity) -> Iterator[Evidence]:
    """Who may run in another environment need not wait where production does."""
    for subject in subjects_of(role):
        _, mark, name = subject.partition(":environment:")
        if not mark or name in seen.production_environments or seen.production.says(name):
            continue
        place = role.trust.place if role.trust else role.place
        if seen.production.says_another(name):
            yield no(f"{role.title} trusts runs of environment {name}, which is not production.", place)
        else:
            yield unknown(
                f"{role.title} trusts runs of environment {name}: whether that is production is not told (--production WORD).",
                place,
            )


def _wanted(seen: Seen) -> dict[str, Place]:
    """What jobs of production take on, where it stands there."""
    return {role.text: role.place for job in seen.production_jobs for role in job.roles}


def _weaker(one: Evidence) -> Evidence:
    return unknown(f"{one.words} Whether it reaches production is not told.", one.place)


def exact_trust(seen: Seen) -> bool:
    """Whether production's roles are known, and trust an environment or a ref exactly: a pull request's token is none of them."""
    return trust(seen).verdict is Verdict.YES
