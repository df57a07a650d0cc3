"""Whether those who may ask have a user in AWS, found by what happens when they ask: nothing is changed by that."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.finding import Finding, attention, ok, unknown
from workflows.core.identity import Address
from workflows.core.refusal import Code, Refused
from workflows.ports import TargetInDoubt, TargetThrottled
from workflows.targets.aws.asking import SEE, words_of
from workflows.targets.aws.kinds import OF_IDENTITY_CENTER
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.wanted import Wanted

PEOPLE_MAX = 20
# Of a request that there never was: it only names what would be written.
_REQUEST = "PA-0"
_OF_PEOPLE = frozenset(
    {Code.TARGET_PERSON_MISSING, Code.TARGET_PERSON_AMBIGUOUS, Code.TARGET_PERSON_NOT_TAGGED, Code.TARGET_NO_ROOM}
)


def people(targets: AwsTargets, wanted: Wanted) -> Iterator[Finding]:
    """Each once in Identity Center, and once for each user of IAM that a role would use."""
    asked: set[tuple[Address, str]] = set()
    good: set[Address] = set()
    for person, terms in wanted.may_ask():
        key = person, "" if terms.kind in OF_IDENTITY_CENTER else str(terms.user)
        if key in asked or len(asked) >= PEOPLE_MAX:
            continue
        try:
            found = targets.for_terms(terms).resolve(terms, person, _REQUEST)
        except (TargetInDoubt, TargetThrottled) as problem:
            asked.add(key)
            yield unknown("targets.user", f"user of {person}", str(problem), "run it again in a minute")
            continue
        if isinstance(found, Refused) and not _is_theirs(found):
            # A thing is missing, which has a line of its own; by another role they may be found.
            continue
        asked.add(key)
        if isinstance(found, Refused):
            mend = f"until then they can be given nothing by it; {SEE}"
            yield attention("targets.user", f"user of {person}", words_of(found), mend)
        else:
            good.add(person)
    if good:
        yield ok("targets.user", "users", f"{len(good)} people who may ask have users there")


def _is_theirs(refused: Refused) -> bool:
    """Whether it is about a person, and not about a thing that all would miss."""
    thing = str(refused.params.get("thing", ""))
    return refused.code in _OF_PEOPLE or (refused.code is Code.TARGET_THING_MISSING and thing.startswith("IAM user "))
