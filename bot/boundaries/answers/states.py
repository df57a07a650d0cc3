"""Questions 1 to 4: where the state of production stands, and how it is kept."""

from __future__ import annotations

from collections.abc import Iterator

from bot.boundaries import questions as q
from bot.boundaries.answers.guarded import writers_of
from bot.boundaries.model import Answer, Evidence, Verdict, judged, no, unknown, yes
from bot.boundaries.seen import Seen
from bot.boundaries.terraform.buckets import bucket_of
from bot.boundaries.terraform.states import CLOUD, LOCAL, S3, State, regions_of, without_backend

# These lock by themselves. https://developer.hashicorp.com/terraform/language/state/locking and each backend's page
_LOCKING = frozenset({"gcs", "azurerm", "consul", "kubernetes", "pg", CLOUD})


def nothing_called(seen: Seen) -> Iterator[Evidence]:
    """What keeps the state of production from being known: there is none here, or a job says where it stands."""
    for stanza in without_backend(seen.terraform, seen.production):
        yield no("It names no backend: its state is a file of whoever ran Terraform last.", stanza.place)
    if seen.production_states:
        yield from _led_elsewhere(seen)
        return
    for state in seen.states:
        if state.workspaced:
            yield unknown("Which workspace is production is said by a run, not by these files.", state.place)
    yield unknown("No state here is called production, by its folder, bucket, key or workspace (--production WORD).")


def _led_elsewhere(seen: Seen) -> Iterator[Evidence]:
    for job in seen.jobs:
        for place in job.led_elsewhere:
            yield unknown(f"{job.title} tells Terraform where its state stands, whatever these files say.", place)


def apart(seen: Seen) -> Answer:
    found = [*nothing_called(seen), *seen.doubts_of_terraform()]
    for state in seen.production_states:
        found += _apart(seen, state)
    return judged(q.STATE_APART, found)


def _apart(seen: Seen, state: State) -> Iterator[Evidence]:
    if state.kind == LOCAL:
        yield no("Its state is a file of whoever ran Terraform last.", state.place)
        return
    if state.partial or state.identity is None:
        yield unknown(
            f"Where it stands is said at terraform init: backend {state.kind} is not complete here.", state.place
        )
        return
    if state.workspaced:
        yield unknown(
            "One configuration has a state for each workspace: which one is production, a run says.", state.place
        )
        return
    # What stands on somebody's machine shares nothing with it.
    others = [each for each in seen.states if each is not state and each.kind != LOCAL]
    same = [each for each in others if each.identity == state.identity]
    if same:
        yield no(f"It is one and the same state as the one of {same[0].place}: {state.title}.", state.place)
        return
    strangers = [each for each in seen.other_states if each.kind != LOCAL]
    if not strangers:
        yield unknown("No state of another environment is here to compare it with.", state.place)
        return
    yield from _beside(seen, state, strangers)


def _beside(seen: Seen, state: State, strangers: list[State]) -> Iterator[Evidence]:
    house = _house(state)
    unclear = [each for each in strangers if each.partial or _house(each) is None]
    shared = [each for each in strangers if _house(each) == house]
    if not shared and not unclear:
        yield yes(
            f"No state of another environment of this checkout stands in {house[1] if house else ''}.", state.place
        )
    elif not shared:
        yield unknown(f"Where the state of {unclear[0].place} stands is said at terraform init.", unclear[0].place)
    elif state.kind == CLOUD:
        # Each workspace has rights of its own, or its project's, or the organisation's.
        yield unknown(f"Who may write {state.title}, and not {shared[0].title} beside it, is said there.", state.place)
    elif _is_guarded(seen, state):
        yield yes(
            f"{state.title} shares its bucket, and the bucket's policy keeps others from writing it.", state.place
        )
    else:
        yield no(f"It shares {house[1] if house else ''} with the state of {shared[0].place}.", state.place)


def _house(state: State) -> tuple[str, ...] | None:
    """What is shared when two states are written with the same rights."""
    names = {CLOUD: "organization", S3: "bucket", "gcs": "bucket", "azurerm": "storage_account_name"}
    value = state.values.get(names.get(state.kind, ""))
    return (state.kind, value) if value else None


def _is_guarded(seen: Seen, state: State) -> bool:
    return {one.verdict for one in writers_of(seen, state)} == {Verdict.YES}


def locked(seen: Seen) -> Answer:
    found = [*nothing_called(seen), *seen.doubts_of_terraform()]
    found += (_locked(state) for state in seen.production_states)
    for job in seen.jobs:
        found += (no(f"{job.title} tells Terraform not to lock: -lock=false.", place) for place in job.unlocked)
    return judged(q.STATE_LOCKED, found)


def _locked(state: State) -> Evidence:
    if state.kind == "consul" and "lock" in state.named and state.values.get("lock") != "true":
        return no("The backend of Consul is told not to lock, or may be (lock).", state.place)
    if state.kind in _LOCKING:
        return yes(f"Backend {state.kind} locks by itself.", state.place)
    if state.kind == LOCAL:
        return no("A local file is locked on one machine alone.", state.place)
    if state.kind == "http":
        locks = "lock_address" in state.values
        return yes("It has a lock_address.", state.place) if locks else no("It has no lock_address.", state.place)
    if state.kind != S3:
        return unknown(f"Whether backend {state.kind} locks is not known here.", state.place)
    if state.values.get("use_lockfile") == "true" or state.values.get("dynamodb_table"):
        return yes("The backend of S3 locks.", state.place)
    if state.partial or (
        {"use_lockfile", "dynamodb_table"} & state.named and state.values.get("use_lockfile") != "false"
    ):
        return unknown("Whether it locks is said at terraform init.", state.place)
    return no("The backend of S3 has neither use_lockfile nor dynamodb_table.", state.place)


def in_region(seen: Seen) -> Answer:
    found = [*nothing_called(seen), *seen.doubts_of_terraform()]
    found += (_in_region(seen, state) for state in seen.production_states)
    return judged(q.STATE_REGION, found)


def _in_region(seen: Seen, state: State) -> Evidence:
    live = seen.live.get(state.bucket or "")
    if live is not None and live.region is not None:
        return live.region
    region = state.values.get("region")
    if state.kind != S3 or region is None:
        return unknown("The backend does not say in which region it stands.", state.place)
    if seen.regions:
        if region in seen.regions:
            return yes(f"It stands in {region}, which is allowed.", state.place)
        return no(f"It stands in {region}; allowed is {', '.join(seen.regions)}.", state.place)
    own = regions_of(seen.terraform, state.folder)
    known = [(name, place) for name, place in own if name is not None]
    if any(name == region for name, _ in known):
        return yes(f"It stands in {region}, as production itself does.", state.place)
    if known and len(known) == len(own):
        return no(f"It stands in {region}, and production in {known[0][0]} ({known[0][1]}).", state.place)
    return unknown(f"It stands in {region}; where production may be is not told (--region NAME).", state.place)


def kept(seen: Seen) -> Answer:
    found = [*nothing_called(seen), *seen.doubts_of_terraform()]
    for state in seen.production_states:
        found += _kept(seen, state)
    return judged(q.STATE_BUCKET, found)


def _kept(seen: Seen, state: State) -> Iterator[Evidence]:
    if state.kind == LOCAL:
        yield no("A local file is kept by nobody.", state.place)
        return
    if state.bucket is None:
        yield unknown(f"Which bucket it stands in is not told here (backend {state.kind}).", state.place)
        return
    live = seen.live.get(state.bucket)
    if live is not None and live.kept:
        yield from live.kept
        return
    bucket = bucket_of(seen.terraform, state.bucket)
    if bucket.stanza is None:
        yield unknown(f"Bucket {state.bucket} is not made in this checkout.", state.place)
        return
    yield from bucket.evidence
    yield yes("S3 encrypts by itself whatever is written since January 2023.", bucket.stanza.place)
