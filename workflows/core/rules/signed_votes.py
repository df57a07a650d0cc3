"""Whether the press behind a vote is what the chat has signed: this account, this request, these terms, and not long ago.

What is asked of a vote in production where a chat's requests come over HTTP, each with a signature. It shows a vote that
somebody has written into the ledger by hand. It shows nothing of whoever holds the signing secret, as web does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.canonical_json import digest
from workflows.core.identity import Account, AccountId
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy, Tier
from workflows.core.records.request import Request, Terms, Vote
from workflows.core.records.signed import SignedVote
from workflows.core.rules.eligibility import START_WITHIN

# A chat's signature is taken for five minutes, and a press may wait for a worker for five more.
AROUND_THE_VOTE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Said:
    """What a signed body says. `terms`: the hash on the button; None where it was typed, which means the terms as they stand.

    `several`: the button stood for a whole card, `request` is the first on it and `terms` a hash over all. `role`,
    `duration_s`: where less was agreed to; None for what was not named.
    """

    who: Account
    at: datetime
    request: str
    terms: str | None = None
    several: bool = False
    role: str | None = None
    duration_s: int | None = None


def is_production(policy: Policy, terms: Terms) -> bool:
    """By the policy or by the terms, whichever says so: the one is a file, the other stands in the ledger."""
    place = policy.environments.get(terms.environment)
    return terms.tier is Tier.PRODUCTION or (place is not None and place.tier is Tier.PRODUCTION)


def why_not_proved(
    policy: Policy,
    request: Request,
    vote: Vote,
    facts: PersonFacts | None,
    kept: SignedVote | None,
    said: Said | None,
    now: datetime,
) -> str:
    """Empty where it is proved, else `missing`, `unsigned`, `account`, `request`, `terms` or `old`.

    `kept`: what stands in the ledger for the voter's account. `said`: what its body says, None where no secret fits.
    """
    if kept is None:
        return "missing"
    if said is None:
        return "unsigned"
    if not _is_theirs(said.who, vote, facts):
        return "account"
    if not _is_about(request, said, kept):
        return "request"
    if not _on_these_terms(request, said, kept):
        return "terms"
    return "" if _in_time(policy, request, vote, said, now) else "old"


def _is_theirs(who: Account, vote: Vote, facts: PersonFacts | None) -> bool:
    """An account in an organisation has an id under its team, and one under the organisation."""
    if vote.account is None:
        return False
    own: Iterable[AccountId] = facts.accounts if facts else ()
    return who.id == vote.account or (vote.account in own and who.id in own)


def _is_about(request: Request, said: Said, kept: SignedVote) -> bool:
    if not said.several:
        return said.request == request.id
    ids = [id_ for id_, _ in kept.panel]
    return request.id in ids and said.request in ids and digest([list(one) for one in kept.panel])[:16] == said.terms


def _on_these_terms(request: Request, said: Said, kept: SignedVote) -> bool:
    """Whoever agreed to more time has agreed to less of it; another role or holder is something else."""
    stood = kept.terms
    signed = dict(kept.panel).get(request.id) if said.several else said.terms
    if signed is not None and stood.hash != signed:
        return False
    less = said.role is not None or said.duration_s is not None
    agreed_s = said.duration_s if said.duration_s is not None else stood.duration_s
    if signed is None and not less:
        return True
    if request.terms.duration_s > agreed_s or (said.role or stood.role) != request.terms.role:
        return False
    if not less or request.terms.role == stood.role:
        return replace(stood, duration_s=request.terms.duration_s).hash == request.terms.hash
    return (stood.environment, stood.holder) == (request.terms.environment, request.terms.holder)


def _in_time(policy: Policy, request: Request, vote: Vote, said: Said, now: datetime) -> bool:
    """Around the vote, and no longer ago than the policy lets a request wait, may begin later, and lasts."""
    role = policy.entitlement(request.terms.environment, request.terms.role)
    if role is None:
        return False
    ahead = request.start_at - request.created_at if request.start_at else timedelta(0)
    age_max = role.expires_after + min(ahead, START_WITHIN) + request.terms.duration + AROUND_THE_VOTE
    return abs(said.at - vote.at) <= AROUND_THE_VOTE and now - said.at <= age_max
