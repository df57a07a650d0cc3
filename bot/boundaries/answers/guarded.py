"""Who can write a state, by the policy of its bucket: whom it excepts from a Deny that holds for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.boundaries.model import Evidence, Place, Verdict, no, unknown, worst, yes
from bot.boundaries.seen import Seen
from bot.boundaries.terraform.buckets import bucket_of
from bot.boundaries.terraform.files import HOLE
from bot.boundaries.terraform.guard import Guard, guard_of, odd_denials, permission_set_in
from bot.boundaries.terraform.identities import Identity, Kind
from bot.boundaries.terraform.policies import Policy
from bot.boundaries.terraform.states import S3, State
from bot.boundaries.terraform.trust import trusts_of


def writers_of(seen: Seen, state: State) -> Iterator[Evidence]:
    """Of one state of production: yes where nobody but a pipeline's role and a grant's permission set can write it."""
    if state.kind != S3 or state.bucket is None:
        yield unknown(f"Who can write it is not told here (backend {state.kind}).", state.place)
        return
    policies = policies_of(seen, state.bucket)
    if policies is None:
        live = seen.live.get(state.bucket)
        if live is not None and not live.policy_known:
            yield unknown(f"The policy of bucket {state.bucket} could not be read.", state.place)
            return
        yield unknown(f"Bucket {state.bucket} and its policy are not made in this checkout.", state.place)
        return
    guard = guard_for(seen, state)
    if guard is None:
        yield _unguarded(seen, state.bucket, policies)
        return
    if guard.missing:
        yield no(
            f"Its bucket's policy does not deny {', '.join(guard.missing)}: others change the state by that.",
            guard.place,
        )
    if not guard.excepted:
        yield yes(f"The policy of bucket {state.bucket} lets nobody write it.", guard.place)
    for principal in guard.excepted:
        yield _excepted(seen, principal, guard.place)


def policies_of(seen: Seen, bucket: str) -> tuple[Policy, ...] | None:
    """As AWS has it where it was asked, else as Terraform writes it; None where that is not told."""
    live = seen.live.get(bucket)
    if live is not None and live.policy_known:
        return (live.policy,) if live.policy is not None else ()
    found = bucket_of(seen.terraform, bucket)
    return found.policies if found.policies or found.stanza is not None else None


def guard_for(seen: Seen, state: State) -> Guard | None:
    """None where there is none for sure: no policy, several, or one that says it in another way."""
    policies = policies_of(seen, state.bucket or "") or ()
    if len(policies) != 1 or not policies[0].complete or state.bucket is None:
        return None
    return guard_of(policies[0], state.bucket, state.key if state.key and not state.workspaced else "*")


def _unguarded(seen: Seen, bucket: str, policies: tuple[Policy, ...]) -> Evidence:
    made = bucket_of(seen.terraform, bucket).stanza
    place = policies[0].place if policies else made.place if made else None
    if odd_denials(policies) or len(policies) > 1:
        return unknown(f"The policy of bucket {bucket} denies something in a way that is not read here.", place)
    what = "The policy of bucket" if policies else "No policy of bucket"
    return no(f"{what} {bucket} {'does not keep' if policies else 'keeps'} others from writing it.", place)


def _excepted(seen: Seen, principal: str, place: Place) -> Evidence:
    name = permission_set_in(principal)
    if name is not None:
        return _by_grant(seen, name, place)
    if re.search(r"[*?]", principal) and "AWSReservedSSO_" in principal:
        return unknown(f"It lets whoever fits {_shown(principal)} write it: end it with sixteen question marks.", place)
    if re.search(r"[*?]", principal):
        return no(f"It lets whoever fits {_shown(principal)} write it.", place)
    found = [each for each in seen.identities if is_meant(seen, each, principal)]
    kinds = {each.kind for each in found}
    title = found[0].title if found else _shown(principal)
    if kinds == {Kind.PIPELINE}:
        loose = [one for each in found for one in trusts_of(each) if one.verdict is not Verdict.YES]
        if loose:
            return Evidence(worst(one.verdict for one in loose), f"It lets {title} write it. {loose[0].words}", place)
        return yes(f"It lets {title} write it, which a pipeline alone takes on.", place)
    if Kind.PERSON in kinds:
        return no(f"It lets {title} write it, which people can take on.", place)
    if re.search(r":(?:user|root)\b", principal):
        return no(f"It lets {title} write it, which is no pipeline's.", place)
    return unknown(f"It lets {title} write it; who that is is not told here.", place)


def is_meant(seen: Seen, identity: Identity, arn: str) -> bool:
    """By its name in Terraform; or by an ARN, where it is production's: another account may have a role of that name."""
    return identity.ref == arn or (identity.is_meant_by(arn) and is_productions(seen, identity))


def is_productions(seen: Seen, identity: Identity) -> bool:
    return seen.production.says(f"{identity.place.file} {identity.name} {identity.ref}")


def _by_grant(seen: Seen, name: str, place: Place) -> Evidence:
    given = any(name in policy.permission_sets for policy in seen.policies)
    if not given:
        return no(
            f"It lets people with the permission set {name} write it, which no policy folder here gives for a time.",
            place,
        )
    refs = {one.ref for one in seen.identities if one.name == name}
    assigned = [
        (each, seen.terraform.text(each.folder, each.block.get("permission_set_arn")))
        for each in seen.terraform.all("resource", "aws_ssoadmin_account_assignment")
    ]
    standing = [each for each, arn in assigned if arn in refs]
    unclear = [each for each, arn in assigned if arn is None or HOLE in arn]
    if not standing and unclear:
        return unknown(
            f"Whether somebody has the permission set {name} for good is worked out by a run.", unclear[0].place
        )
    if standing:
        return no(
            f"It lets people with the permission set {name} write it, and somebody has that for good.",
            standing[0].place,
        )
    return yes(f"It lets people with the permission set {name} write it, which is given for a time.", place)


def _shown(principal: str) -> str:
    return principal.replace(HOLE, "...").rpartition("#")[2][:120]
